"""Taking a run back, as people and the command line ask for it."""

from uuid import UUID

from crm_admin import dispatch, tenancy
from crm_admin.errors import BadInput, NotFound
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.engine import requests
from crm_admin.services.engine.requests import Request, RunRef
from crm_admin.services.sql import Row, transaction
from crm_admin.services.sync_runs import Started

OFFERED_DAYS = 30


def start(
    *, person: Person | Started, run_id: UUID, once_key: str | None = None, wake: bool = True
) -> RunRef:
    """Queue the undo of a finished run; asking twice gives the same undo.

    Fields that moved since stay and are listed, and the next sync does not fight what was put back.
    An undo can be
    undone like any run.
    """
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT connection_id, state, undone_by, finished_at < now() - make_interval(days =>"
            " %s) AS late"
            " FROM sync_run WHERE id = %s FOR UPDATE",
            (OFFERED_DAYS, run_id),
        ).fetchone()
        connection_id = _check(row)
        open_undo = cursor.execute(
            "SELECT id, state FROM sync_run WHERE undo_of = %s AND state IN ('queued', 'running',"
            " 'waiting')",
            (run_id,),
        ).fetchone()
        if open_undo is not None:
            return RunRef(open_undo["id"], open_undo["state"], folded=True)
        if cursor.execute(requests.LIVE, (connection_id,)).fetchone() is not None:
            raise BadInput("", "A sync is running. Undo the run when it is done, or stop it.")
        reference = requests.ask(
            cursor,
            Request(
                connection_id=connection_id,
                mode="undo",
                trigger="undo",
                by_name=person.name,
                by_user=person.user_id,
                undo_of=run_id,
                once_key=once_key,
            ),
        )
        if isinstance(person, Person):
            audit.write(cursor, person, "run.undo", "sync_run", run_id)
    if wake:
        dispatch.enqueue("sync.run", tenancy.organization(), reference.id)
    return reference


def _check(row: Row | None) -> UUID:
    """Return the run's connection; an error says why the run cannot be undone."""
    if row is None or row["connection_id"] is None:
        raise NotFound("There is no such run.")
    if row["undone_by"] is not None:
        raise BadInput("", "This run was undone already. Undo that undo to bring its changes back.")
    if row["state"] not in {"succeeded", "partial", "cancelled", "failed"}:
        raise BadInput("", "Only a run that is over can be undone. Stop it first.")
    if row["late"]:
        raise BadInput("", f"A run can be undone for {OFFERED_DAYS} days after it ended.")
    return UUID(str(row["connection_id"]))
