from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_admin.jsontypes import Json
from crm_admin.records.kinds import Field, FieldType, KeyRule, KeyType, Option, Promoted, RecordKind
from crm_admin.records.values import (
    ABSENT,
    ValueRefused,
    canonical,
    canonicaliser,
    is_blank,
    money_minor,
    promoted,
    same,
)

STAGES = (Option("new", "New"), Option("won", "Closed won"))
DEAL = RecordKind(
    "deal",
    "Deal",
    "Deals",
    (
        Field("name", "Name", FieldType.STRING),
        Field("email", "E-mail", FieldType.EMAIL),
        Field("stage", "Stage", FieldType.ENUM, options=STAGES),
        Field("amount", "Amount", FieldType.MONEY),
        Field("owner", "Owner", FieldType.STRING),
        Field("close_date", "Close date", FieldType.DATE),
    ),
    (KeyRule(KeyType.EMAIL, ("email",)),),
    Promoted(("name",), "stage", "owner", "amount", "close_date"),
)


def field(type_: FieldType) -> Field:
    options = STAGES if type_ in {FieldType.ENUM, FieldType.MULTI_ENUM} else ()
    return Field("it", "It", type_, options=options)


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        (FieldType.STRING, "Mu\u0308ller", "Müller"),
        (FieldType.STRING, 10.0, "10"),
        (FieldType.STRING, True, "true"),
        (FieldType.STRING, " Ann ", " Ann "),
        (FieldType.INTEGER, "0042", 42),
        (FieldType.INTEGER, 42.0, 42),
        (FieldType.DECIMAL, "10.500", "10.5"),
        (FieldType.DECIMAL, "1.5E+3", "1500"),
        (FieldType.DECIMAL, "-0.00", "0"),
        (FieldType.DECIMAL, "+7", "7"),
        (FieldType.DECIMAL, 0.1, "0.1"),
        (FieldType.DECIMAL, "000.50", "0.5"),
        (
            FieldType.MONEY,
            {"amount": "299.990", "currency": "gbp"},
            {"amount": "299.99", "currency": "GBP"},
        ),
        (FieldType.DATE, " 2026-11-20 ", "2026-11-20"),
        (FieldType.DATETIME, "2026-11-20T10:00:00+02:00", "2026-11-20T08:00:00.000Z"),
        (FieldType.DATETIME, "2026-11-20 10:00Z", "2026-11-20T10:00:00.000Z"),
        (FieldType.DATETIME, "2026-11-20T10:00:00.123456Z", "2026-11-20T10:00:00.123Z"),
        (FieldType.BOOLEAN, "TRUE", True),
        (FieldType.BOOLEAN, False, False),
        (FieldType.ENUM, "closed won", "won"),
        (FieldType.MULTI_ENUM, "won;new;won", ["new", "won"]),
        (FieldType.MULTI_ENUM, [], None),
        (FieldType.ARRAY, ["b", "a"], ["b", "a"]),
        (FieldType.EMAIL, " Ann@Example.COM ", "ann@example.com"),
        (FieldType.EMAIL, "ann@bücher.example", "ann@bücher.example"),
        (FieldType.PHONE, "+44  20 7946-0958 ext. 12", "+44 20 7946-0958 ext. 12"),
        (FieldType.URL, "www.example.com/shop", "www.example.com/shop"),
        (FieldType.URL, "https://example.com:8443/", "https://example.com:8443/"),
        (FieldType.REFERENCE, " 17 ", "17"),
    ],
)
def test_a_value_has_one_canonical_form(type_: FieldType, value: Json, expected: Json) -> None:
    assert canonical(field(type_), value) == expected


