"""What people do to a run that is going on: pause it, let it go on, put it first, take it away."""

from uuid import UUID

from crm_admin import dispatch, tenancy
from crm_admin.errors import NotFound, Stale
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.sql import Cursor, Row, transaction

RESUMED_TURN, FRONT_TURN = 2_000_000, 3_000_000
"""Jobs of their own, so that a wake-up that is already queued is not taken for this one."""

PAUSE = """
UPDATE sync_run SET pause_by = %(name)s,
       state = CASE WHEN state = 'running' THEN 'running' ELSE 'waiting' END,
       wake_at = CASE WHEN state = 'running' THEN wake_at END,
       reason = CASE WHEN state = 'running' THEN reason ELSE %(reason)s END,
       reason_code = CASE WHEN state = 'running' THEN reason_code ELSE 'paused' END
 WHERE id = %(id)s AND state IN ('queued', 'running', 'waiting') AND pause_by IS NULL
   AND NOT cancel_asked
"""

RESUME = """
UPDATE sync_run SET pause_by = NULL,
       wake_at = CASE WHEN state = 'waiting' THEN now() ELSE wake_at END,
       reason = CASE WHEN state = 'waiting' THEN NULL ELSE reason END,
       reason_code = CASE WHEN state = 'waiting' THEN NULL ELSE reason_code END
 WHERE id = %s AND state IN ('queued', 'running', 'waiting') AND pause_by IS NOT NULL
"""

REMOVE = """
UPDATE sync_run SET state = 'cancelled', finished_at = now(), reason_code = 'removed', reason = %s
 WHERE id = %s AND started_at IS NULL AND state IN ('queued', 'waiting')
"""


def pause(*, person: Person, run_id: UUID) -> None:
    """Let a live run rest at the edge of its step until somebody lets it go on; twice is once.

    What was written stays. Other syncs of the connection wait behind it, so that nothing runs past
    a person who wants to look first.
    """
    with transaction() as cursor:
        run = _live(cursor, run_id)
        cursor.execute(
            PAUSE,
            {"id": run_id, "name": person.name, "reason": f"Paused by {person.name}."},
        )
        if not cursor.rowcount and run["cancel_asked"]:
            raise Stale("This run is stopping already.")
        if cursor.rowcount:
            audit.write(cursor, person, "run.pause", "sync_run", run_id)


def resume(*, person: Person, run_id: UUID) -> None:
    """Let a paused run go on where it was; twice is once."""
    with transaction() as cursor:
        _live(cursor, run_id)
        cursor.execute(RESUME, (run_id,))
        if not cursor.rowcount:
            return
        audit.write(cursor, person, "run.resume", "sync_run", run_id)
    _wake(run_id, RESUMED_TURN)


def to_front(*, person: Person, run_id: UUID) -> bool:
    """Have the next free worker take this run; False when the queue does not answer just now."""
    with transaction() as cursor:
        if _live(cursor, run_id)["state"] != "queued":
            raise Stale("This run does not wait in the queue any more.")
        audit.write(cursor, person, "run.to_front", "sync_run", run_id)
    return _wake(run_id, FRONT_TURN)


def remove(*, person: Person, run_id: UUID) -> None:
    """Take a run that never started out of the queue; one that wrote something is stopped instead,
    by the worker that takes it up.
    """
    with transaction() as cursor:
        _live(cursor, run_id)
        cursor.execute(REMOVE, (f"Taken out of the queue by {person.name}.", run_id))
        if not cursor.rowcount:
            raise Stale("This run has started already. Stop it on its page.")
        audit.write(cursor, person, "run.remove", "sync_run", run_id)


def _wake(run_id: UUID, turn: int) -> bool:
    return dispatch.enqueue(
        "sync.run", tenancy.organization(), run_id, turn=turn, urgent=True, front=True
    )


def _live(cursor: Cursor, run_id: UUID) -> Row:
    row = cursor.execute(
        "SELECT state, cancel_asked FROM sync_run WHERE id = %s FOR UPDATE", (run_id,)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such run.")
    if row["state"] not in {"queued", "running", "waiting"}:
        raise Stale("This run is not going on any more.")
    return row
