"""The mass-change guard at the end of a pass: releases what was held back, or makes it a plan for a
person.
"""

from crm_admin.services import attention
from crm_admin.services.attention import Item
from crm_admin.services.engine.apply import split_into_plan
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor
from crm_admin.sync.guard import Limits, Totals, verdict

LINKED = "SELECT count(*) AS n FROM link WHERE connection_id = %s AND status = 'linked'"

HELD = """
SELECT count(*) FILTER (WHERE side = 'theirs' AND action = 'create') AS creates,
       count(*) FILTER (WHERE action = 'delete') AS deletes,
       count(*) FILTER (WHERE action = 'update') AS blanks,
       count(*) AS n
  FROM operation WHERE run_id = %s AND run_at = %s AND state = 'planned' AND action IN ('create',
  'update', 'delete')
"""


PLANNED = """
SELECT count(*) FILTER (WHERE action = 'delete') AS deletes,
       count(*) FILTER (WHERE action = 'update' AND EXISTS (
           SELECT 1 FROM jsonb_each(fields) AS f
            WHERE jsonb_typeof(f.value) = 'array' AND f.value->0 NOT IN ('null', '""')
              AND f.value->1 IN ('null', '""'))) AS blanks
  FROM operation WHERE run_id = %s AND run_at = %s AND state = 'planned'
"""


def too_much(cursor: Cursor, work: Work) -> str:
    """Return the sentence that says what a plan destroys beyond the connection's limits, "" when it
    keeps to them; what it creates is for whoever approves it.
    """
    found = cursor.execute(PLANNED, (work.run_id, work.run_at)).fetchone()
    linked = cursor.execute(LINKED, (work.connection_id,)).fetchone()
    if found is None or linked is None:
        return ""
    totals = Totals(creates=0, deletes=found["deletes"], blanks=found["blanks"])
    result = verdict(totals, linked=linked["n"], limits=Limits.of(work.limits))
    return "" if result.ok else result.sentence


def guard(work: Work) -> bool:
    """Return whether held-back operations were found and may be carried out by this run.

    Totals beyond the connection's limits leave a plan with reason *guard* that only a person can
    release.
    """
    with unit(work.lease) as cursor:
        held = cursor.execute(HELD, (work.run_id, work.run_at)).fetchone()
        if held is None or not held["n"]:
            return False
        linked = cursor.execute(LINKED, (work.connection_id,)).fetchone()
        result = verdict(
            Totals(
                creates=work.totals.get("creates_wanted", 0),
                deletes=held["deletes"],
                blanks=held["blanks"],
            ),
            linked=linked["n"] if linked else 0,
            limits=Limits.of(work.limits),
        )
        if result.ok:
            return True
        plan_id = split_into_plan(cursor, work, result.sentence)
        attention.raise_item(
            cursor,
            work.organization_id,
            Item("guard", str(plan_id), f"{work.connection_name}: {result.sentence}"),
        )
        work.counts["guarded"] += held["n"]
        work.save(cursor)
    return False
