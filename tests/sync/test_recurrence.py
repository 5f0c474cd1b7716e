"""When recurring work is due, by tables of cases."""

from datetime import UTC, datetime, timedelta

import pytest

from crm_admin.sync import recurrence
from crm_admin.sync.recurrence import BadRecurrence, Recurrence

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PARIS = "Europe/Paris"


def cron(line: str, zone: str = "UTC") -> Recurrence:
    return recurrence.check(Recurrence(None, line, zone))


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("*/15 * * * *", "2026-11-20T12:15"),
        ("0 9 * * mon-fri", "2026-11-23T09:00"),
        ("30 6 1 * *", "2026-12-01T06:30"),
        ("  0   0 29  2 * ", "2028-02-29T00:00"),
    ],
)
def test_a_line_names_its_next_time(line: str, first: str) -> None:
    found = recurrence.next_after(cron(line), NOON)

    assert found == datetime.fromisoformat(first).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    ["", "* * * *", "@daily", "61 * * * *", "0 0 1 1 * *", "R R * * *", "0 0 30 2 *", "a" * 9],
)
def test_a_line_that_cannot_be_used_is_refused_with_a_sentence(line: str) -> None:
    with pytest.raises(BadRecurrence, match=r"five parts|never comes"):
        cron(line)


def test_a_fixed_hour_happens_once_in_the_night_the_clocks_go_back() -> None:
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)

    times = recurrence.coming(cron("30 2 * * *", PARIS), before, 3)

    assert [one.at.isoformat() for one in times] == [
        "2026-10-25T00:30:00+00:00",
        "2026-10-26T01:30:00+00:00",
        "2026-10-27T01:30:00+00:00",
    ]
    assert [one.shifted for one in times] == [False, True, False]


def test_a_fixed_hour_that_the_clocks_leap_over_happens_right_after() -> None:
    before = datetime(2027, 3, 27, 12, tzinfo=UTC)

    times = recurrence.coming(cron("30 2 * * *", PARIS), before, 2)

    assert [one.at.isoformat() for one in times] == [
        "2027-03-28T01:00:00+00:00",
        "2027-03-29T00:30:00+00:00",
    ]


def test_the_tick_after_a_claim_lies_ahead_however_many_were_missed() -> None:
    every = Recurrence(900, None, "UTC")
    late = NOON - timedelta(days=3)

    assert recurrence.after_claim(every, late, NOON) == NOON + timedelta(minutes=15)
    assert recurrence.after_claim(cron("0 9 * * *"), late, NOON) == NOON + timedelta(hours=21)
    assert recurrence.is_missed(late, NOON)
    assert not recurrence.is_missed(NOON - timedelta(minutes=2), NOON)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-20T20:59", None),
        ("2026-11-20T21:00", "2026-11-21T05:00"),
        ("2026-11-21T02:00", "2026-11-21T05:00"),
        ("2026-11-21T05:00", None),
    ],
)
def test_quiet_hours_may_cross_midnight(at: str, until: str | None) -> None:
    quiet = recurrence.quiet_of({"from": "22:00", "until": "06:00", "zone": PARIS})

    found = recurrence.quiet_until(quiet, datetime.fromisoformat(at).replace(tzinfo=UTC))

    assert found == (datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None)


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        [],
        {},
        {"from": "25:00", "until": "06:00"},
        {"from": "6", "until": None},
        {"from": "06:00", "until": "06:00"},
        {"from": "06:00", "until": "07:00", "zone": "Mars/X"},
    ],
)
def test_quiet_hours_that_cannot_be_read_are_none(stored: object) -> None:
    assert recurrence.quiet_of(stored) is None
