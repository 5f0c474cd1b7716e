"""What people decide about a plan before it is applied: leave out, take in, settle, pair."""

from collections.abc import Sequence
from uuid import UUID

from crm_admin.errors import BadInput, NotFound, Stale
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.queries.operations import APPLIED
from crm_admin.services.queries.plan import choices_of
from crm_admin.services.queries.plan_rows import Filters
from crm_admin.services.sql import Cursor, Row, dumps, id_array, transaction

CHOICES = {"ours", "theirs", "newest"}
CHANGED = "Someone changed the choices of this plan after you opened it. Look at it again."

PLAN = """
SELECT r.id, r.connection_id, r.state, r.plan_hash, r.checkpoint, r.decisions, r.once_key,
       r.created_at, r.reason_code, r.mode, r.undo_of, r.expires_at < now() AS late, c.stance
  FROM sync_run r JOIN connection c ON c.organization_id = r.organization_id
   AND c.id = r.connection_id
 WHERE r.id = %s AND r.plan_hash IS NOT NULL FOR UPDATE OF r
"""


def plan_row(cursor: Cursor, run_id: UUID) -> Row:
    """Return a plan's row and hold it: its choices and its state change one after the other."""
    row = cursor.execute(PLAN, (run_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such plan.")
    return row


def open_plan(cursor: Cursor, run_id: UUID) -> Row:
    """Return the row of a plan that waits for a person."""
    plan = plan_row(cursor, run_id)
    if plan["state"] != "planned":
        raise Stale("This plan was already approved, discarded or replaced.")
    return plan


def require_choices(plan: Row, seen: str | None) -> None:
    """Raise Stale when the choices are not those a person saw; None stands for any."""
    if seen is not None and seen != choices_of(plan["id"], plan["created_at"], plan["decisions"]):
        raise Stale(CHANGED)


def exclude(*, person: Person, run_id: UUID, operation_ids: Sequence[UUID], excluded: bool) -> int:
    """Leave operations out of a plan, or take them back in; return how many changed."""
    with transaction() as cursor:
        plan = open_plan(cursor, run_id)
        changed = _mark(cursor, plan, operation_ids, excluded=excluded)
        _tell(cursor, person, run_id, changed, excluded=excluded)
        return changed


def tick(
    *,
    person: Person,
    run_id: UUID,
    seen: str | None,
    out: Sequence[UUID],
    back: Sequence[UUID],
) -> tuple[int, str]:
    """Leave some operations out and take others in, as the boxes of one page say.

    Return how many changed and the name of the choices as they are then. Stale when somebody else
    chose meanwhile.
    """
    with transaction() as cursor:
        plan = open_plan(cursor, run_id)
        require_choices(plan, seen)
        left = _mark(cursor, plan, out, excluded=True)
        taken = _mark(cursor, plan, back, excluded=False)
        _tell(cursor, person, run_id, left, excluded=True)
        _tell(cursor, person, run_id, taken, excluded=False)
        return left + taken, choices_of(run_id, plan["created_at"], plan["decisions"])


def _mark(cursor: Cursor, plan: Row, operation_ids: Sequence[UUID], *, excluded: bool) -> int:
    if not operation_ids:
        return 0
    cursor.execute(
        "UPDATE operation SET excluded = %s WHERE run_id = %s AND run_at = %s"
        " AND id = ANY(%s::uuid[]) AND state = 'planned' AND excluded <> %s",
        (excluded, plan["id"], plan["created_at"], id_array(operation_ids), excluded),
    )
    return cursor.rowcount


EXCLUDE_ALL = """
UPDATE operation o SET excluded = %(excluded)s
 WHERE o.run_id = %(run)s AND o.run_at = %(run_at)s AND o.state = 'planned'
   AND o.excluded <> %(excluded)s AND o.action = ANY(%(actions)s)
   AND (%(side)s = '' OR o.side = %(side)s)
   AND (%(field)s = '' OR jsonb_exists(o.fields, %(field)s))
   AND (%(owner)s::uuid IS NULL OR EXISTS (
        SELECT 1 FROM record r WHERE r.id = o.record_id AND r.owner_id = %(owner)s::uuid))
"""


def exclude_all(*, person: Person, run_id: UUID, filters: Filters, excluded: bool) -> int:
    """Leave everything out that these filters show, or take it in, in one statement however many
    operations they are; return how many changed.
    """
    with transaction() as cursor:
        plan = open_plan(cursor, run_id)
        cursor.execute(
            EXCLUDE_ALL,
            {
                "excluded": excluded,
                "run": run_id,
                "run_at": plan["created_at"],
                "actions": [action for action in filters.actions if action in APPLIED],
                "side": filters.side,
                "field": filters.field,
                "owner": filters.owner_id,
            },
        )
        changed = cursor.rowcount
        _tell(cursor, person, run_id, changed, excluded=excluded)
        return changed


def _tell(cursor: Cursor, person: Person, run_id: UUID, changed: int, *, excluded: bool) -> None:
    if changed:
        action = "plan.leave_out" if excluded else "plan.take_in"
        audit.write(cursor, person, action, "sync_run", run_id, after={"operations": changed})


def decide_field(*, person: Person, run_id: UUID, rule_key: str, choice: str | None) -> None:
    """Settle a field's first differences for all records of the plan; None leaves both sides as
    they are.
    """
    if choice is not None and choice not in CHOICES:
        raise BadInput("choice", "Choose CRM Admin's value, the CRM's value, or the newest one.")
    with transaction() as cursor:
        plan = open_plan(cursor, run_id)
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
        plan = open_plan(cursor, run_id)
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
