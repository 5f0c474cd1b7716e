"""Taking a run back, as people and the command line ask for it."""

from uuid import UUID

from crm_admin import dispatch, tenancy
from crm_admin.crashpoints import crashpoint
from crm_admin.errors import BadInput, NotFound
from crm_admin.security.permissions import Permission
from crm_admin.services import audit
from crm_admin.services.access import Person, require
from crm_admin.services.engine import requests
from crm_admin.services.engine.requests import Request, RunRef
from crm_admin.services.sql import Cursor, Row, transaction
from crm_admin.services.sync_runs import Started

OFFERED_DAYS = 30

ORIGIN = """
SELECT r.id, r.connection_id, r.mode, r.state, r.undone_by,
       r.finished_at < now() - make_interval(days => %(days)s) AS late,
       r.plan_of IS NOT NULL OR EXISTS (SELECT 1 FROM audit_event a
        WHERE a.object_type = 'sync_run' AND a.object_id = r.id::text
          AND a.action = 'plan.release') AS released,
       c.name, c.stance,
       (SELECT u.undone_by FROM sync_run u WHERE u.organization_id = r.organization_id
           AND u.id = r.undone_by) AS brought_back_by
  FROM sync_run r LEFT JOIN connection c ON c.organization_id = r.organization_id
       AND c.id = r.connection_id
 WHERE r.id = %(run)s
"""

OPEN_UNDO = """
SELECT id, state FROM sync_run
 WHERE undo_of = %s AND state IN ('queued', 'running', 'waiting', 'planned')
 ORDER BY created_at DESC LIMIT 1
"""


def start(
    *,
    person: Person | Started,
    run_id: UUID,
    once_key: str | None = None,
    staged: bool = False,
    wake: bool = True,
) -> RunRef:
    """Queue the undo of a finished run, or a plan of it; asking twice gives the same undo.

    Fields that moved since stay and are listed, and the next sync does not fight what was put back.
    An undo can be undone like any run. Needs the right that the run needed. A plan that waits is
    given again when a plan is asked for, and replaced when the undo itself is.
    """
    with transaction() as cursor:
        row = cursor.execute(
            ORIGIN + " FOR UPDATE OF r", {"run": run_id, "days": OFFERED_DAYS}
        ).fetchone()
        if row is None:
            raise NotFound("There is no such run.")
        if isinstance(person, Person):
            require(person, right_for(row))
        known = _known(cursor, run_id, staged=staged)
        if known is not None:
            return known
        _refuse(cursor, row)
        reference = _ask(cursor, person, row, once_key, staged=staged)
        if isinstance(person, Person):
            audit.write(cursor, person, "run.undo", "sync_run", run_id)
    crashpoint("run.created.after_commit")
    if wake:
        dispatch.enqueue("sync.run", tenancy.organization(), reference.id)
    return reference


def origin(run_id: UUID) -> Row:
    """Return the row that `why_not` and `right_for` look at; unknown ids are not found."""
    with transaction() as cursor:
        return origin_row(cursor, run_id)


def origin_row(cursor: Cursor, run_id: UUID) -> Row:
    """Return the same row inside the caller's transaction."""
    row = cursor.execute(ORIGIN, {"run": run_id, "days": OFFERED_DAYS}).fetchone()
    if row is None:
        raise NotFound("There is no such run.")
    return row


def _refuse(cursor: Cursor, row: Row) -> None:
    sentence = why_not(row)
    if sentence:
        raise BadInput("", sentence)
    if cursor.execute(requests.LIVE, (row["connection_id"],)).fetchone() is not None:
        raise BadInput(
            "", "A sync is running. Undo the run when it is done, or stop the sync first."
        )


def _known(cursor: Cursor, run_id: UUID, *, staged: bool) -> RunRef | None:
    """Return the undo that is under way, so that asking twice starts nothing twice."""
    found = cursor.execute(OPEN_UNDO, (run_id,)).fetchone()
    if found is None:
        return None
    if found["state"] != "planned" or staged:
        return RunRef(found["id"], found["state"], folded=True)
    cursor.execute(
        "UPDATE sync_run SET state = 'cancelled', finished_at = now(), reason_code = 'replaced',"
        " reason = 'The undo was started without this plan.' WHERE id = %s",
        (found["id"],),
    )
    return None


def _ask(
    cursor: Cursor, person: Person | Started, row: Row, once_key: str | None, *, staged: bool
) -> RunRef:
    return requests.ask(
        cursor,
        Request(
            connection_id=row["connection_id"],
            mode="undo",
            trigger="undo",
            by_name=person.name,
            by_user=person.user_id,
            staged=staged,
            undo_of=row["id"],
            once_key=once_key,
        ),
    )


RIGHTS = {"import": Permission.IMPORT_RUN, "merge": Permission.MERGE_RUN}


def right_for(row: Row) -> Permission:
    """Return the right that taking a run back needs: the one that the run itself needed."""
    if row["released"]:
        return Permission.RUN_RELEASE
    return RIGHTS.get(row["mode"], Permission.PLAN_APPROVE)


def why_not(row: Row) -> str:
    """Return the sentence that says why a run cannot be taken back, "" when it can."""
    if row["connection_id"] is None:
        return "Only runs of a connection can be undone here."
    if row["brought_back_by"] is not None:
        return (
            "This run was undone and then brought back. Undo the run that brought it back instead."
        )
    if row["undone_by"] is not None:
        return "This run was undone already. Undo that undo to bring its changes back."
    if row["state"] not in {"succeeded", "partial", "cancelled", "failed"}:
        return "Only a run that is over can be undone. Stop it first."
    if row["late"]:
        return f"A run can be undone for {OFFERED_DAYS} days after it ended."
    if row["stance"] == "paused":
        return f"{row['name']} is paused. Resume it in its settings, then undo the run."
    return ""
