"""Associations of one account, kept from both ends so that either can be asked."""

from collections.abc import Iterator
from dataclasses import dataclass, field

End = tuple[str, int]


@dataclass(slots=True)
class Links:
    """Each end maps to the objects, then the ids, then the association types of that direction."""

    _ends: dict[End, dict[str, dict[int, frozenset[int]]]] = field(default_factory=dict)

    def types(self, near: End, far: End) -> frozenset[int]:
        return self._ends.get(near, {}).get(far[0], {}).get(far[1], frozenset())

    def to(self, near: End, far_object: str) -> dict[int, frozenset[int]]:
        return self._ends.get(near, {}).get(far_object, {})

    def all_of(self, near: End) -> Iterator[tuple[End, frozenset[int]]]:
        for far_object, found in self._ends.get(near, {}).items():
            for far_id, types in found.items():
                yield (far_object, far_id), types

    def set(self, near: End, far: End, types: frozenset[int]) -> None:
        """One direction holds exactly these types; none removes the entry."""
        found = self._ends.setdefault(near, {}).setdefault(far[0], {})
        if types:
            found[far[1]] = types
        else:
            found.pop(far[1], None)
