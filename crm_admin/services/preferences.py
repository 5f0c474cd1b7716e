"""What a person chose for themselves: what they follow, how pages look, which keys work."""

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_admin.errors import BadInput
from crm_admin.jsontypes import Json
from crm_admin.services import audit, record_scope
from crm_admin.services.access import Person
from crm_admin.services.sql import Cursor, dumps, transaction

THEMES: Final = ("system", "light", "dark")
DENSITIES: Final = ("compact", "comfortable")
KEYS: Final = "keys"
FOLLOW: Final = "follow:"

SET = """
INSERT INTO preference (organization_id, user_id, name, value, updated_at)
VALUES (%s, %s, %s, %s, now())
ON CONFLICT (organization_id, user_id, name) DO UPDATE
   SET value = excluded.value, updated_at = now()
"""


def follow(*, person: Person, record_id: UUID, on: bool) -> None:
    """Put a record on the person's list of followed ones, or take it off; twice is once."""
    with transaction() as cursor:
        record_scope.require_record(cursor, person, record_id)
        if on:
            put(cursor, person, f"{FOLLOW}{record_id}", value=True)
        else:
            drop(cursor, person, f"{FOLLOW}{record_id}")


def set_look(*, person: Person, zone: str, theme: str, density: str, keys: bool) -> None:
    """Keep how pages look for this person; an empty zone means the organisation's.

    BadInput names what is not on offer, and nothing is kept.
    """
    if zone and not _is_zone(zone):
        raise BadInput("zone", "Choose a time zone from the list, like Europe/Lisbon.")
    if theme not in THEMES:
        raise BadInput("theme", "Choose one of the listed looks.")
    if density not in DENSITIES:
        raise BadInput("density", "Choose one of the listed densities.")
    with transaction() as cursor:
        before = cursor.execute(
            "SELECT zone, theme, density FROM app_user WHERE id = %s FOR UPDATE", (person.user_id,)
        ).fetchone()
        cursor.execute(
            "UPDATE app_user SET zone = %s, theme = %s, density = %s WHERE id = %s",
            (zone or None, theme, density, person.user_id),
        )
        put(cursor, person, KEYS, value=keys)
        after = {"zone": zone or None, "theme": theme, "density": density, "keys": keys}
        audit.write(
            cursor, person, "profile.edit", "app_user", person.user_id, before=before, after=after
        )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def put(cursor: Cursor, person: Person, name: str, *, value: Json) -> None:
    """Keep a choice of the person in the caller's transaction."""
    cursor.execute(SET, (person.organization_id, person.user_id, name, dumps(value)))


def drop(cursor: Cursor, person: Person, name: str) -> None:
    """Forget a choice of the person in the caller's transaction."""
    cursor.execute(
        "DELETE FROM preference WHERE user_id = %s AND name = %s", (person.user_id, name)
    )
