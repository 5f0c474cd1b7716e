"""How values, numbers and times read, and that hostile ones stay text."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, g

from crm_admin.blueprints import formats
from crm_admin.records.kinds import Field, FieldType, Option

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def berlin(clock: object) -> Iterator[None]:
    with Flask("formats").app_context():
        g.zone = "Europe/Berlin"
        yield


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=40), "40 seconds ago"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=8), "12 Nov 2026"),
        (timedelta(minutes=-15), "in 15 minutes"),
    ],
)
def test_a_moment_is_told_from_now_within_a_week(
    berlin: None, given: timedelta, words: str
) -> None:
    found = formats.when(NOON - given)

    assert f">{words}</time>" in found


def test_a_moment_carries_its_full_time_in_the_persons_zone(berlin: None) -> None:
    found = formats.when(NOON, "time")

    assert found == (
        '<time datetime="2026-11-20T13:00:00+01:00" title="Fri 20 Nov 2026, 13:00:00 (CET)">'
        "13:00</time>"
    )


def test_no_moment_is_never(berlin: None) -> None:
    assert formats.when(None) == '<span class="gone">never</span>'


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (0, "0"),
        (12400, "12\u202f400"),
        ("1284000.50", "1\u202f284\u202f000.50"),
        ("NaN", "NaN"),
        ("1e400", "1e400"),
        ("twelve", "twelve"),
        (None, ""),
    ],
)
def test_numbers_are_grouped_and_everything_else_is_left_alone(given: object, words: str) -> None:
    assert formats.number(given) == words  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "field_type", "words"),
    [
        ({"amount": "12400", "currency": "EUR"}, FieldType.MONEY, "€\u202f12\u202f400"),
        ({"amount": "5", "currency": "<b>"}, FieldType.MONEY, "<b>\u202f5"),
        ("2026-12-18", FieldType.DATE, "18 Dec 2026"),
        ("soon", FieldType.DATE, "soon"),
        ("2026-12-18T23:30:00.000Z", FieldType.DATETIME, "19 Dec 2026, 00:30"),
        ("won", FieldType.ENUM, "Closed won"),
        ("unknown", FieldType.ENUM, "unknown"),
        (["won", "x"], FieldType.MULTI_ENUM, "Closed won, x"),
        (True, FieldType.BOOLEAN, "yes"),
        ("x" * 400, FieldType.TEXT, "x" * 300 + "…"),
        ("", FieldType.STRING, ""),
        (None, FieldType.STRING, ""),
    ],
)
def test_a_value_reads_by_the_type_of_its_field(
    berlin: None, value: object, field_type: FieldType, words: str
) -> None:
    field = Field("f", "F", field_type, options=(Option("won", "Closed won"),))

    assert formats.plain(value, field) == words  # type: ignore[arg-type]


@pytest.mark.parametrize("show", [formats.shown, formats.wire])
def test_a_shown_value_is_escaped(show: object) -> None:
    found = show("<script>alert(1)</script>")  # type: ignore[operator]

    assert "<script>" not in found
    assert "&lt;script&gt;" in found


@pytest.mark.parametrize("show", [formats.shown, formats.wire])
@pytest.mark.parametrize("blank", [None, "", []])
def test_a_blank_value_says_that_it_is_empty(show: object, blank: object) -> None:
    assert "empty" in show(blank)  # type: ignore[operator]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "", None, " https://x"]
)
def test_only_web_addresses_become_links(address: str | None) -> None:
    assert formats.safe_url(address) == ""


@pytest.mark.parametrize(
    ("label", "word"), [("Contacts", "contacts"), ("POVs", "POVs"), ("x", "x"), ("", "")]
)
def test_a_label_inside_a_sentence_is_a_plain_word(label: str, word: str) -> None:
    assert formats.noun(label) == word


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, ""), (9, "9 s"), (125, "2 min 5 s"), (11_040, "3 h 4 min")]
)
def test_durations_read_in_two_parts_at_most(seconds: float | None, words: str) -> None:
    assert formats.duration(seconds) == words
