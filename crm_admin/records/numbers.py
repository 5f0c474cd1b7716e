"""Numbers and money in one normal form, so that two spellings of one amount compare equal."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

from crm_admin.jsontypes import Json

PLAIN: Final = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?", re.ASCII)
CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
MOST_DIGITS: Final = 60
LARGEST_INTEGER: Final = 2**63 - 1
"""What a bigint column and every JSON reader on the way can hold."""

NO_MINOR: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
THREE_MINOR: Final = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def decimal_text(value: Json) -> str:
    """Return a number as text without exponent, leading plus or trailing zeros.

    ValueError, with the reason as a sentence, when it is none.
    """
    if isinstance(value, str):
        text = value.strip()
        if PLAIN.fullmatch(text):
            return _trimmed(text)
        return _trimmed(f"{_decimal(text):f}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("This is not a number.")  # noqa: TRY004  (a value of a CRM, not a caller's mistake)
    return _trimmed(f"{_decimal(repr(value)):f}")


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"“{text[:40]}” is not a number.") from error
    if not number.is_finite():
        raise ValueError(f"“{text[:40]}” is not a finite number.")
    # A short text such as 1e999999 would become a million digits once it is written out.
    if len(number.as_tuple().digits) > MOST_DIGITS or abs(number.adjusted()) > MOST_DIGITS:
        raise ValueError("This number has too many digits.")
    return number


def _trimmed(text: str) -> str:
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    if digits.startswith("0") and len(digits) > 1:
        digits = digits.lstrip("0")
        if not digits or digits.startswith("."):
            digits = f"0{digits}"
    return digits if digits == "0" else sign + digits


def integer(value: Json) -> int:
    """Return a whole number; ValueError when it has a fraction or is none."""
    if type(value) is int:
        number = value
    else:
        text = decimal_text(value)
        if "." in text:
            raise ValueError(f"{text} is not a whole number.")
        number = int(text)
    if abs(number) > LARGEST_INTEGER:
        raise ValueError("This number is too large.")
    return number


def money(value: Json) -> dict[str, Json]:
    """Return {"amount", "currency"} with the amount in normal form; ValueError when either is
    missing.
    """
    if not isinstance(value, Mapping):
        raise ValueError("Money needs an amount and a currency.")  # noqa: TRY004  (a value of a CRM)
    currency = value.get("currency")
    if not isinstance(currency, str) or not CURRENCY.fullmatch(currency.strip().upper()):
        raise ValueError("Money needs a currency of three letters.")
    return {"amount": decimal_text(value.get("amount")), "currency": currency.strip().upper()}


def minor_digits(currency: str) -> int:
    """Return how many decimals a currency has."""
    if currency in NO_MINOR:
        return 0
    return 3 if currency in THREE_MINOR else 2


def minor_units(amount: str, currency: str) -> int | None:
    """Return an amount in the currency's smallest unit; None when a bigint cannot hold it."""
    exact = Decimal(amount).scaleb(minor_digits(currency))
    whole = (
        int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)) if exact.adjusted() < 20 else None
    )
    return whole if whole is not None and abs(whole) <= LARGEST_INTEGER else None
