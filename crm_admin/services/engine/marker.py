"""Our key marker in the CRM: a field that makes creates repeatable, itself a line of the first
plan.
"""

from dataclasses import asdict
from uuid import UUID

from crm_admin.errors import NeedsAttention, RecordRejected
from crm_admin.providers.base import NewField, RemoteField
from crm_admin.services.engine.operations import Entry, write_operations
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import dumps, transaction
from crm_admin.sync.drafts import Draft
from crm_admin.sync.states import OperationAction, OperationState, Side

LABEL = "CRM Admin ID"


def ensure(work: Work) -> None:
    """Plan the missing marker fields, or make them when the run writes at once.

    A connection without the right to make them works by look-up on natural keys and says so.
    """
    if not work.marker and _state(work) == "denied":
        return
    missing = sorted(work.unmarked) if work.marker else _missing(work)
    if not missing and work.marker:
        return
    if not missing:
        _remember(work, "present")
    elif work.staged:
        _plan(work, missing)
    else:
        _make(work, dict.fromkeys(missing))


def look(work: Work) -> None:
    """Know which objects have no marker field although the connection works with one: an object
    may have been switched on later, or a person left its field out of the plan.
    """
    work.unmarked = set(_missing(work)) if work.marker else set()


def release(work: Work) -> None:
    """Make the marker fields that the plan holds and a person did not leave out."""
    with transaction() as cursor:
        rows = cursor.execute(
            "SELECT id, remote_object FROM operation"
            " WHERE run_id = %s AND run_at = %s AND action = 'property' AND state = 'planned' AND"
            " NOT excluded",
            (work.run_id, work.run_at),
        ).fetchall()
    if rows:
        _make(work, {row["remote_object"]: row["id"] for row in rows})


def _state(work: Work) -> str:
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT marker FROM connection WHERE id = %s", (work.connection_id,)
        ).fetchone()
    return str(row["marker"]) if row else "unknown"


def _missing(work: Work) -> list[str]:
    """Objects in which records may be created and that have no marker field yet."""
    wanted = [
        remote.name
        for remote in work.objects
        if any(s.facts.sends and s.facts.creates in {"there", "both"} for s in remote.streams)
    ]
    with transaction() as cursor:
        rows = cursor.execute(
            "SELECT object, fields FROM remote_schema WHERE connection_id = %s AND object ="
            " ANY(%s)",
            (work.connection_id, wanted),
        ).fetchall()
    name = work.provider.spec.marker_field
    have = {row["object"] for row in rows if any(field["name"] == name for field in row["fields"])}
    return [one for one in wanted if one not in have]


def _draft(work: Work, remote_object: str) -> Draft:
    name = work.provider.spec.marker_field
    return Draft(
        Side.THEIRS,
        OperationAction.PROPERTY,
        fields={name: [None, LABEL, "marker", ""]},
        reason_code="marker",
        reason=f"Makes the field {name} on {remote_object}, so that a repeated create can never"
        f" make a second record.",
    )


def _plan(work: Work, missing: list[str]) -> None:
    with unit(work.lease) as cursor:
        planned = {
            row["remote_object"]
            for row in cursor.execute(
                "SELECT remote_object FROM operation WHERE run_id = %s AND run_at = %s AND action"
                " = 'property'",
                (work.run_id, work.run_at),
            ).fetchall()
        }
        entries = [
            Entry(
                _draft(work, name),
                OperationState.PLANNED,
                None,
                name,
                f"Field {work.provider.spec.marker_field}",
            )
            for name in missing
            if name not in planned
        ]
        write_operations(cursor, work, entries)


def _make(work: Work, wanted: dict[str, UUID | None]) -> None:
    """Creating a field that exists is no error, so this may be repeated after a crash."""
    new = NewField(work.provider.spec.marker_field, LABEL, unique=True)
    for name, operation_id in wanted.items():
        try:
            work.provider.create_field(name, new)
        except (NeedsAttention, RecordRejected) as error:
            _close(work, name, operation_id, OperationState.FAILED, error.sentence)
            _remember(work, "present" if work.marker else "denied")
            return
        _close(work, name, operation_id, OperationState.DONE, None)
        work.unmarked.discard(name)
    _remember(work, "present" if work.marker or not _missing(work) else "absent")


def _close(
    work: Work, name: str, operation_id: UUID | None, state: OperationState, error: str | None
) -> None:
    with unit(work.lease) as cursor:
        if operation_id is None:
            entry = Entry(
                _draft(work, name), state, None, name, f"Field {work.provider.spec.marker_field}"
            )
            operation_id = write_operations(cursor, work, [entry])[0]
        cursor.execute(
            "UPDATE operation SET state = %s, done_at = now(), error = %s"
            " WHERE id = %s AND run_at = %s",
            (state.value, error, operation_id, work.run_at),
        )
        if state is OperationState.DONE:
            work.counts["fields_created"] += 1
            # The next run must not take the field for missing until the object is described anew.
            field = RemoteField(
                work.provider.spec.marker_field, LABEL, "string", unique=True, custom=True
            )
            cursor.execute(
                "UPDATE remote_schema SET fields = fields || %s"
                " WHERE connection_id = %s AND object = %s",
                (dumps([asdict(field)]), work.connection_id, name),
            )


def _remember(work: Work, state: str) -> None:
    with unit(work.lease) as cursor:
        cursor.execute(
            "UPDATE connection SET marker = %s WHERE id = %s", (state, work.connection_id)
        )
    work.marker = state == "present"
