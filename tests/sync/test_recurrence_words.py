"""Recurrences as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_admin.sync import recurrence
from crm_admin.sync.recurrence import BadRecurrence, Recurrence
from crm_admin.sync.recurrence_words import describe


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (60, "Every minute"),
        (900, "Every 15 minutes"),
        (3600, "Every hour"),
        (5400, "Every 90 minutes"),
        (86_400, "Every day"),
        (7 * 86_400, "Every week"),
        (14 * 86_400, "Every 2 weeks"),
    ],
)
def test_an_interval_is_said_in_its_largest_unit(seconds: int, words: str) -> None:
    assert describe(Recurrence(seconds, None, "UTC")) == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("* * * * *", "Every minute"),
        ("*/15 * * * 1-5", "Every 15 minutes, weekdays"),
        ("*/10 8-18 * * mon-fri", "Every 10 minutes from 08:00 to 18:59, weekdays"),
        ("0 * * * *", "Every hour at 00 past"),
        ("5 */2 * * *", "Every 2 hours at 05 past"),
        ("30 6 * * *", "At 06:30"),
        ("0 6,18 * * 0,6", "At 06:00 and 18:00, at weekends"),
        ("0 3 1 * *", "At 03:00, on day 1 of the month"),
        ("0 3 */2 jan,jul *", "At 03:00, on every 2nd day of the month, in January and July"),
        ("0 3 1 * mon", "At 03:00, on day 1 of the month and also on Monday"),
        ("15 7 * * 7", "At 07:15, on Sunday"),
        ("0,30 9-17 * * *", "At 00 and 30 past, from 09:00 to 17:59"),
    ],
)
def test_a_line_is_said_in_words(line: str, words: str) -> None:
    assert describe(recurrence.check(Recurrence(None, line, "UTC"))) == words


PART = st.sampled_from(["*", "*/2", "1", "1-5", "1,3", "2-6/2", "3/2"])


@given(PART, PART, PART, PART, PART)
def test_whatever_is_accepted_has_words(a: str, b: str, c: str, d: str, e: str) -> None:
    try:
        checked = recurrence.check(Recurrence(None, f"{a} {b} {c} {d} {e}", "UTC"))
    except BadRecurrence:
        return

    assert describe(checked)
