"""Dates and times in one normal form: a plain date, or an instant in UTC with milliseconds."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NORMAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def day(text: str) -> str:
    """Return a date written as year-month-day; ValueError when there is no such day."""
    stripped = text.strip()
    if not DATE.fullmatch(stripped):
        raise ValueError(f"“{text[:40]}” is not a date like 2026-11-20.")
    try:
        date.fromisoformat(stripped)
    except ValueError as error:
        raise ValueError(f"There is no day {stripped}.") from error
    return stripped


def instant(text: str, zone: tzinfo | None = None) -> str:
    """Return an instant in UTC with milliseconds; `zone` is used for a text that names none.

    ValueError when the text is no time, or names no zone and none was given.
    """
    if NORMAL.fullmatch(text):
        _checked(text[:23])
        return text
    match = INSTANT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"“{text[:40]}” is not a time like 2026-11-20T14:20:00Z.")
    day_text, minutes, seconds, fraction, offset = match.groups()
    moment = _checked(
        f"{day_text}T{minutes}{seconds or ':00'}.{(fraction or '0').ljust(3, '0')[:3]}"
    )
    if offset is None:
        if zone is None:
            raise ValueError(f"“{text[:40]}” does not say in which time zone it is.")
        return in_utc(moment.replace(tzinfo=zone))
    return in_utc((moment - _offset(offset)).replace(tzinfo=UTC))


def _checked(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"There is no moment {text}.") from error


def _offset(text: str) -> timedelta:
    if text in {"Z", "z"}:
        return timedelta(0)
    digits = text[1:].replace(":", "").ljust(4, "0")
    distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -distance if text[0] == "-" else distance


def in_utc(moment: datetime) -> str:
    """Return an aware moment in the normal form."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_epoch_ms(milliseconds: int) -> str:
    """Return the instant that many milliseconds after 1970; ValueError when the calendar ends
    before.
    """
    try:
        return in_utc(EPOCH + timedelta(milliseconds=milliseconds))
    except OverflowError as error:
        raise ValueError(f"{milliseconds} is outside the calendar.") from error


def epoch_ms(normal: str) -> int:
    """Return an instant in the normal form as milliseconds since 1970."""
    return (datetime.fromisoformat(normal) - EPOCH) // timedelta(milliseconds=1)
