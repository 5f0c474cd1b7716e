"""Values in one canonical form per type, so that equal means equal and a change is a change."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.records import moments, numbers, texts
from crm_admin.records.kinds import Field, FieldType, RecordKind

LONGEST_TITLE: Final = 300
MOST_ITEMS: Final = 1_000
SHORT: Final = 4_096
TRUTH: Final = {"true": True, "false": False}
PLAIN_TEXTS: Final = frozenset({FieldType.STRING, FieldType.TEXT})
PLAIN_PHONE: Final = re.compile(r"(?=(?:\D*\d){3})[+(]*\d[\d().\-/]*(?: [\d().\-/]+)*", re.ASCII)


class Absent(Enum):
    """The one value for "we were not told", which is neither null nor empty."""

    ABSENT = "absent"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent.ABSENT

Canonicaliser = Callable[[Json], Json]


class ValueRefused(ValueError):
    """A value that its field cannot hold; `reason` is a sentence for people."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def is_blank(value: Json | Absent) -> bool:
    """Return whether there is nothing: absent, null, empty text or an empty list."""
    return (
        value is None or value == "" or value is ABSENT or value == [] or value == () or value == {}
    )


def same(a: Json | Absent, b: Json | Absent) -> bool:
    """Return whether two values are equal: blanks with blanks, numbers by amount, texts composed.

    Absent equals only absent. True is not 1 and "1" is not 1: types are the caller's business.
    """
    if a is b:
        return True
    if isinstance(a, Absent) or isinstance(b, Absent):
        return False
    if isinstance(a, str) and isinstance(b, str):
        return a == b or _composed_equal(a, b)
    if is_blank(a) or is_blank(b):
        return is_blank(a) and is_blank(b)
    if isinstance(a, bool) or isinstance(b, bool):
        return False
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b
    return _same_parts(a, b)


def _composed_equal(a: str, b: str) -> bool:
    if a.isascii() and b.isascii():
        return False
    return unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b)


def _same_parts(a: Json, b: Json) -> bool:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, str | Mapping) or isinstance(b, str | Mapping):
        return False
    if isinstance(a, Sequence) and isinstance(b, Sequence):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return False


def canonical(field: Field, value: Json) -> Json:
    """Return the canonical form of a field's value; ValueRefused with a sentence when it has none.

    Blank stays None. For many values of one field take `canonicaliser(field)` once.
    """
    return canonicaliser(field)(value)


@lru_cache(maxsize=4096)
def canonicaliser(field: Field) -> Canonicaliser:
    """Return the function that makes values of this field canonical."""
    make = _BY_TYPE[field.type]
    name = field.name
    convert = make(field)
    if field.type in PLAIN_TEXTS:
        return _plain_text(name, convert)

    def canonicalise(value: Json) -> Json:
        if value is None or value == "":
            return None
        try:
            return convert(value)
        except ValueError as error:
            raise ValueRefused(name, str(error)) from error

    return canonicalise


def _plain_text(name: str, convert: Canonicaliser) -> Canonicaliser:
    """Most texts are short and plain ASCII: they are canonical as they are."""

    def canonicalise(value: Json) -> Json:
        if isinstance(value, str) and value.isascii() and len(value) <= SHORT and "\0" not in value:
            return value or None
        if value is None:
            return None
        try:
            return convert(value)
        except ValueError as error:
            raise ValueRefused(name, str(error)) from error

    return canonicalise


def _string(_field: Field) -> Canonicaliser:
    return lambda value: texts.text(value, texts.LONGEST_STRING)


def _text(_field: Field) -> Canonicaliser:
    return texts.text


def _typed(convert: Canonicaliser) -> Callable[[Field], Canonicaliser]:
    """Typed texts: one that holds only blanks is blank."""

    def blank_or(value: Json) -> Json:
        return None if isinstance(value, str) and value.isspace() else convert(value)

    return lambda _field: blank_or


def _phone(value: Json) -> Json:
    """Digits in groups, enough of them and not too many, are canonical as they are."""
    if isinstance(value, str) and len(value) <= 25 and PLAIN_PHONE.fullmatch(value):
        return value
    return texts.phone(value)


def _email(value: Json) -> Json:
    """Most addresses are written as they are kept."""
    if (
        isinstance(value, str)
        and len(value) <= texts.LONGEST_EMAIL
        and texts.EMAIL.fullmatch(value)
    ):
        return value
    return texts.email(value)


def _day(value: Json) -> Json:
    if not isinstance(value, str):
        raise ValueError("This is not a date.")  # noqa: TRY004  (a value, not a caller's mistake)
    return moments.day(value)


