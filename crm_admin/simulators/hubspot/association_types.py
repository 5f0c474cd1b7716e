"""HubSpot's numbers for the ways two records can be associated."""

from collections.abc import Mapping
from typing import Final

from crm_admin.simulators.hubspot.schema import SINGULAR

Pair = tuple[str, str]

# (from, to): the unlabelled type, and the unlabelled type of the way back.
_PLAIN: Final[Mapping[Pair, tuple[int, int]]] = {
    ("contacts", "companies"): (279, 280),
    ("contacts", "contacts"): (449, 449),
    ("deals", "contacts"): (3, 4),
    ("deals", "companies"): (341, 342),
    ("notes", "contacts"): (202, 201),
    ("notes", "companies"): (190, 189),
    ("notes", "deals"): (214, 213),
    ("tasks", "contacts"): (204, 203),
    ("tasks", "companies"): (192, 191),
    ("tasks", "deals"): (216, 215),
    ("calls", "contacts"): (194, 193),
    ("calls", "companies"): (182, 181),
    ("calls", "deals"): (206, 205),
    ("emails", "contacts"): (198, 197),
    ("emails", "companies"): (186, 185),
    ("emails", "deals"): (210, 209),
    ("meetings", "contacts"): (200, 199),
    ("meetings", "companies"): (188, 187),
    ("meetings", "deals"): (212, 211),
}
_PRIMARY: Final[Mapping[Pair, tuple[int, int]]] = {
    ("contacts", "companies"): (1, 2),
    ("deals", "companies"): (5, 6),
}


def _both_ways(one_way: Mapping[Pair, tuple[int, int]]) -> dict[Pair, int]:
    there = {pair: types[0] for pair, types in one_way.items()}
    back = {(pair[1], pair[0]): types[1] for pair, types in one_way.items()}
    return {**back, **there}


PLAIN: Final = _both_ways(_PLAIN)
PRIMARY: Final = _both_ways(_PRIMARY)
PRIMARY_IDS: Final = frozenset(PRIMARY.values())


def known_types(near: str, far: str) -> frozenset[int]:
    """The types by which the two objects can be associated, in this direction."""
    pair = (near, far)
    return frozenset(table[pair] for table in (PLAIN, PRIMARY) if pair in table)


def backwards(near: str, far: str, types: frozenset[int]) -> frozenset[int]:
    """The same association seen from the other end."""
    pair, back = (near, far), (far, near)
    found = set()
    if PLAIN.get(pair) in types:
        found.add(PLAIN[back])
    if PRIMARY.get(pair) in types:
        found.add(PRIMARY[back])
    return frozenset(found)


def label_of(type_id: int) -> str | None:
    """What people read beside an association, if anything."""
    return "Primary" if type_id in PRIMARY_IDS else None


def legacy_name(near: str, far: str, type_id: int) -> str:
    """The listing's name: where a primary type exists, the plain one is called unlabelled."""
    name = f"{SINGULAR[near]}_to_{SINGULAR[far]}"
    plain_beside_primary = (near, far) in PRIMARY and type_id == PLAIN[near, far]
    return f"{name}_unlabeled" if plain_beside_primary else name
