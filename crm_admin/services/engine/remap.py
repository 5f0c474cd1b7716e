"""Walks the links that were last agreed on under an older mapping, once after each publishing."""

from uuid import UUID

from crm_admin.crashpoints import crashpoint
from crm_admin.errors import present
from crm_admin.services.engine.reads import Read
from crm_admin.services.engine.slices import take_slice
from crm_admin.services.engine.streams import Stream
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Row, transaction

SLICE = 500
FIRST = UUID(int=0)

OLDER = """
SELECT record_id, remote_id FROM link
 WHERE stream_id = %s AND status = 'linked' AND mapping_version < %s AND record_id > %s
 ORDER BY record_id LIMIT %s
"""

# Somebody may have published again, or widened the roll-out, while this run walked.
DONE = """
UPDATE stream s SET remap_due = false FROM mapping_version m
 WHERE s.id = %s AND m.stream_id = s.id AND m.number = s.mapping_version
   AND s.mapping_version = %s AND m.percent = %s
"""


def due(work: Work) -> list[Stream]:
    """Return the streams whose mapping asks for values to be made anew."""
    found = [stream for remote in work.objects for stream in remote.streams]
    return [stream for stream in found if stream.row["remap_due"]]


def walk(work: Work, stream: Stream) -> bool:
    """Decide one slice of a stream's older links anew; return whether there may be more.

    A plan looks at them too, but the walk stays due until a run writes.
    """
    newest = stream.ahead or stream.facts
    after = UUID(str(work.checkpoint.get("after") or FIRST))
    with transaction() as cursor:
        rows = cursor.execute(OLDER, (stream.id, newest.version, after, SLICE)).fetchall()
    if not rows:
        if not work.staged:
            with unit(work.lease) as cursor:
                cursor.execute(DONE, (stream.id, newest.version, stream.percent))
        return False
    _take(work, stream, rows)
    return True


def _take(work: Work, stream: Stream, rows: list[Row]) -> None:
    newest = (stream.ahead or stream.facts).version
    mine = [row for row in rows if stream.of(row["record_id"]).facts.version == newest]
    remote = present(work.remote(stream.facts.remote_object))
    ids = [row["remote_id"] for row in mine]
    names = work.properties(remote)
    records = work.provider.get(remote.name, ids, names, remote.associations) if ids else ()
    crashpoint("remap.read")
    with unit(work.lease) as cursor:
        if records:
            take_slice(cursor, work, Read(remote, records))
        work.checkpoint["after"] = str(rows[-1]["record_id"])
        work.save(cursor, phase="matching")
