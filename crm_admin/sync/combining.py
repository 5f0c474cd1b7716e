"""Proposes one value made of two that were both changed: nothing that either side added is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.records.kinds import Field, FieldType
from crm_admin.records.values import is_blank, same

LISTS: Final = frozenset({FieldType.ARRAY, FieldType.MULTI_ENUM})
TEXTS: Final = frozenset({FieldType.STRING, FieldType.TEXT})
MOST_PARTS: Final = 2_000
"""Longer texts are not compared part by part: a proposal may never cost more than reading them."""


def combine(field: Field, base: Json, ours: Json, theirs: Json) -> Json:
    """Return a value that keeps what both sides added, None where there is no sensible one.

    `theirs` is in our spelling already. Lists unite, except what a side removed; texts take both
    sides' edits, and long ones that were edited at the same place stand below each other.
    """
    if is_blank(ours) or is_blank(theirs):
        return None
    if field.type in LISTS:
        made: Json = _united(_items(base), _items(ours), _items(theirs))
    elif field.type in TEXTS and isinstance(ours, str) and isinstance(theirs, str):
        made = _texts(base if isinstance(base, str) else "", ours, theirs, field.type)
    else:
        return None
    return None if made is None or same(made, ours) or same(made, theirs) else made


def _items(value: Json) -> list[Json]:
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, Sequence) else []


def _united(base: list[Json], ours: list[Json], theirs: list[Json]) -> list[Json]:
    kept = [one for one in ours if one in theirs or one not in base]
    return kept + [one for one in theirs if one not in ours and one not in base]


def _texts(base: str, ours: str, theirs: str, type_: FieldType) -> str | None:
    if ours in theirs or theirs in ours:
        return max(ours, theirs, key=len)
    if type_ is FieldType.TEXT:
        lines = _merged(base.splitlines(), ours.splitlines(), theirs.splitlines())
        return f"{ours}\n{theirs}" if lines is None else "\n".join(lines)
    words = _merged(base.split(), ours.split(), theirs.split())
    return None if words is None else " ".join(words)


@dataclass(frozen=True, slots=True)
class _Edit:
    """A part of the base, and what stands in its place."""

    start: int
    end: int
    new: tuple[str, ...]


def _merged(base: list[str], ours: list[str], theirs: list[str]) -> list[str] | None:
    """Both sides' edits of the base, or None when they touch each other."""
    if max(len(base), len(ours), len(theirs)) > MOST_PARTS:
        return None
    edits = sorted(
        {*_edits(base, ours), *_edits(base, theirs)}, key=lambda edit: (edit.start, edit.end)
    )
    if any(after.start <= before.end for before, after in pairwise(edits)):
        return None
    made: list[str] = []
    at = 0
    for edit in edits:
        made += [*base[at : edit.start], *edit.new]
        at = edit.end
    return made + base[at:]


def _edits(base: list[str], side: list[str]) -> list[_Edit]:
    found = SequenceMatcher(None, base, side, autojunk=False).get_opcodes()
    return [
        _Edit(start, end, tuple(side[from_:to]))
        for word, start, end, from_, to in found
        if word != "equal"
    ]
