"""Schedules as people change them: checked, saved with what was seen, switched, paused, asked for
now.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from crm_admin import clock, dispatch
from crm_admin.errors import BadInput, NotFound, Stale
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.recurring import JOBS
from crm_admin.services.sql import Cursor, Row, dumps, transaction
from crm_admin.sync import recurrence
from crm_admin.sync.recurrence import BadRecurrence, Recurrence

LONGEST_NAME: Final = 100
LONGEST_LATE: Final = 7 * 24 * 60
LONGEST_SECONDS: Final = 31 * 86_400
LONGEST_PAUSE: Final = timedelta(days=366)
OWNERS: Final = (
    "SELECT 1 FROM membership m JOIN app_user u ON u.id = m.user_id"
    " WHERE m.user_id = %s AND m.organization_id = %s AND u.disabled_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A schedule as it was filled in. Quiet hours are texts like 22:00, both or none."""

    name: str
    job: str
    connection_id: UUID | None
    every_seconds: int | None
    cron: str | None
    zone: str
    overlap: str = "queue"
    catch_up: str = "once"
    staged: bool = False
    quiet_from: str = ""
    quiet_until: str = ""
    late_minutes: int | None = None
    owner_id: UUID | None = None

    @property
    def when(self) -> Recurrence:
        return Recurrence(None if self.cron else self.every_seconds, self.cron or None, self.zone)

    @property
    def quiet(self) -> dict[str, Json] | None:
        if not self.quiet_from and not self.quiet_until:
            return None
        return {"from": self.quiet_from, "until": self.quiet_until, "zone": self.zone}


def problems(draft: Draft) -> dict[str, str]:
    """Return, by field, why a draft cannot be saved: all of them at once, for a form."""
    found: dict[str, str] = {}
    if not draft.name:
        found["name"] = "Give it a name."
    elif len(draft.name) > LONGEST_NAME:
        found["name"] = f"Use {LONGEST_NAME} letters or fewer."
    job = JOBS.get(draft.job)
    if job is None:
        found["job"] = "Choose what to do."
    elif job.of_connection and draft.connection_id is None:
        found["connection"] = "Choose a connection."
    found |= _when_problems(draft)
    if draft.quiet and recurrence.quiet_of(draft.quiet) is None:
        found["quiet_from"] = "Enter two different times, like 22:00 and 06:00."
    if draft.late_minutes is not None and not 1 <= draft.late_minutes <= LONGEST_LATE:
        found["late_minutes"] = "Enter between 1 minute and 7 days."
    if draft.overlap not in {"skip", "queue"} or draft.catch_up not in {"once", "none"}:
        found["overlap"] = "Choose one of the listed rules."
    return found


def _when_problems(draft: Draft) -> dict[str, str]:
    try:
        recurrence.zone_of(draft.zone)
    except BadRecurrence as error:
        return {"zone": str(error)}
    if not draft.cron and (draft.every_seconds or 0) > LONGEST_SECONDS:
        return {"every": "Enter 31 days or less."}
    try:
        recurrence.check(draft.when)
    except BadRecurrence as error:
        return {"cron" if draft.cron else "every": str(error)}
    return {}


def save(
    *, person: Person, schedule_id: UUID | None, draft: Draft, seen_version: int | None = None
) -> UUID:
    """Save a schedule, or make a new one without an id, and return its id.

    What it does and for which connection stays as it was made. BadInput names the first field that
    cannot be saved; Stale when somebody changed it since `seen_version`.
    """
    for field, sentence in problems(draft).items():
        raise BadInput(field, sentence)
    when = recurrence.check(draft.when)
    following = recurrence.next_after(when, clock.now())
    made_id = schedule_id or new_id()
    with transaction() as cursor:
        _require_owner(cursor, person, draft.owner_id)
        values: dict[str, object] = {
            "organization": person.organization_id,
            "id": made_id,
            "name": draft.name,
            "job": draft.job,
            "connection": draft.connection_id if JOBS[draft.job].of_connection else None,
            "seconds": when.every_seconds,
            "cron": when.cron,
            "zone": when.zone,
            "overlap": draft.overlap,
            "catch_up": draft.catch_up,
            "staged": draft.staged,
            "quiet": None if draft.quiet is None else dumps(draft.quiet),
            "late": draft.late_minutes,
            "owner": draft.owner_id,
            "next": following,
        }
        if schedule_id is None:
            _require_connection(cursor, draft.connection_id)
            cursor.execute(INSERT, values)
            audit.write(cursor, person, "schedule.make", "schedule", made_id, after=asdict(draft))
        else:
            before = _load(cursor, schedule_id)
            if seen_version is not None and before["version"] != seen_version:
                raise Stale("Somebody changed this schedule since you opened it.")
            cursor.execute(UPDATE, values)
            audit.write(
                cursor,
                person,
                "schedule.edit",
                "schedule",
                schedule_id,
                before=_kept(before),
                after=asdict(draft),
            )
    return made_id


INSERT = """
INSERT INTO schedule (organization_id, id, connection_id, name, job, every_seconds, cron, zone,
       params, enabled, next_at, overlap, catch_up, staged, quiet, late_minutes, owner_id)
VALUES (%(organization)s, %(id)s, %(connection)s, %(name)s, %(job)s, %(seconds)s, %(cron)s,
       %(zone)s, '{"custom": true}', true, %(next)s, %(overlap)s, %(catch_up)s, %(staged)s,
       %(quiet)s, %(late)s, %(owner)s)
"""

