"""When a delta looks for what leaves no stamp in the CRM: archived records and associations."""

from datetime import timedelta
from typing import Final

from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, transaction

LONGEST: Final = timedelta(hours=1)
"""The longest a busy connection goes without such a look."""

DUE = """
SELECT (SELECT coalesce(min(swept_at), '-infinity') < now() - %s FROM stream WHERE id = ANY(%s))
    OR NOT EXISTS (SELECT 1 FROM outbox WHERE stream_id = ANY(%s) AND not_before <= now()) AS due
"""

LOOKED = "UPDATE stream SET swept_at = now() WHERE id = ANY(%s)"


def plan_look(work: Work) -> None:
    """Decide whether this pass looks: edits of ours go first, though not for more than an hour."""
    streams = [stream.id for remote in work.objects for stream in remote.streams]
    with transaction() as cursor:
        row = cursor.execute(DUE, (LONGEST, streams, streams)).fetchone()
    work.checkpoint["unstamped"] = bool(row and row["due"])


def looks(work: Work) -> bool:
    """Say whether this pass looks for what leaves no stamp."""
    return bool(work.checkpoint.get("unstamped"))


def note_look(cursor: Cursor, work: Work) -> None:
    """Remember that a finished pass has looked, as a full one always does."""
    windows = work.checkpoint.get("since")
    names = windows if isinstance(windows, dict) else {}
    seen = [
        stream.id
        for remote in work.objects
        if remote.name in names and (looks(work) or names[remote.name] is None)
        for stream in remote.streams
    ]
    cursor.execute(LOOKED, (seen,))
