"""What a full run left for a person: look-alikes, and first differences that nobody has decided."""

from crm_admin.services import attention
from crm_admin.services.attention import Item
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor

KIND = "undecided"

LEFT = """
SELECT count(*) FILTER (WHERE action = 'match') AS alike,
       count(*) FILTER (WHERE action = 'agree') AS differing
  FROM operation WHERE run_id = %s AND run_at = %s AND state = 'skipped' AND action IN ('match',
  'agree')
"""


def tell(cursor: Cursor, work: Work) -> None:
    """Raise or settle the connection's item in the work list, as the whole of both sides stands."""
    if work.mode != "full":
        return
    row = cursor.execute(LEFT, (work.run_id, work.run_at)).fetchone()
    alike = int(row["alike"]) if row else 0
    differing = max(int(row["differing"]) if row else 0, work.totals.get("asked", 0))
    subject = str(work.connection_id)
    if not alike and not differing:
        attention.settle_item(cursor, kind=KIND, subject=subject)
        return
    parts = [_count(alike, "look-alike", "look-alikes")] if alike else []
    if differing:
        parts.append(_count(differing, "record with differences", "records with differences"))
    item = Item(
        KIND,
        subject,
        f"{work.connection_name}: {' and '.join(parts)} wait for a decision."
        " Both sides keep their values until then.",
        {"label": "Plan a sync", "url": f"/admin/crm/settings/{subject}"},
    )
    attention.raise_item(cursor, work.organization_id, item)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
