"""What is due: schedules claimed once however many loops run, and runs that lost their wake-up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from crm_admin import clock, dispatch, tenancy
from crm_admin.crashpoints import crashpoint
from crm_admin.database import Role, engine_for
from crm_admin.errors import BadInput, NotFound
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.services import audit, organizations, recurring
from crm_admin.services.access import Person
from crm_admin.services.recurring import BUILT_IN, JOBS, Outcome
from crm_admin.services.sql import Cursor, Row, dumps, transaction
from crm_admin.sync import recurrence
from crm_admin.sync.recurrence import Recurrence

__all__ = ["BUILT_IN", "add_built_in", "quiet_until", "set_interval", "tick"]

LONGEST_MINUTES = 31 * 24 * 60


@dataclass(frozen=True, slots=True)
class Due:
    """A row that is due, and whose it is."""

    organization_id: UUID
    id: UUID
    turn: int = 0
    urgent: bool = False


CLAIM = text("""
SELECT organization_id, id, every_seconds, cron, zone, next_at, catch_up, asked_at, now() AS now
  FROM schedule
 WHERE (enabled AND next_at <= now() AND (paused_until IS NULL OR paused_until <= now()))
    OR asked_at < now() - interval '30 seconds'
 ORDER BY next_at FOR UPDATE SKIP LOCKED LIMIT 50
""")

TAKE = text("""
UPDATE schedule SET next_at = :next_at, last_at = CASE WHEN :left_out THEN last_at ELSE now() END,
       asked_at = CASE WHEN asked_at IS NULL THEN NULL ELSE now() END
 WHERE organization_id = :organization_id AND id = :id
""")

AGAIN = text("UPDATE schedule SET next_at = now() + interval '30 seconds' WHERE id = ANY(:ids)")

LOST = text("""
SELECT organization_id, id, lease_epoch, mode FROM sync_run
 WHERE state = 'queued' OR (state = 'waiting' AND wake_at <= now()) OR (state = 'running' AND
 lease_until < now())
 ORDER BY created_at LIMIT 500
""")


def claim_due() -> list[Due]:
    """Take the schedules that are due now; each tick is taken by one loop only, and a missed one
    once.

    A schedule that catches nothing up goes on to its next time when it is taken much too late.
    """
    due: list[Due] = []
    with engine_for(Role.SYSTEM).begin() as connection:
        for row in connection.execute(CLAIM).all():
            how = Recurrence(row.every_seconds, row.cron, row.zone)
            is_due = row.next_at is not None and row.next_at <= row.now
            following = recurrence.after_claim(how, row.next_at, row.now) if is_due else row.next_at
            is_missed = is_due and recurrence.is_missed(row.next_at, row.now)
            left_out = row.asked_at is None and row.catch_up == "none" and is_missed
            connection.execute(
                TAKE,
                {
                    "organization_id": row.organization_id,
                    "id": row.id,
                    "next_at": following,
                    "left_out": left_out,
                },
            )
            if not left_out:
                due.append(Due(row.organization_id, row.id))
    return due


def tick() -> int:
    """Start what is due and return how much it was; what the queue does not take is due again
    soon.
    """
    due = claim_due()
    lost = [
        one
        for one in due
        if not dispatch.enqueue("schedules.run", one.organization_id, one.id, turn=0)
    ]
    if lost:
        with engine_for(Role.SYSTEM).begin() as connection:
            connection.execute(AGAIN, {"ids": [one.id for one in lost]})
    return len(due)


def reconcile() -> int:
    """Wake every run that is queued, due, or whose worker stopped answering; return how many there
    were.
    """
    with engine_for(Role.SYSTEM).begin() as connection:
        rows = connection.execute(LOST).all()
    for row in rows:
        dispatch.enqueue(
            "sync.run",
            row.organization_id,
            row.id,
            turn=row.lease_epoch,
            urgent=row.mode in {"record", "webhook"},
        )
    crashpoint("run.reconciled")
    return len(rows)


def seal_audit() -> None:
    """Seal what the audit log of every organisation gained since the last time."""
    for organization_id in organizations.all_ids():
        with tenancy.acting_for(organization_id):
            audit.seal()


LOAD = """
SELECT s.*, c.stance, c.name AS connection, c.settings AS connection_settings
  FROM schedule s LEFT JOIN connection c
    ON c.organization_id = s.organization_id AND c.id = s.connection_id
 WHERE s.id = %s
"""

SETTLE = """
UPDATE schedule SET last_outcome = %(word)s, last_run = %(run)s, done_at = now(), asked_at = NULL,
       outcomes = jsonb_path_query_array(%(entry)s::jsonb || outcomes, '$[0 to 9]'),
       next_at = CASE WHEN %(quiet)s::timestamptz IS NULL THEN next_at
                      WHEN catch_up = 'none' AND cron IS NOT NULL THEN next_at
                      ELSE %(quiet)s::timestamptz END
 WHERE id = %(id)s
