"""Plans as people handle them: decide, leave out, approve, discard."""

from collections.abc import Sequence
from uuid import UUID

from flask import current_app

from crm_admin import dispatch, tenancy
from crm_admin.errors import BadInput, NotFound, Stale
from crm_admin.services import attention, audit
from crm_admin.services.access import Person
from crm_admin.services.engine.opening import SWITCHED_OFF
from crm_admin.services.engine.requests import LIVE, RunRef
from crm_admin.services.sql import Cursor, Row, dumps, transaction

CHOICES = {"ours", "theirs", "newest"}


def approve(
    *,
    person: Person,
    run_id: UUID,
    plan_hash: str,
    once_key: str | None = None,
    side: str | None = None,
    wake: bool = True,
) -> RunRef:
    """Queue a plan to be carried out exactly; the same once_key approves it once.

    `side` leaves out the writes to the other side. An observing connection becomes active with its
    first approved plan. Stale when the plan is not the one that was seen or cannot run now.
    """
    with transaction() as cursor:
        plan = _plan(cursor, run_id)
        if plan["state"] != "planned" and once_key and plan["once_key"] == once_key:
            return RunRef(run_id, plan["state"], folded=True)
        _check(cursor, plan, plan_hash)
        if side in {"ours", "theirs"}:
            _leave_out_other(cursor, plan, side)
        checkpoint = {**(plan["checkpoint"] or {}), "stage": "release"}
        cursor.execute(APPROVE, (person.user_id, dumps(checkpoint), once_key, run_id))
        cursor.execute(ACTIVATE, (plan["connection_id"],))
        attention.settle_item(cursor, kind="guard", subject=str(run_id))
        audit.write(
            cursor,
            person,
            "plan.approve",
            "sync_run",
            run_id,
            after={"side": side, "hash": plan_hash},
        )
    if wake:
        dispatch.enqueue("sync.run", tenancy.organization(), run_id, turn=1)
    return RunRef(run_id, "queued")


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
        plan = _plan(cursor, run_id)
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


def exclude(*, person: Person, run_id: UUID, operation_ids: Sequence[UUID], excluded: bool) -> int:
    """Leave operations out of a plan, or take them back in; return how many changed."""
    with transaction() as cursor:
        plan = _open_plan(cursor, run_id)
        cursor.execute(
            "UPDATE operation SET excluded = %s WHERE run_id = %s AND run_at = %s AND id = ANY(%s)"
            " AND state = 'planned' AND excluded <> %s",
            (excluded, run_id, plan["created_at"], list(operation_ids), excluded),
        )
        changed = cursor.rowcount
        audit.write(
            cursor,
            person,
            "plan.leave_out" if excluded else "plan.take_in",
            "sync_run",
            run_id,
            after={"operations": changed},
        )
        return changed


def decide_field(*, person: Person, run_id: UUID, rule_key: str, choice: str | None) -> None:
    """Settle a field's first differences for all records of the plan; None leaves both sides as
    they are.
    """
    if choice is not None and choice not in CHOICES:
        raise BadInput("choice", "Choose CRM Admin's value, the CRM's value, or the newest one.")
    with transaction() as cursor:
        plan = _open_plan(cursor, run_id)
        stream_id, _, rule_id = rule_key.partition(":")
        known = cursor.execute(
            "SELECT 1 FROM operation, jsonb_each(fields) AS f WHERE run_id = %s AND run_at = %s"
            " AND action = 'agree'"
            " AND stream_id::text = %s AND f.value->>3 = %s LIMIT 1",
            (run_id, plan["created_at"], stream_id, rule_id),
        ).fetchone()
        if known is None:
            raise BadInput("rule_key", "This plan has no such field to decide.")
        decisions = dict(plan["decisions"] or {})
        if choice is None:
            decisions.pop(rule_key, None)
        else:
            decisions[rule_key] = choice
        cursor.execute(
            "UPDATE sync_run SET decisions = %s WHERE id = %s",
            (dumps(decisions), run_id),
        )
        audit.write(cursor, person, "plan.decide", "sync_run", run_id, after={rule_key: choice})


def decide_match(*, person: Person, run_id: UUID, operation_id: UUID, choice: str | None) -> None:
    """Pair a look-alike with a record of ours, say that it is "new", or leave it open with None."""
    with transaction() as cursor:
        plan = _open_plan(cursor, run_id)
        row = cursor.execute(
            "SELECT inputs FROM operation WHERE run_id = %s AND run_at = %s AND id = %s AND action"
            " = 'match'"
            " AND state = 'planned'",
            (run_id, plan["created_at"], operation_id),
        ).fetchone()
        if row is None:
            raise NotFound("This plan has no such look-alike.")
        known = {str(candidate["record_id"]) for candidate in row["inputs"].get("candidates", [])}
        if choice is not None and choice != "new" and choice not in known:
            raise BadInput("choice", "Choose one of the look-alikes, or a new record.")
        inputs = {key: value for key, value in row["inputs"].items() if key != "choice"}
        if choice is not None:
            inputs["choice"] = choice
        cursor.execute(
            "UPDATE operation SET inputs = %s WHERE run_id = %s AND run_at = %s AND id = %s",
            (dumps(inputs), run_id, plan["created_at"], operation_id),
        )
        audit.write(
            cursor, person, "plan.match", "operation", operation_id, after={"choice": choice}
        )


PLAN = """
SELECT r.id, r.connection_id, r.state, r.plan_hash, r.checkpoint, r.decisions, r.once_key,
r.created_at, c.stance
  FROM sync_run r JOIN connection c ON c.organization_id = r.organization_id AND c.id =
  r.connection_id
 WHERE r.id = %s AND r.plan_hash IS NOT NULL FOR UPDATE OF r
"""


def _plan(cursor: Cursor, run_id: UUID) -> Row:
    row = cursor.execute(PLAN, (run_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such plan.")
    return row


def _open_plan(cursor: Cursor, run_id: UUID) -> Row:
    plan = _plan(cursor, run_id)
    if plan["state"] != "planned":
        raise Stale("This plan was already approved, discarded or replaced.")
    return plan
