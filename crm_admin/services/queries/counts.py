"""The counts of a run as pages read them, whatever part of them a run has filled in so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run did. Ours and theirs are kept apart; created, updated and deleted are their
    sums."""

    read: int = 0
    ours_created: int = 0
    ours_updated: int = 0
    ours_deleted: int = 0
    theirs_created: int = 0
    theirs_updated: int = 0
    theirs_deleted: int = 0
    unchanged: int = 0
    skipped: int = 0
    conflicts: int = 0
    failed: int = 0
    calls: int = 0

    @property
    def created(self) -> int:
        return self.ours_created + self.theirs_created

    @property
    def updated(self) -> int:
        return self.ours_updated + self.theirs_updated

    @property
    def deleted(self) -> int:
        return self.ours_deleted + self.theirs_deleted

    @property
    def written(self) -> int:
        return self.created + self.updated + self.deleted


def counts_of(stored: Mapping[str, Any] | None) -> Counts:
    """Return the counts in a run's stored JSON; what is missing is 0."""
    found = stored or {}
    flat: dict[str, int] = {}
    for name in Counts.__dataclass_fields__:
        side, _, verb = name.partition("_")
        nested = found.get(side) if verb else None
        value = nested.get(verb) if isinstance(nested, Mapping) else found.get(name)
        flat[name] = int(value) if isinstance(value, int | float) else 0
    return Counts(**flat)
