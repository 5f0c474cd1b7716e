"""How pages look for one person, and where they are signed in: what their profile shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from crm_admin.services.access import Person
from crm_admin.services.queries.sql import first

LOOK = """
SELECT u.zone, u.theme, u.density, o.zone AS usual_zone
  FROM app_user u, organization o WHERE u.id = :me AND o.id = :organization
"""

KEYS = "SELECT value FROM preference WHERE user_id = :me AND name = 'keys'"

AREAS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


@dataclass(frozen=True, slots=True)
class Look:
    """`zone` is "" where the person follows the organisation's, which is `usual_zone`."""

    zone: str
    usual_zone: str
    theme: str
    density: str
    keys: bool


def look(person: Person) -> Look:
    """Return what the person chose, and what holds where they chose nothing."""
    row = first(LOOK, me=person.user_id, organization=person.organization_id) or {}
    return Look(
        zone=row.get("zone") or "",
        usual_zone=row.get("usual_zone") or "UTC",
        theme=row.get("theme") or "system",
        density=row.get("density") or "compact",
        keys=keys_on(person),
    )


def keys_on(person: Person) -> bool:
    """Say whether single keys work for this person; they do until they are turned off."""
    row = first(KEYS, me=person.user_id)
    return row is None or row["value"] is not False


@cache
def zones() -> Sequence[str]:
    """Return the time zones people choose from, by name."""
    named = {name for name in available_timezones() if name.partition("/")[0] in AREAS}
    return ("UTC", *sorted(named))
