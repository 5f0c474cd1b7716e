"""Transactions of the engine: fenced by the lease of their run, so that a worker who lost it cannot
write.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from flask import current_app

from crm_admin import clock
from crm_admin.crashpoints import crashpoint
from crm_admin.errors import LeaseLost
from crm_admin.services.sql import Cursor, transaction


@dataclass(slots=True)
class Lease:
    """The right to work on a run: `epoch` fences every write, `until` is on this process's
    monotonic clock.
    """

    run_id: UUID
    epoch: int
    seconds: int
    until: float

    def check(self) -> None:
        """Raise LeaseLost when the lease may have lapsed: called right before each send."""
        if clock.monotonic() >= self.until:
            raise LeaseLost(f"The lease on run {self.run_id} lapsed before the next write.")


CLAIM = """
UPDATE sync_run SET state = 'running', lease_epoch = lease_epoch + 1,
       lease_until = now() + make_interval(secs => %(seconds)s),
       attempt = attempt + CASE WHEN state = 'running' OR attempt = 0 THEN 1 ELSE 0 END,
       stalled = stalled + 1, wake_at = NULL, started_at = coalesce(started_at, now()),
       reason = CASE WHEN state = 'running'
                     THEN 'Attempt ' || (attempt + 1) || ': the worker before stopped answering.'
                     ELSE reason END
 WHERE id = %(id)s
   AND (state = 'queued' OR (state = 'waiting' AND wake_at <= now()) OR (state = 'running' AND
   lease_until < now()))
RETURNING lease_epoch
"""

HOLD = """
UPDATE sync_run SET state = 'waiting', wake_at = NULL, lease_until = NULL, reason_code = 'paused',
       reason = 'Paused by ' || pause_by || '.'
 WHERE id = %s AND state IN ('queued', 'waiting') AND pause_by IS NOT NULL AND NOT cancel_asked
"""

FENCE = "SELECT 1 FROM sync_run WHERE id = %s AND lease_epoch = %s AND state = 'running' FOR UPDATE"

RENEW = """
UPDATE sync_run SET stalled = 0,
       lease_until = CASE WHEN state = 'running' THEN now() + make_interval(secs => %s) END
 WHERE id = %s AND lease_epoch = %s
"""


def claim(run_id: UUID) -> Lease | None:
    """Take the lease of a run that is queued, due, or whose worker lapsed; None when somebody else
    has it.
    """
    seconds = current_app.config["CRM"].lease_seconds
    started = clock.monotonic()
    with transaction() as cursor:
        row = cursor.execute(CLAIM, {"id": run_id, "seconds": seconds}).fetchone()
    if row is None:
        return None
    crashpoint("run.claimed")
    return Lease(run_id, row["lease_epoch"], seconds, started + seconds)


def hold(run_id: UUID) -> bool:
    """Let a run that nobody works on rest when a person asked to pause it: it waits without a
    time, so no worker and no reconciler takes it up. Return whether it rests.
    """
    with transaction() as cursor:
        cursor.execute(HOLD, (run_id,))
        return cursor.rowcount == 1


@contextmanager
def unit(lease: Lease) -> Iterator[Cursor]:
    """One fenced transaction of a run's step; its commit renews the lease. LeaseLost when another
    worker has it.
    """
    started = clock.monotonic()
    with transaction() as cursor:
        if cursor.execute(FENCE, (lease.run_id, lease.epoch)).fetchone() is None:
            raise LeaseLost(f"Run {lease.run_id} is no longer this worker's.")
        yield cursor
        cursor.execute(RENEW, (lease.seconds, lease.run_id, lease.epoch))
        crashpoint("step.before_commit")
    lease.until = started + lease.seconds
    crashpoint("step.after_commit")
