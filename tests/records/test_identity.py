import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_admin.jsontypes import Json
from crm_admin.records.identity import (
    GREY,
    SURE,
    keys_of,
    likeness,
)
from crm_admin.records.kinds import Field, FieldType, KeyRule, KeyType, Promoted, RecordKind
from crm_admin.records.names import company_name, domain, person_name
from crm_admin.records.phones import e164

CONTACT = RecordKind(
    "contact",
    "Contact",
    "Contacts",
    tuple(
        Field(name, name.replace("_", " "), type_)
        for name, type_ in [
            ("first_name", FieldType.STRING),
            ("last_name", FieldType.STRING),
            ("email", FieldType.EMAIL),
            ("phone", FieldType.PHONE),
            ("city", FieldType.STRING),
            ("country", FieldType.STRING),
        ]
    ),
    (
        KeyRule(KeyType.EMAIL, ("email",), strong=True),
        KeyRule(KeyType.PHONE, ("phone",)),
        KeyRule(KeyType.NAME, ("first_name", "last_name")),
    ),
    Promoted(("first_name", "last_name")),
)
COMPANY = RecordKind(
    "company",
    "Company",
    "Companies",
    (Field("name", "Name", FieldType.STRING), Field("domain", "Domain", FieldType.STRING)),
    (
        KeyRule(KeyType.DOMAIN, ("domain", "email"), strong=True),
        KeyRule(KeyType.NAME, ("name",)),
        KeyRule(KeyType.EXACT, ("name", "vat")),
    ),
    Promoted(("name",)),
)
ANN = {
    "first_name": "Ann",
    "last_name": "Smith",
    "email": "ann@example.com",
    "phone": "+44 20 7946 0958",
}


def values(kind: RecordKind, data: dict[str, Json]) -> dict[str, str]:
    return {key.type.value: key.value for key in keys_of(kind, data)}


def test_a_contact_has_a_key_of_each_kind() -> None:
    keys = values(CONTACT, {**ANN, "last_name": "O\u2019Brién", "email": " ANN@Example.com"})

    assert keys == {"email": "ann@example.com", "phone": "+442079460958", "name": "ann obrien"}


def test_a_national_number_takes_the_country_of_its_record() -> None:
    keys = keys_of(CONTACT, {"phone": "(020) 7946 0958", "country": "United Kingdom"})

    assert [key.value for key in keys] == ["+442079460958"]


def test_a_number_without_country_is_a_weak_key_even_where_phones_are_strong() -> None:
    kind = RecordKind(
        "x", "X", "Xs", (), (KeyRule(KeyType.PHONE, ("phone",), strong=True),), Promoted(())
    )

    (key,) = keys_of(kind, {"phone": "020 7946 0958"})

    assert (key.value, key.strong) == ("02079460958", False)


def test_one_word_is_no_key_of_a_person() -> None:
    assert keys_of(CONTACT, {"first_name": "Ann"}) == ()


def test_a_record_of_blanks_has_no_keys() -> None:
    assert keys_of(CONTACT, {"first_name": "", "email": None, "phone": "-", "last_name": " "}) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.Example.com/about", "example.com"),
        ("ann@example.com", "example.com"),
        ("ann@gmail.com", None),
        ("https://linkedin.com/in/ann", None),
        ("localhost", None),
        ("not a domain", None),
    ],
)
def test_the_domain_of_a_company_is_its_own(text: str, expected: str | None) -> None:
    assert domain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Example Co. Ltd.", "example"),
        ("EXAMPLE GmbH & Co. KG", "example"),
        ("Łódź Handel Sp. z o.o.", "lodz handel sp z o o"),
        ("Group", "group"),
    ],
)
def test_a_company_is_known_without_its_legal_form(text: str, expected: str) -> None:
    assert company_name(text) == expected


def test_swapped_parts_of_a_name_meet() -> None:
    assert person_name("Dr. Smith, Ann") == person_name("ann SMITH")


def test_an_exact_key_needs_all_its_fields() -> None:
    assert "exact" not in values(COMPANY, {"name": "Example"})
    assert values(COMPANY, {"name": "Example", "vat": "GB 1"})["exact"] == "example · gb 1"


def test_a_key_fits_an_index_row_whatever_the_value() -> None:
    (key,) = keys_of(COMPANY, {"name": "word " * 5000})

    assert len(key.value) <= 200


@given(st.sampled_from([44, 49, 1, 33, 39, 7, 48, 61]), st.integers(10**6, 10**11), st.booleans())
def test_numbers_with_their_country_are_read_as_the_library_reads_them(
    country: int, national: int, trunk: bool
) -> None:
    written = f"+{country} {'0' if trunk else ''}{national}"
    try:
        parsed = phonenumbers.parse(written, None)
    except phonenumbers.NumberParseException:
        parsed = None
    possible = parsed is not None and phonenumbers.is_possible_number(parsed)

    number = e164(written)

    expected = (
        phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        if possible and parsed
        else None
    )
    assert number == expected


@pytest.mark.parametrize(
    ("other", "low", "high"),
    [
        ({**ANN}, SURE, 1.0),
        ({"first_name": "Anne", "last_name": "Smith", "email": "ann@example.com"}, SURE, 1.0),
        ({"first_name": "Ann", "last_name": "Smith"}, GREY, SURE),
        ({"first_name": "Bob", "last_name": "Jones", "email": "ann@example.com"}, GREY, SURE),
        (
            {
                "first_name": "Ann",
                "last_name": "Smith",
                "email": "a@b.com",
                "phone": "+33 1 42 68 53 00",
            },
            0.0,
            GREY,
        ),
        ({"first_name": "Bob", "last_name": "Jones", "email": "bob@b.com"}, 0.0, 0.01),
        ({}, 0.0, 0.1),
    ],
    ids=[
        "all",
        "mail and nearly the name",
        "name alone",
        "shared mailbox",
        "namesake",
        "stranger",
        "nothing",
    ],
)
def test_likeness_separates_sure_from_grey_from_other(
    other: dict[str, Json], low: float, high: float
) -> None:
    like = likeness(CONTACT, ANN, other)

    assert low <= like.score <= high


@given(
    st.dictionaries(st.sampled_from([*sorted(ANN), "city"]), st.text(max_size=12)),
    st.dictionaries(st.sampled_from([*sorted(ANN), "city"]), st.text(max_size=12)),
)
def test_likeness_is_symmetric_and_bounded(a: dict[str, Json], b: dict[str, Json]) -> None:
    one, other = likeness(CONTACT, a, b), likeness(CONTACT, b, a)

    assert one.score == pytest.approx(other.score)
    assert 0.0 <= one.score <= 1.0


def test_reasons_say_what_weighed_most_first() -> None:
    like = likeness(CONTACT, {**ANN, "city": "Bath"}, {**ANN, "city": "Bath"})

    assert like.reasons[0][0] == "email"
    assert like.reasons[-1] == ("city", 0.6, "Same city.")


@given(st.lists(st.text(max_size=8), max_size=3))
def test_a_name_in_parts_is_the_name_in_full(parts: list[str]) -> None:
    assert person_name(*parts) == person_name(" ".join(parts))
