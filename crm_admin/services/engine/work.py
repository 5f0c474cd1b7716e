"""What the steps of one run share while a worker holds its lease."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.providers.base import Provider
from crm_admin.services.engine.ahead import Ahead
from crm_admin.services.engine.streams import RemoteObject, Stream
from crm_admin.services.engine.unit import Lease
from crm_admin.services.sql import Cursor, dumps


class CallCounter(Protocol):
    def take(self) -> int:
        """Return the calls to the CRM since the last take."""

    def flush(self) -> None:
        """Write the calls into the log, in a transaction of their own."""


@dataclass(slots=True)
class Work:
    """A run in hand. `counts` are what this step adds; they are written with the step's
    transaction.
    """

    lease: Lease
    organization_id: UUID
    connection_id: UUID
    connection_name: str
    mode: str
    staged: bool
    actor: str
    run_at: datetime
    checkpoint: dict[str, Json]
    provider: Provider
    objects: tuple[RemoteObject, ...]
    marker: bool
    limits: Mapping[str, Json]
    totals: dict[str, int]
    calls: CallCounter
    counts: Counter[str] = field(default_factory=Counter)
    ahead: Ahead = field(default_factory=Ahead)
    mostly_new: bool = False
    analysed_at: int = 0
    crowded: defaultdict[UUID, set[tuple[str, str]]] = field(
        default_factory=lambda: defaultdict(set)
    )
    unmarked: set[str] = field(default_factory=set)

    @property
    def run_id(self) -> UUID:
        return self.lease.run_id

    def marks(self, remote_object: str) -> bool:
        """Whether records of this object carry our marker."""
        return self.marker and remote_object not in self.unmarked

    def stream(self, stream_id: UUID, record_id: UUID | None = None) -> Stream | None:
        """Return the run's stream of that id, as a linked record uses it where one is named."""
        for remote in self.objects:
            for stream in remote.streams:
                if stream.id == stream_id:
                    return stream.of(record_id)
        return None

    def remote(self, name: str) -> RemoteObject | None:
        """Return the run's remote object of that name."""
        return next((remote for remote in self.objects if remote.name == name), None)

    def properties(self, remote: RemoteObject) -> tuple[str, ...]:
        """Return the properties to ask for: what the mappings need, our marker, and what tells of
        merges.
        """
        spec = self.provider.spec
        mine = (spec.marker_field, spec.object(remote.name).former_field)
        return tuple(dict.fromkeys((*remote.properties, *(name for name in mine if name))))

    def total(self) -> int | None:
        """Return how many records the pass reads, never less than were read; None while that is
        unknown of any object.
        """
        expected = self.checkpoint.get("expected")
        if not isinstance(expected, dict) or any(one.name not in expected for one in self.objects):
            return None
        return max(self.totals.get("read", 0), sum(int(str(n)) for n in expected.values()))

    def save(self, cursor: Cursor, **changes: object) -> None:
        """Write checkpoint, phase and the counts of this step; call it in the step's own
        transaction.
        """
        self.counts["calls"] += self.calls.take()
        for name, count in self.counts.items():
            self.totals[name] = self.totals.get(name, 0) + count
        self.counts.clear()
        columns = {"checkpoint": dumps(self.checkpoint), "counts": dumps(self.totals), **changes}
        if "expected" in self.checkpoint:
            columns["total"] = self.total()
        assignments = ", ".join(f"{name} = %({name})s" for name in columns)
        cursor.execute(
            f"UPDATE sync_run SET {assignments} WHERE id = %(run_id)s",  # noqa: S608
            {**columns, "run_id": self.run_id},
        )
