"""Runs as people and programs ask for them: start, work on, stop."""

from dataclasses import dataclass
from uuid import UUID

from flask import current_app

from crm_admin import dispatch, tenancy
from crm_admin.crashpoints import crashpoint
from crm_admin.errors import BadInput, NotFound
from crm_admin.services import audit, record_scope
from crm_admin.services.access import Person
from crm_admin.services.engine import requests, run
from crm_admin.services.engine.opening import SWITCHED_OFF
from crm_admin.services.engine.requests import Request, RunRef
from crm_admin.services.sql import transaction
from crm_admin.sync.states import RunState

__all__ = ["RunRef", "Started", "run_again", "start", "stop", "sync_record", "work"]

ENDED = {
    RunState.SUCCEEDED,
    RunState.PARTIAL,
    RunState.FAILED,
    RunState.CANCELLED,
    RunState.PLANNED,
}


@dataclass(frozen=True, slots=True)
class Started:
    """Who asks for a run when no person is signed in: the scheduler, the command line."""

    name: str
    user_id: UUID | None = None
    trigger: str = "manual"


def start(
    *,
    person: Person | Started,
    connection_id: UUID,
    mode: str,
    staged: bool,
    once_key: str | None = None,
    wake: bool = True,
) -> RunRef:
    """Queue a run, or fold the request into the connection's live one; the same once_key starts
    nothing twice.

    A connection that only observes gets a plan whatever was asked for; a paused one is refused.
    """
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT stance FROM connection WHERE id = %s", (connection_id,)
        ).fetchone()
        if row is None:
            raise NotFound("There is no such connection.")
        if row["stance"] == "paused":
            raise BadInput(
                "",
                "This connection is paused. Resume it in its settings, then start the sync again.",
            )
        reference = requests.ask(
            cursor,
            Request(
                connection_id=connection_id,
                mode=mode,
                trigger=person.trigger if isinstance(person, Started) else "manual",
                by_name=person.name,
                by_user=person.user_id,
                staged=staged or row["stance"] == "observe" or not _may_write(),
                once_key=once_key,
            ),
        )
    crashpoint("run.created.after_commit")
    if wake and not reference.folded:
        dispatch.enqueue("sync.run", tenancy.organization(), reference.id)
    return reference


def sync_record(
    *, person: Person | Started, record_id: UUID, once_key: str | None = None
) -> list[RunRef]:
    """Ask every active connection of the record's kind to bring it into agreement now, beside a
    long run too.
    """
    with transaction() as cursor:
        if isinstance(person, Person):
            record_scope.require_record(cursor, person, record_id)
        rows = cursor.execute(
            "SELECT s.id AS stream_id, s.connection_id, c.stance, c.name FROM record r JOIN stream"
            " s"
            " ON s.organization_id = r.organization_id AND s.kind = r.kind AND s.enabled JOIN"
            " connection c"
            " ON c.organization_id = s.organization_id AND c.id = s.connection_id"
            " WHERE r.id = %s AND r.deleted_at IS NULL ORDER BY c.priority, c.id",
            (record_id,),
        ).fetchall()
        if not _may_write():
            raise BadInput("", SWITCHED_OFF)
        active = [row for row in rows if row["stance"] == "active"]
        if not active:
            raise BadInput("", _why_not(rows))
        references = [
            requests.ask(
                cursor,
                Request(
                    connection_id=row["connection_id"],
                    mode="record",
                    trigger="manual",
                    by_name=person.name,
                    by_user=person.user_id,
                    once_key=f"{once_key}:{row['stream_id']}" if once_key else None,
                    records=[(row["stream_id"], record_id)],
                ),
            )
            for row in active
        ]
    for reference in references:
        if not reference.folded:
            dispatch.enqueue("sync.run", tenancy.organization(), reference.id, urgent=True)
    return references


def _may_write() -> bool:
    """With CRM_ENABLED=false every connection behaves as one that only observes."""
    return bool(current_app.config["CRM"].crm_enabled)


def _why_not(rows: list[dict[str, object]]) -> str:
    if not rows:
        return "No connection syncs records of this kind. Add one in the settings."
    names = ", ".join(sorted({str(row["name"]) for row in rows}))
    return (
        f"{names} only observes or is paused. Approve its first plan or resume it, then sync"
        f" this record."
    )


def stop(*, person: Person, run_id: UUID) -> None:
    """Ask a live run to stop after the batch in hand; what was written stays."""
    with transaction() as cursor:
        cursor.execute(
            "UPDATE sync_run SET cancel_asked = true, pause_by = NULL,"
            " wake_at = CASE WHEN state = 'waiting' THEN now() ELSE wake_at END"
            " WHERE id = %s AND state IN ('queued', 'running', 'waiting')",
            (run_id,),
        )
        if not cursor.rowcount:
            raise NotFound("This run is not going on any more.")
        audit.write(cursor, person, "run.stop", "sync_run", run_id)
    dispatch.enqueue("sync.run", tenancy.organization(), run_id, turn=1_000_000, urgent=True)


def run_again(*, person: Person, run_id: UUID, once_key: str | None = None) -> RunRef:
    """Start a run like this one."""
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT connection_id, mode, staged FROM sync_run WHERE id = %s", (run_id,)
        ).fetchone()
    if row is None or row["connection_id"] is None or row["mode"] not in {"full", "delta"}:
        raise NotFound("There is no such run to start again.")
    return start(
        person=person,
        connection_id=row["connection_id"],
        mode=row["mode"],
        staged=row["staged"],
        once_key=once_key,
    )


def work(organization_id: UUID, run_id: UUID) -> None:
    """Work on a run for one slice of time; wake the next worker when more is to be done."""
    if run.execute(organization_id, run_id) is None:
        return
    with tenancy.acting_for(organization_id):
        for row_id, turn, urgent in _to_wake(run_id):
            dispatch.enqueue("sync.run", organization_id, row_id, turn=turn, urgent=urgent)


def _to_wake(run_id: UUID) -> list[tuple[UUID, int, bool]]:
    """The run itself when it goes on; once it is over, what was queued for its connection
    meanwhile.
    """
    with transaction() as cursor:
        rows = cursor.execute(
            "SELECT q.id, q.lease_epoch, q.mode FROM sync_run me JOIN sync_run q"
            " ON q.organization_id = me.organization_id AND q.connection_id = me.connection_id AND"
            " q.state = 'queued'"
            " WHERE me.id = %s",
            (run_id,),
        ).fetchall()
    return [(row["id"], row["lease_epoch"], row["mode"] == "record") for row in rows]
