"""The truth log: every change that really happened at the provider, which tests compare our side
with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crm_admin.simulators.clock import iso

NOTHING: Mapping[str, str] = {}


class Op(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    ARCHIVE = "archive"
    RESTORE = "restore"
    MERGE = "merge"
    ASSOCIATE = "associate"
    DISASSOCIATE = "disassociate"
    PROPERTY = "property"


class By(StrEnum):
    API = "api"
    PAGE = "page"
    SEED = "seed"


@dataclass(frozen=True, slots=True)
class Entry:
    """Keeps both states and not their difference: states are shared with the store, so an entry is
    small.
    """

    n: int
    at: int
    object_name: str
    id: str
    op: Op
    by: By
    old: Mapping[str, object]
    new: Mapping[str, object]

    def changed(self) -> dict[str, list[object]]:
        names = {**self.old, **self.new}
        return {
            name: [self.old.get(name), self.new.get(name)]
            for name in names
            if self.old.get(name) != self.new.get(name)
        }

    def as_json(self) -> dict[str, object]:
        return {
            "n": self.n,
            "at": iso(self.at),
            "object": self.object_name,
            "id": self.id,
            "op": self.op,
            "by": self.by,
            "changed": self.changed(),
        }


@dataclass(slots=True)
class TruthLog:
    entries: list[Entry] = field(default_factory=list)

    def since(self, n: int, limit: int) -> list[Entry]:
        return self.entries[max(n, 0) : max(n, 0) + limit]

    def last(self, count: int) -> list[Entry]:
        return self.entries[: -count - 1 : -1]

    def of(self, object_name: str, row_id: str, count: int) -> list[Entry]:
        """The newest entries of one record, newest first."""
        found: list[Entry] = []
        for entry in reversed(self.entries):
            if entry.id == row_id and entry.object_name == object_name:
                found.append(entry)
            if len(found) == count:
                break
        return found
