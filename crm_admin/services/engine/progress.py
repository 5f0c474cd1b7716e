"""How much a pass has before it, as far as anybody knows: what the CRM tells, or what is linked."""

from crm_admin.jsontypes import Json
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import transaction

LINKED = """
SELECT remote_object, count(*) AS n FROM link
 WHERE connection_id = %s AND remote_object = ANY(%s) AND status = 'linked'
 GROUP BY remote_object
"""


def expect_linked(work: Work) -> None:
    """Expect of objects that are read in full again what is linked; of one that was never read
    nothing is known.
    """
    windows = work.checkpoint.get("since")
    again = [
        remote.name
        for remote in work.objects
        if isinstance(windows, dict)
        and windows.get(remote.name) is None
        and all(stream.row["watermark"] is not None for stream in remote.streams)
    ]
    expected: dict[str, Json] = dict.fromkeys(again, 0)
    if again:
        with transaction() as cursor:
            rows = cursor.execute(LINKED, (work.connection_id, again)).fetchall()
        expected |= {row["remote_object"]: row["n"] for row in rows}
    work.checkpoint["expected"] = expected


def expect_told(work: Work, remote_object: str, total: int | None) -> None:
    """Expect of an object what the CRM told."""
    expected = work.checkpoint.get("expected")
    if total is not None and isinstance(expected, dict):
        work.checkpoint["expected"] = {**expected, remote_object: total}
