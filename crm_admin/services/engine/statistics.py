"""Keeps the database's statistics near the truth while a pull fills tables that were empty."""

from contextlib import suppress
from typing import Final

from psycopg.errors import LockNotAvailable

from crm_admin.services.engine.work import Work
from crm_admin.services.sql import transaction

FIRST: Final = 1_000
GROWTH: Final = 4


def keep_fresh(work: Work) -> None:
    """Have outgrown tables analysed when this worker's creates have grown many times; the server's
    own housekeeping comes by only once a minute, and plans made for empty tables read everything.
    """
    made = work.totals.get("created_rows", 0)
    if made < max(FIRST, GROWTH * work.analysed_at):
        return
    work.analysed_at = made
    # Somebody else who is at it does the same.
    with suppress(LockNotAvailable), transaction() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '100ms'")
        cursor.execute("SELECT refresh_statistics()")
