"""What is due: schedules claimed once however many loops run, and runs that lost their wake-up."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from crm_admin import dispatch, tenancy
from crm_admin.crashpoints import crashpoint
from crm_admin.database import Role, engine_for
from crm_admin.errors import CrmAdminError
from crm_admin.ids import new_id
from crm_admin.services import (
    audit,
    connections_health,
    housekeeping,
    organizations,
    sync_runs,
)
from crm_admin.services.sql import Cursor, transaction
from crm_admin.services.sync_runs import Started

BUILT_IN = (("delta-sync", "Delta sync", 15 * 60), ("health-check", "Health check", 5 * 60))

SCHEDULER = Started("Schedule", trigger="schedule")


@dataclass(frozen=True, slots=True)
class Due:
    """A row that is due, and whose it is."""

    organization_id: UUID
    id: UUID
    turn: int = 0
    urgent: bool = False


CLAIM = text("""
UPDATE schedule SET next_at = greatest(now(), next_at) + make_interval(secs => every_seconds),
last_at = now()
 WHERE (organization_id, id) IN (
       SELECT organization_id, id FROM schedule
        WHERE enabled AND every_seconds IS NOT NULL AND next_at <= now()
        ORDER BY next_at FOR UPDATE SKIP LOCKED LIMIT 50)
RETURNING organization_id, id
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
    """
    with engine_for(Role.SYSTEM).begin() as connection:
        rows = connection.execute(CLAIM).all()
    return [Due(row.organization_id, row.id) for row in rows]


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


def run(organization_id: UUID, schedule_id: UUID) -> None:
    """Do what a schedule says, once; a connection that observes or is paused is left alone by
    recurring syncs.
    """
    with tenancy.acting_for(organization_id):
        with transaction() as cursor:
            row = cursor.execute(
                "SELECT s.job, s.connection_id, c.stance FROM schedule s LEFT JOIN connection c"
                " ON c.organization_id = s.organization_id AND c.id = s.connection_id WHERE s.id ="
                " %s AND s.enabled",
                (schedule_id,),
            ).fetchone()
        if row is None:
            return
        outcome, run_id = _do(row["job"], row["connection_id"], row["stance"])
        with transaction() as cursor:
            cursor.execute(
                "UPDATE schedule SET last_outcome = %s, last_run = %s WHERE id = %s",
                (outcome, run_id, schedule_id),
            )


def _do(job: str, connection_id: UUID | None, stance: str | None) -> tuple[str, UUID | None]:
    try:
        if job == "delta-sync" and connection_id is not None:
            if stance != "active":
                return "skipped", None
            reference = sync_runs.start(
                person=SCHEDULER,
                connection_id=connection_id,
                mode="delta",
                staged=False,
            )
            return "started", reference.id
        if job == "health-check" and connection_id is not None:
            if stance == "paused":
                return "skipped", None
            return connections_health.check(connection_id), None
        if job == "cleanup":
            housekeeping.clean_up()
            return "done", None
    except CrmAdminError as error:
        return error.sentence[:200], None
    return "unknown", None


def add_built_in(cursor: Cursor, organization_id: UUID, connection_id: UUID) -> None:
    """Give a new connection its recurring work: a delta sync every 15 minutes, a health check every
    5.
    """
    cursor.executemany(
        "INSERT INTO schedule (organization_id, id, connection_id, name, job, every_seconds, zone,"
        " params, enabled,"
        " next_at) VALUES (%s, %s, %s, %s, %s, %s, 'UTC', '{}', true, now() + make_interval(secs"
        " => %s))",
        [
            (organization_id, new_id(), connection_id, name, job, seconds, seconds)
            for job, name, seconds in BUILT_IN
        ],
    )
    cursor.execute(
        "INSERT INTO schedule (organization_id, id, name, job, every_seconds, zone, params,"
        " enabled, next_at)"
        " SELECT %s, %s, 'Clean-up', 'cleanup', 86400, 'UTC', '{}', true, now()"
        " WHERE NOT EXISTS (SELECT 1 FROM schedule WHERE job = 'cleanup')",
        (organization_id, new_id()),
    )
