"""Settings of a connection that are changed one by one: its name and address, limits, quiet hours,
and the end of its set-up.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from psycopg.errors import UniqueViolation

from crm_admin.errors import BadInput, CrmAdminError, Stale
from crm_admin.jsontypes import Json
from crm_admin.services import audit, remote
from crm_admin.services.access import Person
from crm_admin.services.connections import ENVIRONMENTS
from crm_admin.services.connections_check import other_account
from crm_admin.services.connections_rows import locked, read, require_name, require_quiet
from crm_admin.services.sql import Cursor, Row, dumps, transaction

TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
MOST_DESTROYED = 100_000
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class NewLimits:
    """What one run may change before a person looks, and how much the CRM is asked; shares are
    percents. None leaves a limit to the CRM's own.
    """

    deletes_percent: int
    deletes_floor: int
    deletes_most: int
    creates_percent: int
    creates_floor: int
    batch: int | None = None
    calls_per_10_seconds: int | None = None
    daily_calls: int | None = None

    @property
    def is_off(self) -> bool:
        """Say whether these would let a run destroy or create without any limit."""
        return (
            self.deletes_percent >= 100
            or self.creates_percent >= 100
            or self.deletes_floor >= MOST_DESTROYED
            or self.creates_floor >= MOST_DESTROYED
        )


RANGES: Mapping[str, tuple[int, int]] = {
    "deletes_percent": (0, 100),
    "deletes_floor": (0, MOST_DESTROYED),
    "deletes_most": (0, MOST_DESTROYED),
    "creates_percent": (0, 100),
    "creates_floor": (0, MOST_DESTROYED),
    "batch": (1, 100),
    "calls_per_10_seconds": (1, 1_000),
    "daily_calls": (100, 10_000_000),
}


def check_limit(name: str, text: str, *, optional: bool) -> int | None:
    """Return a limit as a number; BadInput says what to type."""
    least, most = RANGES[name]
    plain = re.sub(r"[\s\u2009\u202f]", "", text)
    if not plain and optional:
        return None
    if not plain.isascii() or not plain.isdigit() or not least <= int(plain) <= most:
        raise BadInput(name, f"Enter a whole number from {least} to {most:,}.")
    return int(plain)


def set_limits(*, person: Person, connection_id: UUID, limits: NewLimits, typed: str = "") -> None:
    """Make these the connection's limits from the next slice of work on. Switching the guard off
    needs the connection's name.
    """
    stored: dict[str, Json] = {
        "deletes_share": limits.deletes_percent / 100,
        "deletes_floor": limits.deletes_floor,
        "deletes_most": limits.deletes_most,
        "creates_share": limits.creates_percent / 100,
        "creates_floor": limits.creates_floor,
    }
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        if limits.is_off:
            require_name(row, typed)
        former = row["limits"] or {}
        kept = {k: v for k, v in former.items() if k not in {"batch", "daily_calls", "calls"}}
        calls = {k: v for k, v in (former.get("calls") or {}).items() if k}
        if limits.calls_per_10_seconds:
            calls[""] = [limits.calls_per_10_seconds, 10]
        extra = {"batch": limits.batch, "daily_calls": limits.daily_calls, "calls": calls}
        new = {**kept, **stored, **{name: value for name, value in extra.items() if value}}
        cursor.execute(
            "UPDATE connection SET limits = %s, updated_at = now(), version = version + 1"
            " WHERE id = %s",
            (dumps(new), connection_id),
        )
        audit.write(
            cursor,
            person,
            "connection.limits",
            "connection",
            connection_id,
            before=former,
            after=asdict(limits),
        )


def set_daily_calls(*, person: Person, connection_id: UUID, calls: int | None) -> None:
    """Let runs and schedules make so many calls a day; None lifts the limit."""
    amount = None if calls is None else check_limit("daily_calls", str(calls), optional=False)
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        limits = {k: v for k, v in (row["limits"] or {}).items() if k != "daily_calls"}
        if amount:
            limits["daily_calls"] = amount
        cursor.execute(
            "UPDATE connection SET limits = %s, updated_at = now(), version = version + 1"
            " WHERE id = %s",
            (dumps(limits), connection_id),
        )
        audit.write(
            cursor,
            person,
            "connection.limits",
            "connection",
            connection_id,
            before={"daily_calls": (row["limits"] or {}).get("daily_calls")},
            after={"daily_calls": amount},
        )


@dataclass(frozen=True, slots=True)
class General:
    """Name, environment and address of a connection."""

    name: str
    environment: str
    endpoint: str


def check_name(cursor: Cursor, name: str, *, but: UUID | None = None) -> str:
    """Return a name that may be used; BadInput when it is empty, too long or taken."""
    plain = name.strip()
    if not plain:
        raise BadInput("name", "Give the connection a name, for example the CRM and the region.")
    if len(plain) > LONGEST_NAME:
        raise BadInput("name", f"Use at most {LONGEST_NAME} characters.")
    taken = cursor.execute(
        "SELECT id FROM connection WHERE name_key = %s", (plain.casefold(),)
    ).fetchone()
    if taken is not None and taken["id"] != but:
        raise BadInput(
            "name", f"There is already a connection called {plain}. Choose another name."
        )
    return plain


def check_free_name(name: str, *, but: UUID | None = None) -> str:
    """Return a name that may be used, looked up in a transaction of its own."""
    with transaction() as cursor:
        return check_name(cursor, name, but=but)


def change(
    *, person: Person, connection_id: UUID, general: General, seen_version: int | None = None
) -> bool:
    """Give a connection another name, environment or address, and say whether the address moved.

    A new address is kept only when the stored credentials reach the same account there.
    """
    endpoint = general.endpoint.strip()
    if general.environment not in ENVIRONMENTS:
        raise BadInput("environment", "Choose production, sandbox or simulator.")
    with transaction() as cursor:
        row = read(cursor, connection_id)
        moves = bool(endpoint) and endpoint.rstrip("/") != (row["endpoint"] or "").rstrip("/")
        if moves:
            require_quiet(cursor, connection_id)
    if moves:
        _try(row, endpoint)
    try:
        _store(person, connection_id, general, endpoint if moves else row["endpoint"], seen_version)
    except UniqueViolation as error:
        sentence = f"There is already a connection called {general.name}. Choose another name."
        raise BadInput("name", sentence) from error
    return moves


def _try(row: Row, endpoint: str) -> None:
    remote.check_endpoint(endpoint, row["provider"])
    if row["health"] == "disconnected":
        return
    try:
        with remote.opened({**row, "endpoint": endpoint}) as opened:
            other = other_account(row, opened.provider.account().id)
    except CrmAdminError as error:
        raise BadInput("endpoint", f"{error.sentence} The former address stays.") from error
    if other:
        raise BadInput("endpoint", f"{other} The former address stays.")


def _store(
    person: Person,
    connection_id: UUID,
    general: General,
    endpoint: str,
    seen_version: int | None,
) -> None:
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        if seen_version is not None and row["version"] != seen_version:
            raise Stale(f"{row['name']} was changed since this page was loaded. Load it again.")
        name = check_name(cursor, general.name, but=connection_id)
        cursor.execute(
            "UPDATE connection SET name = %s, name_key = %s, environment = %s, endpoint = %s,"
            " updated_at = now(), version = version + 1 WHERE id = %s",
            (name, name.casefold(), general.environment, endpoint, connection_id),
        )
        audit.write(
            cursor,
            person,
            "connection.change",
            "connection",
            connection_id,
            before={k: row[k] for k in ("name", "environment", "endpoint")},
            after={"name": name, "environment": general.environment, "endpoint": endpoint},
        )


def check_time(name: str, text: str) -> str:
    """Return a time of the day; BadInput says how one looks."""
    if not TIME.fullmatch(text.strip()):
        raise BadInput(name, "Enter a time like 22:00.")
    return text.strip()


def check_zone(name: str, text: str) -> str:
    """Return the name of a time zone; BadInput says how one looks."""
    try:
        ZoneInfo(text.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(name, "Choose a time zone like Europe/Paris.") from error
    return text.strip()


def set_quiet_hours(
    *, person: Person, connection_id: UUID, quiet: Mapping[str, str] | None
) -> None:
    """Let no scheduled sync of a connection start between two times of the day; None lifts that."""
    value = None
    if quiet is not None:
        value = {
            "from": check_time("quiet_from", quiet["from"]),
            "until": check_time("quiet_until", quiet["until"]),
            "zone": check_zone("quiet_zone", quiet["zone"]),
        }
        if value["from"] == value["until"]:
            raise BadInput("quiet_until", "Enter another time than the one they begin at.")
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        settings = {k: v for k, v in (row["settings"] or {}).items() if k != "quiet_hours"}
        if value:
            settings["quiet_hours"] = value
        cursor.execute(
            "UPDATE connection SET settings = %s, updated_at = now(), version = version + 1"
            " WHERE id = %s",
            (dumps(settings), connection_id),
        )
        audit.write(
            cursor,
            person,
            "connection.quiet_hours",
            "connection",
            connection_id,
            before={"quiet_hours": (row["settings"] or {}).get("quiet_hours")},
            after={"quiet_hours": value},
        )


def finish_setup(*, person: Person, connection_id: UUID) -> None:
    """End a connection's set-up: it is no draft any more. BadInput names what is still missing."""
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        if row["health"] == "disconnected":
            raise BadInput("sign_in", f"Sign in to {row['name']} first.")
        chosen = cursor.execute(
            "SELECT 1 FROM stream WHERE connection_id = %s AND enabled LIMIT 1", (connection_id,)
        ).fetchone()
        if chosen is None:
            raise BadInput("objects", "Choose at least one object to sync.")
        cursor.execute(
            "UPDATE connection SET settings = settings - 'setup', updated_at = now(),"
            " version = version + 1 WHERE id = %s",
            (connection_id,),
        )
        audit.write(cursor, person, "connection.set_up", "connection", connection_id)