@pytest.mark.parametrize("type_", FieldType)
@pytest.mark.parametrize("blank", [None, ""])
def test_a_blank_stays_blank_in_every_type(type_: FieldType, blank: Json) -> None:
    assert canonical(field(type_), blank) is None


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (FieldType.STRING, "nul\0"),
        (FieldType.STRING, "half \ud800 a pair"),
        (FieldType.STRING, "x" * 65_537),
        (FieldType.STRING, {"a": 1}),
        (FieldType.INTEGER, "1.5"),
        (FieldType.INTEGER, True),
        (FieldType.INTEGER, str(2**63)),
        (FieldType.DECIMAL, "ten"),
        (FieldType.DECIMAL, "NaN"),
        (FieldType.DECIMAL, float("inf")),
        (FieldType.DECIMAL, "1e999999"),
        (FieldType.MONEY, "10"),
        (FieldType.MONEY, {"amount": "10"}),
        (FieldType.MONEY, {"amount": None, "currency": "EUR"}),
        (FieldType.DATE, "2026-02-29"),
        (FieldType.DATE, "20.11.2026"),
        (FieldType.DATE, 20261120),
        (FieldType.DATETIME, "2026-11-20T10:00:00"),
        (FieldType.DATETIME, "2026-11-20T25:00:00Z"),
        (FieldType.BOOLEAN, "maybe"),
        (FieldType.BOOLEAN, 1),
        (FieldType.ENUM, "lost"),
        (FieldType.MULTI_ENUM, ["new", "lost"]),
        (FieldType.ARRAY, "not a list"),
        (FieldType.ARRAY, [["deep"]]),
        (FieldType.EMAIL, "ann@example"),
        (FieldType.EMAIL, "a..b@example.com"),
        (FieldType.EMAIL, "two@signs@example.com"),
        (FieldType.PHONE, "call me"),
        (FieldType.PHONE, "12"),
        (FieldType.URL, "javascript:alert(1)"),
        (FieldType.URL, "ftp://example.com"),
        (FieldType.URL, "not an address"),
    ],
)
def test_a_value_its_type_cannot_hold_is_refused_with_a_sentence(
    type_: FieldType, value: Json
) -> None:
    with pytest.raises(ValueRefused) as refused:
        canonical(field(type_), value)

    assert refused.value.field == "it"
    assert refused.value.reason.endswith(".")


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12
    )
)
def test_a_decimal_keeps_its_amount_and_one_spelling(number: Decimal) -> None:
    make = canonicaliser(field(FieldType.DECIMAL))

    once = make(str(number))

    assert isinstance(once, str)
    assert Decimal(once) == number
    assert make(once) == once
    assert "E" not in once


@given(st.text())
def test_a_canonical_text_is_its_own_canonical_form(text: str) -> None:
    make = canonicaliser(field(FieldType.TEXT))
    try:
        once = make(text)
    except ValueRefused:
        assert "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text)
        return

    assert make(once) == once


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (None, "", True),
        ("", [], True),
        (ABSENT, None, False),
        (ABSENT, ABSENT, True),
        (True, 1, False),
        (10, 10.0, True),
        ("10", 10, False),
        ("Mu\u0308ller", "Müller", True),
        ("a", "A", False),
        ({"amount": "1", "currency": "EUR"}, {"currency": "EUR", "amount": "1"}, True),
        (["a", "b"], ["b", "a"], False),
        (0, None, False),
        (False, None, False),
    ],
)
def test_same_compares_by_meaning(a: Json, b: Json, equal: bool) -> None:
    assert same(a, b) is equal
    assert same(b, a) is equal


@pytest.mark.parametrize(
    ("value", "blank"),
    [(ABSENT, True), ("", True), ([], True), (0, False), (False, False), (" ", False)],
)
def test_blank_means_that_nothing_is_there(value: Json, blank: bool) -> None:
    assert is_blank(value) is blank


@pytest.mark.parametrize(
    ("value", "minor"),
    [
        ({"amount": "299.99", "currency": "GBP"}, 29999),
        ({"amount": "300", "currency": "JPY"}, 300),
        ({"amount": "1.2345", "currency": "KWD"}, 1234),
        ({"amount": "-0.005", "currency": "EUR"}, 0),
        ("12.5", 1250),
        (None, None),
        ({"amount": "1" + "0" * 25, "currency": "EUR"}, None),
    ],
)
def test_money_is_promoted_in_minor_units(value: Json, minor: int | None) -> None:
    assert money_minor(value) == minor


def test_a_record_fills_its_plain_columns() -> None:
    owner = "01939c6e-0000-7000-8000-000000000001"

    plain = promoted(
        DEAL,
        {
            "name": "Big  deal",
            "stage": "won",
            "owner": owner,
            "amount": {"amount": "10.50", "currency": "EUR"},
            "close_date": "2026-11-20",
        },
    )

    assert (plain.title, plain.status, plain.owner_id) == ("Big deal", "won", UUID(owner))
    assert (plain.amount, plain.due_on) == (1050, date(2026, 11, 20))


def test_a_record_without_a_name_is_called_by_its_first_key() -> None:
    plain = promoted(DEAL, {"email": "ann@example.com", "owner": "Bob", "close_date": "soon"})

    assert plain.title == "ann@example.com"
    assert (plain.owner_id, plain.due_on, plain.amount, plain.status) == (None, None, None, None)
