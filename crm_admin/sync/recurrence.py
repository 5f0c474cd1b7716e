"""When recurring work is due: intervals, cron lines in a zone, quiet hours, missed ticks; all of it
from values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

MISSED_AFTER = timedelta(minutes=10)
SHORTEST_SECONDS = 60
WORDS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat"
LINE = re.compile(rf"(?:(?:[0-9*,/-]|{WORDS})+ ){{4}}(?:[0-9*,/-]|{WORDS})+")


class BadRecurrence(ValueError):
    """A sentence about a time, zone or cron line that cannot be used."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Every so many seconds, or at the times of a cron line in a zone."""

    every_seconds: int | None
    cron: str | None
    zone: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """The part of a day, in a zone, in which nothing starts by itself; it may cross midnight."""

    start: time
    end: time
    zone: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A coming time; `shifted` says that the clocks change between it and the one before."""

    at: datetime
    shifted: bool


def zone_of(name: str) -> ZoneInfo:
    """Return a zone by its name; BadRecurrence when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRecurrence("Choose a time zone by its name, like Europe/Paris.") from None


def check(recurrence: Recurrence) -> Recurrence:
    """Return the recurrence as it is stored; BadRecurrence says what to write instead."""
    zone_of(recurrence.zone)
    if recurrence.cron is None:
        seconds = recurrence.every_seconds or 0
        if seconds < SHORTEST_SECONDS:
            raise BadRecurrence("Enter 1 minute or more.")
        return recurrence
    line = " ".join(recurrence.cron.split())
    if not LINE.fullmatch(line.lower()) or not croniter.is_valid(line):
        raise BadRecurrence(
            "Write five parts: minute, hour, day, month, weekday, like 30 6 * * 1-5."
        )
    checked = Recurrence(None, line, recurrence.zone)
    if next_after(checked, datetime(2026, 1, 1, tzinfo=UTC)) is None:
        raise BadRecurrence("This line names a day that never comes. Choose another day or month.")
    return checked


def next_after(recurrence: Recurrence, moment: datetime) -> datetime | None:
    """Return the first time after `moment`, in UTC; None when a cron line names a day that never
    comes.

    A line with a fixed hour happens once in the night when the clocks go back.
    """
    if recurrence.cron is None:
        return moment + timedelta(seconds=recurrence.every_seconds or SHORTEST_SECONDS)
    zone = zone_of(recurrence.zone)
    lines = croniter(recurrence.cron, moment.astimezone(zone))
    is_fixed = "*" not in recurrence.cron.split()[1]
    try:
        found = _utc(lines.get_next(datetime))
        while is_fixed and found.astimezone(zone).fold:
            found = _utc(lines.get_next(datetime))
    except ValueError:
        return None
    return found


def coming(recurrence: Recurrence, moment: datetime, amount: int = 5) -> tuple[Occurrence, ...]:
    """Return the next times, each with whether the zone's clocks change before it."""
    zone = zone_of(recurrence.zone)
    found: list[Occurrence] = []
    at = moment
    for _ in range(amount):
        following = next_after(recurrence, at)
        if following is None:
            break
        shifted = at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset()
        found.append(Occurrence(following, shifted))
        at = following
    return tuple(found)


def after_claim(recurrence: Recurrence, due: datetime, now: datetime) -> datetime:
    """Return the tick after one that is taken now: in the future, whatever was missed before."""
    if recurrence.cron is None:
        step = timedelta(seconds=recurrence.every_seconds or SHORTEST_SECONDS)
        return max(due, now) + step
    return next_after(recurrence, now) or now + timedelta(days=1)


def is_missed(due: datetime, now: datetime) -> bool:
    """Say whether a tick is so late that a schedule without catch-up leaves it out."""
    return now - due > MISSED_AFTER


def quiet_of(stored: object, zone: str = "UTC") -> Quiet | None:
    """Return stored quiet hours {"from", "until", "zone"}; None when there are none that can be
    read.
    """
    if not isinstance(stored, Mapping):
        return None
    try:
        start = time.fromisoformat(str(stored.get("from") or ""))
        end = time.fromisoformat(str(stored.get("until") or ""))
        name = str(stored.get("zone") or zone)
        zone_of(name)
    except ValueError:
        return None
    return None if start == end else Quiet(start, end, name)


def quiet_until(quiet: Quiet | None, moment: datetime) -> datetime | None:
    """Return when the quiet hours end that `moment` falls into, in UTC; None when it falls into
    none.
    """
    if quiet is None:
        return None
    local = moment.astimezone(zone_of(quiet.zone))
    crosses = quiet.end < quiet.start
    clock = local.time().replace(tzinfo=None)
    inside = (
        (clock >= quiet.start or clock < quiet.end)
        if crosses
        else (quiet.start <= clock < quiet.end)
    )
    if not inside:
        return None
    last_day = local.date() + timedelta(days=1 if crosses and clock >= quiet.start else 0)
    return _utc(datetime.combine(last_day, quiet.end, tzinfo=local.tzinfo))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