# A change of name must not put the next tick off.
UPDATE = """
UPDATE schedule SET name = %(name)s, every_seconds = %(seconds)s, cron = %(cron)s, zone = %(zone)s,
       overlap = %(overlap)s, catch_up = %(catch_up)s, staged = %(staged)s, quiet = %(quiet)s,
       late_minutes = %(late)s, owner_id = %(owner)s, version = version + 1,
       next_at = CASE WHEN every_seconds IS NOT DISTINCT FROM %(seconds)s
                       AND cron IS NOT DISTINCT FROM %(cron)s AND zone = %(zone)s
                      THEN next_at ELSE %(next)s END
 WHERE id = %(id)s
"""


def _kept(row: Row) -> dict[str, Json]:
    names = ("name", "every_seconds", "cron", "zone", "overlap", "catch_up", "staged", "quiet")
    return {name: row[name] for name in (*names, "late_minutes")}


def _load(cursor: Cursor, schedule_id: UUID) -> Row:
    row = cursor.execute(
        "SELECT * FROM schedule WHERE id = %s FOR UPDATE", (schedule_id,)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such schedule.")
    return row


def _require_connection(cursor: Cursor, connection_id: UUID | None) -> None:
    if connection_id is None:
        return
    row = cursor.execute("SELECT 1 FROM connection WHERE id = %s", (connection_id,)).fetchone()
    if row is None:
        raise BadInput("connection", "Choose a connection from the list.")


def _require_owner(cursor: Cursor, person: Person, owner_id: UUID | None) -> None:
    if owner_id is None:
        return
    if cursor.execute(OWNERS, (owner_id, person.organization_id)).fetchone() is None:
        raise BadInput("owner", "Choose a person from the list.")


def switch(*, person: Person, schedule_id: UUID, on: bool) -> None:
    """Switch a schedule on or off; switched on, it is next due at its next time. Twice is once."""
    with transaction() as cursor:
        row = _load(cursor, schedule_id)
        if row["enabled"] == on:
            return
        when = Recurrence(row["every_seconds"], row["cron"], row["zone"])
        cursor.execute(
            "UPDATE schedule SET enabled = %s, paused_until = NULL, next_at = %s,"
            " version = version + 1 WHERE id = %s",
            (on, recurrence.next_after(when, clock.now()), schedule_id),
        )
        _note(cursor, person, "schedule.switch", schedule_id, {"enabled": on})


def pause(*, person: Person, schedule_id: UUID, until: datetime | None) -> None:
    """Let a schedule rest until a moment, or go on with None; what is missed is not made up for."""
    now = clock.now()
    if until is not None and not now < until <= now + LONGEST_PAUSE:
        raise BadInput("until", "Choose a time ahead, within a year.")
    with transaction() as cursor:
        row = _load(cursor, schedule_id)
        when = Recurrence(row["every_seconds"], row["cron"], row["zone"])
        cursor.execute(
            "UPDATE schedule SET paused_until = %s, next_at = %s, version = version + 1"
            " WHERE id = %s",
            (until, recurrence.next_after(when, until or now), schedule_id),
        )
        _note(cursor, person, "schedule.pause", schedule_id, {"until": until})


def run_now(*, person: Person, schedule_id: UUID) -> None:
    """Ask for a schedule's work at once, whatever its hours are; asking twice is asking once."""
    with transaction() as cursor:
        _load(cursor, schedule_id)
        cursor.execute(
            "UPDATE schedule SET asked_at = now() WHERE id = %s AND asked_at IS NULL",
            (schedule_id,),
        )
        asked = cursor.rowcount == 1
        if asked:
            _note(cursor, person, "schedule.run", schedule_id, {})
    if asked:
        dispatch.enqueue("schedules.run", person.organization_id, schedule_id, turn=1, urgent=True)


def remove(*, person: Person, schedule_id: UUID) -> None:
    """Remove a schedule somebody made; built-in ones can only be switched off."""
    with transaction() as cursor:
        row = _load(cursor, schedule_id)
        if not (row["params"] or {}).get("custom"):
            raise BadInput("", "This one comes with CRM Admin. Switch it off instead.")
        cursor.execute("DELETE FROM schedule WHERE id = %s", (schedule_id,))
        cursor.execute("DELETE FROM need_mark WHERE key = %s", (f"late:{schedule_id}",))
        audit.write(cursor, person, "schedule.remove", "schedule", schedule_id, before=_kept(row))


def make_due(*, job: str) -> int:
    """Make the acting organisation's built-in schedules of a job due now, for programs that keep
    the time themselves; return how many. The loop claims each of them once.
    """
    if job not in JOBS:
        raise BadInput("job", f"There is no job {job}. Choose one of: {', '.join(sorted(JOBS))}.")
    with transaction() as cursor:
        cursor.execute(
            "UPDATE schedule SET next_at = now() WHERE job = %s AND enabled"
            " AND NOT params ? 'custom'",
            (job,),
        )
        return cursor.rowcount


def _note(
    cursor: Cursor, person: Person, action: str, schedule_id: UUID, after: Mapping[str, object]
) -> None:
    audit.write(cursor, person, action, "schedule", schedule_id, after=after)
