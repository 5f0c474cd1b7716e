"""Counts what became of writes for the runs that planned them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from uuid import UUID

from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, dumps

WORDS = {"create": "theirs_created", "update": "theirs_updated", "delete": "theirs_deleted"}

THEIRS = "SELECT counts FROM sync_run WHERE id = %s FOR UPDATE"
COUNTED = "UPDATE sync_run SET counts = %s WHERE id = %s"


def count_writes(cursor: Cursor, work: Work, told: Sequence[tuple[Row, str]]) -> None:
    """Count each write for the run that planned it: an earlier one may have left it open, and its
    figures stand for its own operations.
    """
    by_run: dict[UUID, Counter[str]] = defaultdict(Counter)
    for row, name in told:
        by_run[row["run_id"]][name] += 1
    work.counts += by_run.pop(work.run_id, Counter())
    for run_id, counts in by_run.items():
        known = cursor.execute(THEIRS, (run_id,)).fetchone()
        if known is not None:
            totals = Counter(known["counts"] or {})
            totals.update(counts)
            cursor.execute(COUNTED, (dumps(totals), run_id))
