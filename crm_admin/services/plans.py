"""Plans as people handle them: decide, leave out, approve, discard."""

from uuid import UUID

from flask import current_app

from crm_admin import dispatch, tenancy
from crm_admin.errors import Stale
from crm_admin.security.permissions import Permission
from crm_admin.services import attention, audit, undo
from crm_admin.services.access import Person, require
from crm_admin.services.engine.opening import SWITCHED_OFF
from crm_admin.services.engine.requests import LIVE, RunRef
from crm_admin.services.plan_choices import (
    decide_field,
    decide_match,
    exclude,
    exclude_all,
    plan_row,
    require_choices,
    tick,
)
from crm_admin.services.sql import Cursor, Row, dumps, transaction

__all__ = [
    "approve",
    "decide_field",
    "decide_match",
    "discard",
    "exclude",
    "exclude_all",
    "tick",
]


def approve(  # noqa: PLR0913 -- one verb, everything it binds to by name
    *,
    person: Person,
    run_id: UUID,
    plan_hash: str,
    once_key: str | None = None,
    side: str | None = None,
    choices: str | None = None,
    wake: bool = True,
) -> RunRef:
    """Queue a plan to be carried out exactly; the same once_key approves it once.

    `side` leaves out the writes to the other side, `choices` names what the person saw decided. An
    observing connection becomes active with its first approved plan. What the guard held back needs
    the right to release it. Stale when the plan is not the one that was seen or cannot run now.
    """
    with transaction() as cursor:
        plan = plan_row(cursor, run_id)
        if plan["state"] != "planned" and once_key and plan["once_key"] == once_key:
            return RunRef(run_id, plan["state"], folded=True)
        require(person, _right_for(cursor, plan))
        _check(cursor, plan, plan_hash)
        require_choices(plan, choices)
        if side in {"ours", "theirs"}:
            _leave_out_other(cursor, plan, side)
        checkpoint = {**(plan["checkpoint"] or {}), "stage": "release"}
        cursor.execute(APPROVE, (person.user_id, dumps(checkpoint), once_key, run_id))
        cursor.execute(ACTIVATE, (plan["connection_id"],))
        attention.settle_item(cursor, kind="guard", subject=str(run_id))
        audit.write(
            cursor,
            person,
            "plan.release" if plan["reason_code"] == "guard" else "plan.approve",
            "sync_run",
            run_id,
            after={"side": side, "hash": plan_hash},
        )
    if wake:
        dispatch.enqueue("sync.run", tenancy.organization(), run_id, turn=1)
    return RunRef(run_id, "queued")


def _right_for(cursor: Cursor, plan: Row) -> Permission:
    """Return the right that approving needs: that of the run it takes back, where it is an undo."""
    if plan["reason_code"] == "guard":
        return Permission.RUN_RELEASE
    if plan["mode"] == "undo":
        return undo.right_for(undo.origin_row(cursor, plan["undo_of"]))
    return Permission.PLAN_APPROVE


APPROVE = """
UPDATE sync_run SET state = 'queued', staged = false, approved_by = %s, approved_at = now(),
       checkpoint = %s, counts = '{}', once_key = coalesce(%s, once_key), reason = NULL
 WHERE id = %s
"""

ACTIVATE = """
UPDATE connection SET stance = 'active', updated_at = now() WHERE id = %s AND stance = 'observe'
"""


def _check(cursor: Cursor, plan: Row, plan_hash: str) -> None:
    if plan["state"] != "planned":
        raise Stale("This plan was already approved, discarded or replaced.")
    if plan["plan_hash"] != plan_hash:
        raise Stale("This plan is not the one you looked at. Look at it again before you apply it.")
    if plan["late"]:
        raise Stale("This plan is too old to be applied. Plan the sync again; nothing was written.")
    if not current_app.config["CRM"].crm_enabled:
        raise Stale(SWITCHED_OFF)
    if plan["stance"] == "paused":
        raise Stale("The connection is paused. Resume it in its settings, then apply the plan.")
    if cursor.execute(LIVE, (plan["connection_id"],)).fetchone() is not None:
        raise Stale("A sync of this connection is running. Apply the plan when it is done.")


def _leave_out_other(cursor: Cursor, plan: Row, side: str) -> None:
    cursor.execute(
        "UPDATE operation SET excluded = true WHERE run_id = %s AND run_at = %s"
        " AND state = 'planned' AND side <> %s AND action IN ('create', 'update', 'delete')",
        (plan["id"], plan["created_at"], side),
    )


def discard(*, person: Person, run_id: UUID) -> None:
    """Close a plan without carrying anything out."""
    with transaction() as cursor:
        plan = plan_row(cursor, run_id)
        if plan["state"] != "planned":
            raise Stale("This plan was already approved, discarded or replaced.")
        cursor.execute(
            "UPDATE sync_run SET state = 'cancelled', finished_at = now(), reason = %s,"
            " reason_code = 'discarded'"
            " WHERE id = %s",
            (f"Discarded by {person.name}.", run_id),
        )
        attention.settle_item(cursor, kind="guard", subject=str(run_id))
        audit.write(cursor, person, "plan.discard", "sync_run", run_id)
