"""A schedule as its form holds it, and as a draft for the service."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import available_timezones

from crm_admin.blueprints.formats import zone
from crm_admin.blueprints.forms import text
from crm_admin.clock import now
from crm_admin.errors import BadInput
from crm_admin.services.queries.schedules import Line
from crm_admin.services.recurring import JOBS
from crm_admin.services.schedule_edits import Draft

UNITS: Final = (("minutes", 60), ("hours", 3600), ("days", 86_400))
FIELDS: Final = (
    "name",
    "job",
    "connection",
    "how",
    "every",
    "unit",
    "cron",
    "zone",
    "overlap",
    "catch_up",
    "stage",
    "quiet_from",
    "quiet_until",
    "late_minutes",
    "owner",
)
WHOLE: Final = 6
"""Digits a number may have: longer ones are slips of the finger."""


def typed() -> dict[str, str]:
    """Return the form's fields as they were typed."""
    return {name: text(name, longest=200) for name in FIELDS}


def blank(zone_name: str) -> dict[str, str]:
    """Return the fields of a new schedule's form."""
    return {
        **dict.fromkeys(FIELDS, ""),
        "job": "delta-sync",
        "how": "interval",
        "every": "30",
        "unit": "minutes",
        "cron": "",
        "zone": zone_name,
        "overlap": "skip",
        "catch_up": "once",
        "stage": "apply",
    }


def filled(line: Line) -> dict[str, str]:
    """Return a schedule as its form shows it."""
    seconds = line.when.every_seconds or 1800
    unit, size = next(
        (one for one in reversed(UNITS) if seconds % one[1] == 0), ("minutes", UNITS[0][1])
    )
    return {
        "name": line.name,
        "job": line.job,
        "connection": str(line.connection_id or ""),
        "how": "cron" if line.when.cron else "interval",
        "every": str(max(1, seconds // size)),
        "unit": unit,
        "cron": line.when.cron or "",
        "zone": line.when.zone,
        "overlap": line.overlap,
        "catch_up": line.catch_up,
        "stage": "ask" if line.staged else "apply",
        "quiet_from": str(line.quiet.get("from") or ""),
        "quiet_until": str(line.quiet.get("until") or ""),
        "late_minutes": str(line.late_minutes or ""),
        "owner": str(line.owner_id or ""),
    }


def draft_of(values: Mapping[str, str], line: Line | None = None) -> Draft:
    """Return what the form asks for; a schedule that is there keeps its job and connection."""
    is_cron = values["how"] == "cron"
    return Draft(
        name=values["name"],
        job=line.job if line else values["job"],
        connection_id=line.connection_id if line else _id(values["connection"]),
        every_seconds=None if is_cron else seconds_of(values["every"], values["unit"]),
        cron=(values["cron"] or "-") if is_cron else None,
        zone=values["zone"],
        overlap=values["overlap"],
        catch_up=values["catch_up"],
        staged=values["stage"] == "ask",
        quiet_from=values["quiet_from"],
        quiet_until=values["quiet_until"],
        late_minutes=_late(values["late_minutes"]),
        owner_id=_id(values["owner"]),
    )


def seconds_of(every: str, unit: str) -> int:
    """Return an interval in seconds, 0 where no number was typed."""
    return (_number(every) or 0) * dict(UNITS).get(unit, 60)


def _late(value: str) -> int | None:
    if not value:
        return None
    number = _number(value)
    return 0 if number is None else number


def _number(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= WHOLE else None


def _id(value: str) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


def until() -> datetime | None:
    """Return until when to pause: a local time, or a number of hours; BadInput when neither."""
    hours, moment = text("hours"), text("until")
    if hours:
        return now() + timedelta(hours=_number(hours) or 0)
    if not moment:
        return None
    try:
        local = datetime.fromisoformat(moment)
    except ValueError:
        raise BadInput("until", "Enter a time like 2026-12-18T14:00.") from None
    return local if local.tzinfo else local.replace(tzinfo=zone())


def zones(now_chosen: str) -> list[tuple[str, str]]:
    """Return the zones to choose from; the present one stays choosable whatever it is."""
    names = {name for name in available_timezones() if "/" in name and not name.startswith("Etc/")}
    return [(name, name) for name in dict.fromkeys([now_chosen, "UTC", *sorted(names)]) if name]


def jobs() -> list[tuple[str, str]]:
    """Return what a schedule can do."""
    return [(job.job, job.name) for job in JOBS.values()]