def _instant(value: Json) -> Json:
    if not isinstance(value, str):
        raise ValueError("This is not a time.")  # noqa: TRY004  (a value, not a caller's mistake)
    return moments.instant(value)


def _truth(value: Json) -> Json:
    if isinstance(value, bool):
        return value
    found = TRUTH.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("This is neither true nor false.")
    return found


def _choice(field: Field) -> Callable[[Json], str]:
    codes = {option.code for option in field.options}
    by_word = {option.label.strip().casefold(): option.code for option in field.options}
    by_word |= {option.code.casefold(): option.code for option in field.options}

    def choose(value: Json) -> str:
        if isinstance(value, str) and value in codes:
            return value
        word = texts.text(value, texts.LONGEST_STRING).strip()
        if not codes:
            return word
        code = by_word.get(word.casefold())
        if code is None:
            raise ValueError(f"“{word[:60]}” is not one of the options.")
        return code

    return choose


def _enum(field: Field) -> Canonicaliser:
    choose = _choice(field)
    return lambda value: None if isinstance(value, str) and not value.strip() else choose(value)


def _multi_enum(field: Field) -> Canonicaliser:
    choose = _choice(field)

    def choices(value: Json) -> Json:
        parts = value.split(";") if isinstance(value, str) else _items(value)
        chosen = {
            choose(part) for part in parts if not (isinstance(part, str) and not part.strip())
        }
        return sorted(chosen) or None

    return choices


def _items(value: Json) -> Sequence[Json]:
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        raise ValueError("This is not a list.")  # noqa: TRY004  (a value, not a caller's mistake)
    if len(value) > MOST_ITEMS:
        raise ValueError(f"This list has more than {MOST_ITEMS:,} entries.")
    return value


def _array(_field: Field) -> Canonicaliser:
    def entry(value: Json) -> Json:
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return numbers.decimal_text(value)
        return texts.text(value)

    return lambda value: [entry(one) for one in _items(value)] or None


def _reference(_field: Field) -> Canonicaliser:
    return lambda value: texts.text(value, texts.LONGEST_STRING).strip() or None


_BY_TYPE: Final[Mapping[FieldType, Callable[[Field], Canonicaliser]]] = {
    FieldType.STRING: _string,
    FieldType.TEXT: _text,
    FieldType.INTEGER: _typed(numbers.integer),
    FieldType.DECIMAL: _typed(numbers.decimal_text),
    FieldType.MONEY: _typed(numbers.money),
    FieldType.DATE: _typed(_day),
    FieldType.DATETIME: _typed(_instant),
    FieldType.BOOLEAN: _typed(_truth),
    FieldType.ENUM: _enum,
    FieldType.MULTI_ENUM: _multi_enum,
    FieldType.ARRAY: _array,
    FieldType.EMAIL: _typed(_email),
    FieldType.PHONE: _typed(_phone),
    FieldType.URL: _typed(texts.url),
    FieldType.REFERENCE: _reference,
}


def money_minor(value: Json | Absent) -> int | None:
    """Return money or a plain amount in minor units; None when it is blank or no amount."""
    if isinstance(value, Absent) or is_blank(value):
        return None
    try:
        if isinstance(value, Mapping):
            held = numbers.money(value)
            return numbers.minor_units(str(held["amount"]), str(held["currency"]))
        return numbers.minor_units(numbers.decimal_text(value), "")
    except ValueError:
        return None


class PromotedValues(NamedTuple):
    """What the plain columns of a record hold."""

    title: str
    status: str | None
    owner_id: UUID | None
    amount: int | None
    due_on: date | None


def promoted(kind: RecordKind, data: Mapping[str, Json]) -> PromotedValues:
    """Return the plain columns of a record; a value that does not fit its column leaves it
    empty.
    """
    columns = kind.promoted
    status = data.get(columns.status) if columns.status else None
    return PromotedValues(
        title=_title(kind, data),
        status=status if isinstance(status, str) and status else None,
        owner_id=_uuid(data.get(columns.owner)) if columns.owner else None,
        amount=money_minor(data.get(columns.amount)) if columns.amount else None,
        due_on=_date(data.get(columns.due_on)) if columns.due_on else None,
    )


def _title(kind: RecordKind, data: Mapping[str, Json]) -> str:
    """A record without a name is called by its first match key, an e-mail address for instance."""
    parts = [part for name in kind.promoted.title if isinstance(part := data.get(name), str)]
    title = " ".join(" ".join(parts).split())
    if not title:
        keys = (data.get(name) for rule in kind.keys for name in rule.fields)
        title = next((key for key in keys if isinstance(key, str) and key), "")
    return title[:LONGEST_TITLE]


def _uuid(value: Json) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _date(value: Json) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