"""


def run(organization_id: UUID, schedule_id: UUID) -> None:
    """Do what a schedule says, once; in quiet hours it is put off until their end.

    A connection that observes or is paused is left alone by recurring syncs. What a person asked
    for is done even while the schedule is off, paused or quiet.
    """
    with tenancy.acting_for(organization_id):
        with transaction() as cursor:
            row = cursor.execute(LOAD, (schedule_id,)).fetchone()
        if row is None or not (row["enabled"] or row["asked_at"]):
            return
        quiet = None if row["asked_at"] else _quiet_until(row)
        outcome = Outcome("quiet") if quiet else recurring.do(row)
        entry = {
            "at": clock.now(),
            "word": outcome.word,
            "say": outcome.say[:200],
            "run": outcome.run_id,
        }
        with transaction() as cursor:
            cursor.execute(
                SETTLE,
                {
                    "id": schedule_id,
                    "word": outcome.word,
                    "run": outcome.run_id,
                    "entry": dumps([entry]),
                    "quiet": quiet,
                },
            )


def quiet_until(settings: Mapping[str, object], at: datetime) -> datetime | None:
    """Return when the quiet hours of a connection's settings end that `at` falls into, else None.

    `settings["quiet_hours"]` holds {"from": "22:00", "until": "06:00", "zone": "Europe/Paris"}.
    """
    return recurrence.quiet_until(recurrence.quiet_of(settings.get("quiet_hours")), at)


def _quiet_until(row: Row) -> datetime | None:
    """A schedule's own quiet hours hold for it alone; a connection's for every sync of it."""
    now = clock.now()
    ends = [recurrence.quiet_until(recurrence.quiet_of(row["quiet"], row["zone"]), now)]
    job = JOBS.get(row["job"])
    if job is not None and job.is_sync:
        ends.append(quiet_until(row["connection_settings"] or {}, now))
    return max((end for end in ends if end is not None), default=None)


INSERT = """
INSERT INTO schedule (organization_id, id, connection_id, name, job, every_seconds, zone, params,
       enabled, next_at)
SELECT %(organization)s, %(id)s, %(connection)s, %(name)s, %(job)s, %(seconds)s, o.zone, '{}', true,
       now() + make_interval(secs => %(seconds)s)
  FROM organization o
 WHERE o.id = %(organization)s
   AND NOT EXISTS (SELECT 1 FROM schedule s WHERE s.job = %(job)s
                      AND s.connection_id IS NOT DISTINCT FROM %(connection)s)
"""


def add_built_in(cursor: Cursor, organization_id: UUID, connection_id: UUID) -> None:
    """Give a connection the recurring work it lacks, and its organisation too; twice is once."""
    for job in BUILT_IN:
        if not job.optional:
            _add(cursor, organization_id, connection_id, job.job, job.seconds)


def _add(
    cursor: Cursor, organization_id: UUID, connection_id: UUID, job: str, seconds: int
) -> None:
    cursor.execute(
        INSERT,
        {
            "organization": organization_id,
            "id": new_id(),
            "connection": connection_id if JOBS[job].of_connection else None,
            "name": JOBS[job].name,
            "job": job,
            "seconds": seconds,
        },
    )


def bring_into_line() -> None:
    """Give every connection the built-in schedules that a newer version brought."""
    for organization_id in organizations.all_ids():
        with tenancy.acting_for(organization_id), transaction() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"s{organization_id}",))
            for row in cursor.execute("SELECT id FROM connection ORDER BY id").fetchall():
                add_built_in(cursor, organization_id, row["id"])


def set_interval(*, person: Person, connection_id: UUID, minutes: int | None) -> None:
    """Make the connection's delta sync recur every so many minutes, or switch it off with None."""
    if minutes is not None and not 1 <= minutes <= LONGEST_MINUTES:
        raise BadInput("minutes", "Enter between 1 minute and 31 days.")
    seconds = None if minutes is None else minutes * 60
    with transaction() as cursor:
        known = cursor.execute(
            "SELECT 1 FROM connection WHERE id = %s", (connection_id,)
        ).fetchone()
        if known is None:
            raise NotFound("There is no such connection.")
        _add(cursor, person.organization_id, connection_id, "delta-sync", seconds or 900)
        row = cursor.execute(
            "SELECT id, every_seconds, enabled FROM schedule WHERE connection_id = %s"
            " AND job = 'delta-sync' ORDER BY (params -> 'custom') IS NOT NULL, id LIMIT 1"
            " FOR UPDATE",
            (connection_id,),
        ).fetchone()
        if row is None:
            raise NotFound("There is no such schedule.")
        cursor.execute(INTERVAL, {"id": row["id"], "seconds": seconds})
        before: dict[str, Json] = {"seconds": row["every_seconds"] if row["enabled"] else None}
        audit.write(
            cursor,
            person,
            "schedule.interval",
            "schedule",
            row["id"],
            before=before,
            after={"seconds": seconds},
        )


INTERVAL = """
UPDATE schedule SET enabled = %(seconds)s::integer IS NOT NULL, version = version + 1,
       cron = CASE WHEN %(seconds)s::integer IS NULL THEN cron END,
       every_seconds = coalesce(%(seconds)s::integer, every_seconds),
       next_at = CASE WHEN %(seconds)s::integer IS NULL THEN next_at
                      ELSE now() + make_interval(secs => %(seconds)s::integer) END
 WHERE id = %(id)s
"""
