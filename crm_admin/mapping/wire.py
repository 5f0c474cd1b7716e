"""Conversions that need no step: a value of the CRM read as a type of ours, written back, and
compared.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.transformers.shape import Convert, as_text, unchanged
from crm_admin.records import moments, numbers, texts
from crm_admin.records.kinds import FieldType
from crm_admin.records.values import is_blank, same

LIST_MARK: Final = ";"
DIGITS: Final = re.compile(r"-?\d{6,15}", re.ASCII)
TRUTH: Final = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
NUMBERS: Final = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY})
LISTS: Final = frozenset({FieldType.MULTI_ENUM, FieldType.ARRAY})


def wire_type(name: str | None) -> FieldType:
    """Return the described type of a field of the CRM; one that is not described counts as text."""
    try:
        return FieldType(name or FieldType.STRING)
    except ValueError:
        return FieldType.STRING


def reader(ours: FieldType) -> Convert:
    """Return what turns a value of the CRM into the spelling a field of ours of this type takes."""
    if ours is FieldType.DATE:
        return _read_day
    if ours is FieldType.DATETIME:
        return _read_instant
    if ours is FieldType.BOOLEAN:
        return _read_truth
    if ours in LISTS:
        return _read_list
    if ours is FieldType.MONEY:
        return _read_money
    return unchanged if ours in NUMBERS else read_text


def writer(ours: FieldType, theirs: FieldType) -> Convert:
    """Return what turns a canonical value of ours into the text the CRM's field takes."""
    if theirs is FieldType.DATETIME and ours is FieldType.DATE:
        return lambda value: f"{as_text(value)}T00:00:00.000Z"
    if theirs is FieldType.DATE and ours is FieldType.DATETIME:
        return lambda value: as_text(value)[:10]
    if ours is FieldType.MONEY:
        return _write_money
    if theirs is FieldType.INTEGER and ours is not FieldType.BOOLEAN:
        return lambda value: str(numbers.integer(value))
    return write_text


def write_text(value: Json) -> Json:
    """Return any value as text: lists joined, truth in words; ValueError for objects."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return _write_money(value)
    if isinstance(value, Sequence):
        parts = [as_text(part) for part in value]
        if any(LIST_MARK in part for part in parts):
            raise ValueError(f"An entry contains “{LIST_MARK}”, which separates entries.")
        return LIST_MARK.join(parts)
    return as_text(value)


def _write_money(_value: Json) -> Json:
    raise ValueError("Money needs a step that says in which currency the CRM keeps it.")


def _read_money(value: Json) -> Json:
    if isinstance(value, Mapping):
        return value
    raise ValueError("Money needs a step that says in which currency the CRM keeps it.")


def read_text(value: Json) -> Json:
    """Return a value of the CRM as text."""
    return value if isinstance(value, str) else write_text(value)


def _read_truth(value: Json) -> Json:
    if isinstance(value, bool):
        return value
    return TRUTH.get(as_text(value).strip().lower(), value)


def _read_list(value: Json) -> Json:
    if isinstance(value, str):
        return [part.strip() for part in value.split(LIST_MARK) if part.strip()]
    return value if isinstance(value, Sequence) else [value]


def _read_instant(value: Json) -> Json:
    text = as_text(value).strip()
    if DIGITS.fullmatch(text):
        return moments.from_epoch_ms(int(text))
    if moments.DATE.fullmatch(text):
        return f"{moments.day(text)}T00:00:00.000Z"
    # CRMs that write no zone keep their times in UTC.
    return moments.instant(text, UTC) if text else None


def _read_day(value: Json) -> Json:
    text = as_text(value).strip()
    if not text or moments.DATE.fullmatch(text):
        return text
    return as_text(_read_instant(text))[:10]


Same = Callable[[Json, Json], bool]


def _normal(theirs: FieldType) -> Convert:
    if theirs in NUMBERS:
        return lambda value: value if isinstance(value, Mapping) else numbers.decimal_text(value)
    if theirs is FieldType.BOOLEAN:
        return _read_truth
    if theirs is FieldType.DATE:
        return _read_day
    if theirs is FieldType.DATETIME:
        return _read_instant
    if theirs is FieldType.MULTI_ENUM:
        return lambda value: sorted(as_text(part) for part in _sequence(_read_list(value)))
    return texts.email if theirs is FieldType.EMAIL else read_text


def _sequence(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]


_NORMAL: Final[Mapping[str, Convert]] = {theirs.value: _normal(theirs) for theirs in FieldType}


def normal_wire(type_name: str, value: Json) -> Json:
    """Return the one spelling a value of the CRM has under its described type; an odd value stays
    as it is.
    """
    if is_blank(value):
        return None
    try:
        return _NORMAL[wire_type(type_name)](value)
    except ValueError:
        return value


def same_wire(type_name: str, a: Json, b: Json) -> bool:
    """Return whether two values of the CRM are one value in two spellings, by the type of its
    field.
    """
    return same(a, b) or same(normal_wire(type_name, a), normal_wire(type_name, b))
