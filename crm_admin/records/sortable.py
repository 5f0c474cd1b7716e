"""Values as text that sorts like the value: plain columns of text are all that an index may serve
under row-level security.
"""

from collections.abc import Mapping
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.records import numbers
from crm_admin.records.kinds import FieldType

LONGEST: Final = 200
NUMBERS: Final = frozenset(
    {FieldType.INTEGER.value, FieldType.DECIMAL.value, FieldType.MONEY.value}
)
UNSORTABLE: Final = frozenset(
    {FieldType.REFERENCE, FieldType.ARRAY, FieldType.MULTI_ENUM, FieldType.TEXT}
)
NINES: Final = str.maketrans("0123456789", "9876543210")


def sortable(type_name: str, value: Json) -> str:
    """Return the value as text that sorts like it; "" for a blank and for what does not fit.

    Texts are compared without case; of long ones the beginning counts.
    """
    if isinstance(value, Mapping):
        value = value.get("amount")
    if value is None or isinstance(value, list | tuple | Mapping):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if type_name in NUMBERS:
        return _number(value)
    return " ".join(str(value).split()).casefold()[:LONGEST]


def _number(value: Json) -> str:
    """A sign, how many digits stand before the point, the digits: shorter is smaller.

    Below zero everything is turned round, and an end is put that comes after every digit.
    """
    try:
        text = numbers.decimal_text(value)
    except ValueError:
        return ""
    whole, _, rest = text.lstrip("-").partition(".")
    whole = whole.lstrip("0") or "0"
    if len(whole) > LONGEST // 2:
        return ""
    digits = f"{len(whole):03d}{whole}{f'.{rest}' if rest else ''}"[:LONGEST]
    return f"-{digits.translate(NINES)}~" if text.startswith("-") else f"0{digits}"
