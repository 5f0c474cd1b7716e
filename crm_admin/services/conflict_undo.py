"""Second thoughts about a settled conflict: open it again, or take the other value after all."""

from dataclasses import dataclass
from uuid import UUID

from crm_admin import dispatch, tenancy
from crm_admin.errors import NotFound, Stale
from crm_admin.jsontypes import Json
from crm_admin.records.values import same
from crm_admin.services import audit, conflict_rules, record_scope
from crm_admin.services.access import Person
from crm_admin.services.conflicts import LOAD, bases_of, inner, save_values
from crm_admin.services.conflicts import ask_sync as ask
from crm_admin.services.engine.requests import LIVE
from crm_admin.services.record_store import PEOPLE, fan_out
from crm_admin.services.sql import Cursor, Row, dumps, transaction

MOVED_ON = "It was changed again since it was settled. Open the record to change it."


@dataclass(frozen=True, slots=True)
class Reopened:
    """`reopened`, or else the run that has carried the choice out and can be undone."""

    reopened: bool
    run_id: UUID | None = None


def reopen(*, person: Person, conflict_id: UUID) -> Reopened:
    """Open a conflict again as it was, unless its choice is carried out by now; twice is once."""
    with transaction() as cursor:
        row = _load(cursor, person, conflict_id)
        if row["state"] == "open":
            return Reopened(reopened=True)
        if row["state"] != "resolved" or not row["undo"]:
            raise Stale("This cannot be undone here. Use the other value instead.")
        if not _is_untouched(cursor, row):
            return Reopened(reopened=False, run_id=_run_of(cursor, row))
        if cursor.execute(
            "SELECT 1 FROM conflict WHERE link_id = %s AND rule_id = %s AND state = 'open'",
            (row["link_id"], row["rule_id"]),
        ).fetchone():
            raise Stale("The field is in conflict again. Settle that one.")
        _put_back(cursor, person, row)
        cursor.execute(
            "UPDATE conflict SET state = 'open', how = NULL, resolved_by = NULL, resolved_at ="
            " NULL, result = NULL, undo = NULL WHERE id = %s",
            (conflict_id,),
        )
        audit.write(cursor, person, "conflict.reopen", "conflict", conflict_id)
    return Reopened(reopened=True)


def use_other(*, person: Person, conflict_id: UUID) -> None:
    """Write the value that lost a settled conflict to both sides; Stale when the field was changed
    since.
    """
    with transaction() as cursor:
        row = _load(cursor, person, conflict_id)
        if row["state"] != "resolved":
            raise Stale("Only a settled conflict has another value to use.")
        choice, value = _other(cursor, row)
        save_values(
            cursor,
            person,
            row["record_id"],
            {row["field"]: value},
            "Used the other value of a settled conflict.",
        )
        fan_out(cursor, [row["record_id"]], rank=PEOPLE)
        cursor.execute(
            "UPDATE conflict SET how = %s, resolved_by = %s, resolved_at = now(), result = %s,"
            " undo = NULL WHERE id = %s",
            (choice, person.user_id, dumps(row[choice]), conflict_id),
        )
        after: dict[str, Json] = {"how": choice, "field": row["field"]}
        audit.write(cursor, person, "conflict.other", "conflict", conflict_id, after=after)
        reference = ask(cursor, person, row)
    if reference is not None and not reference.folded:
        dispatch.enqueue("sync.run", tenancy.organization(), reference.id, urgent=True)


def _load(cursor: Cursor, person: Person, conflict_id: UUID) -> Row:
    """Lock a conflict with its record and link, the live run of its connection first."""
    known = cursor.execute(
        "SELECT record_id, connection_id FROM conflict WHERE id = %s", (conflict_id,)
    ).fetchone()
    if known is None:
        raise NotFound("There is no such conflict.")
    record_scope.require_record(cursor, person, known["record_id"])
    cursor.execute(LIVE + " FOR UPDATE", (known["connection_id"],))
    row = cursor.execute(LOAD, ([conflict_id],)).fetchone()
    if row is None:
        raise NotFound("There is no such conflict.")
    return row


def _is_untouched(cursor: Cursor, row: Row) -> bool:
    """Whether nothing has acted on the choice: the bases stand as it left them, nothing is sent."""
    undo = row["undo"]
    if bases_of(row) != undo["after"]:
        return False
    if row["how"] in {"typed", "merged"} and not same(
        row["data"].get(row["field"]), inner(row["result"])
    ):
        return False
    sending = cursor.execute(
        "SELECT 1 FROM effect WHERE link_id = %s LIMIT 1", (row["link_id"],)
    ).fetchone()
    return sending is None


def _put_back(cursor: Cursor, person: Person, row: Row) -> None:
    undo = row["undo"]
    for side in ("ours", "theirs"):
        held = undo["before"][side]
        cursor.execute(
            PUT_BACK[side],
            (row["rule_id"], dumps({row["rule_id"]: held[0]} if held else {}), row["link_id"]),
        )
    if row["how"] in {"typed", "merged"}:
        save_values(
            cursor,
            person,
            row["record_id"],
            {row["field"]: inner(undo["held"])},
            "Opened a settled conflict again.",
        )


PUT_BACK = {
    "ours": "UPDATE link SET base_ours = (base_ours - %s) || %s::jsonb WHERE id = %s",
    "theirs": "UPDATE link SET base_theirs = (base_theirs - %s) || %s::jsonb WHERE id = %s",
}


def _run_of(cursor: Cursor, row: Row) -> UUID | None:
    found = cursor.execute(
        "SELECT run_id FROM operation WHERE record_id = %s AND run_id IS NOT NULL"
        " AND state = 'done' AND coalesce(done_at, at) >= %s ORDER BY at DESC LIMIT 1",
        (row["record_id"], row["resolved_at"]),
    ).fetchone()
    return found["run_id"] if found else None


def _other(cursor: Cursor, row: Row) -> tuple[str, Json]:
    """Return the side that lost and its value in our spelling."""
    use = conflict_rules.load_uses(cursor, [row["connection_id"]]).get(
        (row["stream_id"], row["rule_id"])
    )
    field = conflict_rules.field_of(row["kind"], row["field"])
    if use is None or field is None or field.type == "reference":
        raise Stale("This field is not mapped any more. Open the record to change it.")
    theirs = conflict_rules.to_ours(use, inner(row["theirs"]))
    now, ours = row["data"].get(row["field"]), inner(row["ours"])
    if same(now, ours):
        if theirs.error:
            raise Stale(theirs.error)
        return "theirs", theirs.value
    if not theirs.error and same(now, theirs.value):
        return "ours", ours
    raise Stale(MOVED_ON)
