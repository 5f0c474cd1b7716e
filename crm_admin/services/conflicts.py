"""Settling conflicts: a choice moves the base, and the merge then does the rest like for any
edit.
"""

from dataclasses import dataclass
from uuid import UUID

from crm_admin import dispatch, tenancy
from crm_admin.errors import BadInput, NotFound
from crm_admin.services import record_scope
from crm_admin.services.access import Person
from crm_admin.services.engine import requests
from crm_admin.services.engine.requests import Request, RunRef
from crm_admin.services.sql import Cursor, Row, dumps, transaction


@dataclass(frozen=True, slots=True)
class Resolved:
    """`reopened` says that a side moved since the person looked: nothing was settled."""

    reopened: bool


def seen_of(row: Row) -> str:
    """Return what names the two values of a conflict that a person saw."""
    seen = row["seen"] or {}
    return f"{seen.get('ours', '')}:{seen.get('theirs', '')}"


def resolve(*, person: Person, conflict_id: UUID, choice: str, seen: str) -> Resolved:
    """Settle a conflict with our value or theirs and bring the record into agreement; twice is
    once.

    Choosing ours makes their present value the agreed one, so that ours counts as changed and is
    sent; choosing
    theirs the other way round. When either side moved since it was seen, the conflict stays open
    with fresh values.
    """
    if choice not in {"ours", "theirs"}:
        raise BadInput("choice", "Choose the value of CRM Admin or the value of the CRM.")
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT c.id, c.link_id, c.stream_id, c.record_id, c.connection_id, c.rule_id,"
            " c.field, c.ours, c.theirs,"
            " c.state, c.seen, r.data, r.version FROM conflict c JOIN record r"
            " ON r.organization_id = c.organization_id AND r.id = c.record_id WHERE c.id = %s FOR"
            " UPDATE OF c",
            (conflict_id,),
        ).fetchone()
        if row is None:
            raise NotFound("There is no such conflict.")
        record_scope.require_record(cursor, person, row["record_id"])
        if row["state"] == "resolved":
            return Resolved(reopened=False)
        if row["state"] != "open":
            raise NotFound("This conflict is settled already.")
        if seen_of(row) != seen or _moved(row):
            return Resolved(reopened=True)
        _move_base(cursor, row, choice)
        cursor.execute(
            "UPDATE conflict SET state = 'resolved', how = %s, resolved_by = %s, resolved_at ="
            " now() WHERE id = %s",
            (choice, person.user_id, conflict_id),
        )
        cursor.execute(AGAIN, (row["stream_id"], row["record_id"]))
        reference = _ask(cursor, person, row)
    if reference is not None and not reference.folded:
        dispatch.enqueue("sync.run", tenancy.organization(), reference.id, urgent=True)
    return Resolved(reopened=False)


AGAIN = """
INSERT INTO outbox (organization_id, stream_id, record_id, version, rank, not_before, attempts,
created_at)
SELECT r.organization_id, %s, r.id, r.version, 0, now(), 0, now() FROM record r WHERE r.id = %s
ON CONFLICT (organization_id, stream_id, record_id) DO UPDATE SET not_before = now(), rank = 0,
attempts = 0
"""


def _ask(cursor: Cursor, person: Person, row: Row) -> RunRef | None:
    """An active connection is brought into agreement now; one that is not does it once it is."""
    found = cursor.execute(
        "SELECT stance FROM connection WHERE id = %s", (row["connection_id"],)
    ).fetchone()
    if found is None or found["stance"] != "active":
        return None
    return requests.ask(
        cursor,
        Request(
            connection_id=row["connection_id"],
            mode="record",
            trigger="conflict",
            by_name=person.name,
            by_user=person.user_id,
            records=[(row["stream_id"], row["record_id"])],
        ),
    )


def _moved(row: Row) -> bool:
    """Our side is compared at once; theirs again by the merge, which reads it before it writes."""
    now = row["data"].get(row["field"])
    held = (row["ours"] or {}).get("v")
    return (
        bool(row["field"] in row["data"] or held is not None)
        and now != held
        and not _is_reference(row)
    )


def _is_reference(row: Row) -> bool:
    return row["field"] not in row["data"]


MOVE_BASE = {
    "ours": "UPDATE link SET base_theirs = base_theirs || %s, base_ours = %s || base_ours,"
    " updated_at = now() WHERE id = %s",
    "theirs": "UPDATE link SET base_ours = base_ours || %s, base_theirs = %s || base_theirs,"
    " updated_at = now() WHERE id = %s",
}


def _move_base(cursor: Cursor, row: Row, choice: str) -> None:
    """What the losing side holds becomes what both last agreed on, so that the winner counts as
    changed.
    """
    value = (row["theirs"] if choice == "ours" else row["ours"] or {}).get("v")
    held, blank = dumps({row["rule_id"]: value}), dumps({row["rule_id"]: None})
    cursor.execute(MOVE_BASE[choice], (held, blank, row["link_id"]))
