"""Steps on dates and times: written patterns and milliseconds since 1970."""

import re
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_admin.jsontypes import Json
from crm_admin.mapping.transformers.shape import Params, Transformer, as_text, text_param
from crm_admin.records import moments
from crm_admin.records.numbers import integer

PARTS: Final = {
    "YYYY": r"(?P<year>\d{4})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "hh": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
}
MARK: Final = re.compile("|".join(PARTS))
FORMATS: Final = {"YYYY": "04", "MM": "02", "DD": "02", "hh": "02", "mm": "02", "ss": "02"}
NAMES: Final = {
    "YYYY": "year",
    "MM": "month",
    "DD": "day",
    "hh": "hour",
    "mm": "minute",
    "ss": "second",
}


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of that name; ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"There is no time zone {name[:60]}.") from error


def date_format(params: Params) -> Transformer:
    """Their text in the pattern becomes a date, or a time in UTC when the pattern has hours; and
    back.

    A time is read and written in `zone` (UTC when none is given).
    """
    pattern = text_param(params, "pattern")
    zone = zone_of(text_param(params, "zone", "UTC"))
    marks = MARK.findall(pattern)
    if len(set(marks)) != len(marks) or not {"YYYY", "MM", "DD"} <= set(marks):
        raise ValueError("The pattern needs YYYY, MM and DD, each once.")
    timed = "hh" in marks
    reader = _reader(pattern)

    def read(value: Json) -> Json:
        match = reader.fullmatch(as_text(value).strip())
        if match is None:
            raise ValueError(f"“{as_text(value)[:40]}” is not written like {pattern}.")
        parts = {name: int(text) for name, text in match.groupdict().items()}
        try:
            if not timed:
                return date(parts["year"], parts["month"], parts["day"]).isoformat()
            return moments.in_utc(datetime(**parts, tzinfo=zone))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"There is no moment {as_text(value)[:40]}.") from error

    def write(value: Json) -> Json:
        moment = _moment(as_text(value))
        local = moment.astimezone(zone) if timed else moment
        return MARK.sub(
            lambda mark: f"{getattr(local, NAMES[mark[0]]):{FORMATS[mark[0]]}}", pattern
        )

    return Transformer(read, write, lossy=timed and "ss" not in marks, typed=True)


def _reader(pattern: str) -> re.Pattern[str]:
    pieces = []
    place = 0
    for mark in MARK.finditer(pattern):
        pieces += [re.escape(pattern[place : mark.start()]), PARTS[mark[0]]]
        place = mark.end()
    return re.compile("".join(pieces) + re.escape(pattern[place:]), re.ASCII)


def _moment(text: str) -> datetime:
    if moments.DATE.fullmatch(text):
        return datetime.fromisoformat(moments.day(text)).replace(tzinfo=UTC)
    return datetime.fromisoformat(moments.instant(text))


def epoch_ms(params: Params) -> Transformer:
    """Their milliseconds become a time in UTC, or a date when `date` is true; and back."""
    dated = params.get("date", False) is True

    def read(value: Json) -> Json:
        text = moments.from_epoch_ms(integer(value))
        return text[:10] if dated else text

    def write(value: Json) -> Json:
        return str(moments.epoch_ms(moments.in_utc(_moment(as_text(value)))))

    return Transformer(read, write, lossy=dated, typed=True)
