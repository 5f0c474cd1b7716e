"""Numbers are read without the library wherever its rules leave no doubt, with the same answers."""

import phonenumbers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm_admin.records.phones import e164

DIGITS = "0123456789"
MARKS = st.sampled_from(["", " ", "-", " / ", "(0)", ".", ") "])
REGIONS = st.sampled_from(
    ["GB", "JP", "US", "CA", "AR", "BR", "MX", "AU", "IT", "RU", "DE", "FR", "PL", "PT", "IN"]
)
CODES = st.sampled_from([1, 7, 33, 39, 44, 48, 49, 52, 54, 55, 61, 81, 91, 351, 971, 999])


def as_the_library(number: str, region: str | None) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@settings(max_examples=400, deadline=None)
@given(
    CODES,
    st.sampled_from(["", "0", "8", "1", "9", "15"]),
    st.text(DIGITS, min_size=3, max_size=12),
    MARKS,
    st.integers(1, 8),
    st.one_of(st.none(), REGIONS),
    st.sampled_from(["", " ext. 42", "ext7"]),
)
@example(44, "", "761182954", "", 1, None, "")
@example(81, "0", "331234567", " / ", 3, "JP", " ext. 42")
def test_numbers_in_full(
    code: int, trunk: str, national: str, mark: str, place: int, region: str | None, more: str
) -> None:
    digits = f"{code}{trunk}{national}"
    written = f"+{digits[:place]}{mark}{digits[place:]}{more}"

    assert e164(written, region) == as_the_library(written, region)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["0", "1", "8", "15", "9", "18002", ""]),
    st.text(DIGITS, min_size=3, max_size=11).filter(lambda text: text[0] != "0"),
    MARKS,
    st.integers(1, 8),
    REGIONS,
)
@example("0", "990027681", "-", 4, "GB")
@example("0", "109325260", " ", 3, "JP")
def test_numbers_as_dialled_within_a_country(
    prefix: str, national: str, mark: str, place: int, region: str
) -> None:
    digits = prefix + national
    written = digits[:place] + mark + digits[place:]

    assert e164(written, region) == as_the_library(written, region)


def test_two_zeros_without_a_country_lead_abroad_or_nowhere() -> None:
    assert e164("0044 20 7946 0958") == "+442079460958"
    assert e164("0099 9 12345678 ext. 3") is None
