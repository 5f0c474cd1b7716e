"""Recurrences in plain words, so that nobody has to read a cron line to know when work happens."""

from collections.abc import Sequence
from typing import Final

from crm_admin.sync.recurrence import Recurrence

DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
UNITS: Final = (
    (7 * 86_400, "week"),
    (86_400, "day"),
    (3600, "hour"),
    (60, "minute"),
    (1, "second"),
)
MOST_TIMES: Final = 6


def describe(recurrence: Recurrence) -> str:
    """Return when a checked recurrence happens, in words without its zone."""
    if recurrence.cron is None:
        return _every(recurrence.every_seconds or 0)
    minute, hour, day, month, weekday = recurrence.cron.lower().split()
    words = [_times(minute, hour), _days(day, weekday), _months(month)]
    return ", ".join(word for word in words if word)


def _every(seconds: int) -> str:
    size, unit = next((one for one in UNITS if seconds and seconds % one[0] == 0), UNITS[-1])
    return _each(seconds // size, unit)


def _each(amount: int, unit: str) -> str:
    return f"Every {unit}" if amount == 1 else f"Every {amount} {unit}s"


def _times(minute: str, hour: str) -> str:
    at_minutes, at_hours = _numbers(minute, 59), _numbers(hour, 23)
    if minute == "*" or minute.startswith("*/"):
        often = _each(int(minute[2:] or 1) if minute != "*" else 1, "minute")
        return often if hour == "*" else f"{often} {_hours(hour, at_hours)}"
    past = _listed([f"{one:02d}" for one in at_minutes])
    if hour == "*":
        return f"Every hour at {past} past"
    if hour.startswith("*/"):
        return f"{_each(int(hour[2:]), 'hour')} at {past} past"
    times = [f"{at:02d}:{past_:02d}" for at in at_hours for past_ in at_minutes]
    if len(times) <= MOST_TIMES:
        return f"At {_listed(times)}"
    return f"At {past} past, {_hours(hour, at_hours)}"


def _hours(hour: str, at_hours: Sequence[int]) -> str:
    if hour.startswith("*/"):
        return f"in every {_ordinal(int(hour[2:]))} hour"
    if len(at_hours) > 1 and list(at_hours) == list(range(at_hours[0], at_hours[-1] + 1)):
        return f"from {at_hours[0]:02d}:00 to {at_hours[-1]:02d}:59"
    return f"in the hours {_listed([f'{one:02d}' for one in at_hours])}"


def _days(day: str, weekday: str) -> str:
    by_week = "" if weekday == "*" else _weekdays(weekday)
    by_month = "" if day == "*" else _month_days(day)
    if by_week and by_month:
        return f"{by_month} and also {by_week}"
    return by_week or by_month


def _weekdays(weekday: str) -> str:
    days = sorted({one % 7 for one in _numbers(weekday, 7, [name[:3].lower() for name in DAYS])})
    if days == [1, 2, 3, 4, 5]:
        return "weekdays"
    if days == [0, 6]:
        return "at weekends"
    if len(days) == len(DAYS):
        return ""
    ordered = sorted(days, key=lambda one: one or 7)
    return f"on {_listed([DAYS[one] for one in ordered])}"


def _month_days(day: str) -> str:
    if day.startswith("*/"):
        return f"on every {_ordinal(int(day[2:]))} day of the month"
    days = [str(one) for one in _numbers(day, 31)]
    return f"on day {_listed(days)} of the month"


def _months(month: str) -> str:
    if month == "*":
        return ""
    names = [name[:3].lower() for name in MONTHS]
    found = _numbers(month, 12, ["", *names])
    return f"in {_listed([MONTHS[one - 1] for one in found if 1 <= one <= len(MONTHS)])}"


def _numbers(part: str, last: int, names: Sequence[str] = ()) -> list[int]:
    """The numbers a part of a line names; a star is every one of them."""
    found: set[int] = set()
    for piece in part.split(","):
        span, _, step = piece.partition("/")
        first, _, until = span.partition("-")
        start = 0 if first == "*" else _number(first, names)
        end = last if first == "*" or (step and not until) else _number(until or first, names)
        found.update(range(start, end + 1, int(step or 1)))
    return sorted(found)


def _number(text: str, names: Sequence[str]) -> int:
    return names.index(text) if text in names else int(text)


def _listed(words: Sequence[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def _ordinal(number: int) -> str:
    tail = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 20 else tail}"
