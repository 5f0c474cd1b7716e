"""Steps on numbers: written forms, factors and money."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.transformers.shape import (
    Params,
    Transformer,
    as_text,
    choice_param,
    text_param,
)
from crm_admin.records.numbers import CURRENCY, decimal_text
from crm_admin.records.numbers import money as canonical_money

BLANKS: Final = str.maketrans("", "", " \u00a0\u2009\u202f'\u2019")
MOST_DECIMALS: Final = 12
WRITTEN: Final = ("amount", "amount code", "code amount")


def to_number(params: Params) -> Transformer:
    """Their number written with these separators becomes a plain one; ours is written back with
    `decimal`.
    """
    decimal = choice_param(params, "decimal", (".", ","), ".")
    thousands = choice_param(params, "thousands", ("", ".", ",", " ", "'"), "")
    if thousands == decimal:
        raise ValueError("The two separators must differ.")

    def read(value: Json) -> Json:
        if not isinstance(value, str):
            return decimal_text(value)
        plain = value.strip().translate(BLANKS)
        negative = plain.startswith("(") and plain.endswith(")")
        plain = plain.strip("()")
        if thousands.strip():
            plain = plain.replace(thousands, "")
        number = decimal_text(plain.replace(decimal, "."))
        return f"-{number}" if negative and number != "0" else number

    def write(value: Json) -> Json:
        return decimal_text(value).replace(".", decimal)

    return Transformer(read, write, lossy=True)


def number_format(params: Params) -> Transformer:
    """Ours is theirs divided by `factor`; both are rounded half to even at `decimals` where it is
    given.
    """
    factor = Decimal(decimal_text(params.get("factor", 1)))
    decimals = params.get("decimals")
    if factor == 0:
        raise ValueError("The factor must not be 0.")
    if decimals is not None and (type(decimals) is not int or not 0 <= decimals <= MOST_DECIMALS):
        raise ValueError(f"The parameter decimals must be between 0 and {MOST_DECIMALS}.")

    def rounded(number: Decimal) -> str:
        places = decimals if isinstance(decimals, int) else MOST_DECIMALS
        return decimal_text(
            f"{number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN):f}"
        )

    def read(value: Json) -> Json:
        return rounded(Decimal(decimal_text(value)) / factor)

    def write(value: Json) -> Json:
        exact = Decimal(decimal_text(value)) * factor
        return decimal_text(f"{exact:f}")

    return Transformer(read, write, lossy=decimals is not None or factor != 1)


def currency(params: Params) -> Transformer:
    """Their amount becomes money of a fixed currency, or their text holds amount and code.

    `written` says which: amount, amount code, code amount. Money in another currency is refused on
    the way back: the CRM would take it for its own. With the list `account` its currency counts
    before the given one: as the fixed one, or for amounts that come without their code.
    """
    written = choice_param(params, "written", WRITTEN, "amount")
    account = params.get("table")
    home = account.get("currency") if isinstance(account, Mapping) else None
    fixed = as_text(home).upper() if home else text_param(params, "currency", "").upper()
    if written == "amount" and not fixed:
        raise ValueError("The parameter currency is missing.")
    if fixed and not CURRENCY.fullmatch(fixed):
        raise ValueError("The parameter currency must have three letters.")
    by_account = written != "amount" and params.get("list") == "account"
    instead, fixed = (fixed, "") if by_account else ("", fixed)

    def read(value: Json) -> Json:
        if not isinstance(value, Mapping):
            plain = {"amount": value, "currency": instead or fixed}
            bare = written == "amount" or (instead and len(as_text(value).split()) == 1)
            value = plain if bare else _two_parts(as_text(value), written)
        return _in_currency(value, fixed)

    def write(value: Json) -> Json:
        held = _in_currency(value, fixed)
        parts = {"amount": str(held["amount"]), "code": str(held["currency"])}
        return " ".join(parts[part] for part in written.split())

    return Transformer(read, write, typed=True)


def _two_parts(text: str, written: str) -> dict[str, Json]:
    parts = text.split()
    if len(parts) != 2:
        raise ValueError(f"“{text[:40]}” is not written as {written}.")
    found = dict(zip(written.split(), parts, strict=True))
    return {"amount": found["amount"], "currency": found["code"]}


def _in_currency(value: Json, fixed: str) -> dict[str, Json]:
    held = canonical_money(value)
    if fixed and held["currency"] != fixed:
        raise ValueError(f"The amount is in {held['currency']} and the field is in {fixed}.")
    return held
