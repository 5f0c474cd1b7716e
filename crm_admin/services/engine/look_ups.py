"""Which records the CRM's ids stand for, and the other way round, for the references of a slice."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.streams import RemoteObject
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor
from crm_admin.sync.drafts import PARKED, Ours, References

PAIRED = """
SELECT remote_object, remote_id, record_id, status FROM link
 WHERE connection_id = %(connection)s AND remote_id IS NOT NULL
   AND status NOT IN ('detached', 'shadow', 'duplicate_suspected')
"""

FORMER = """
SELECT a.remote_id, l.record_id FROM link_alias a
  JOIN link l ON l.organization_id = a.organization_id AND l.id = a.link_id
 WHERE a.connection_id = %(connection)s AND a.remote_object = %(other)s
   AND a.remote_id = ANY(%(ids)s)
"""

PLANNED_PAIRS = """
UNION ALL
SELECT remote_object, remote_id, record_id, 'linked' FROM operation
 WHERE run_id = %(run)s AND run_at = %(at)s AND action = 'link'
"""
"""What a plan is about to pair counts as paired in the rest of it."""


def look_up(
    cursor: Cursor,
    work: Work,
    remote: RemoteObject,
    records: Sequence[RemoteRecord],
    ours: Iterable[Ours],
) -> References:
    """Return which records the associated remote ids are linked to, and the remote ids of our
    references' targets.
    """
    record_of: dict[tuple[str, str], str] = {}
    remote_of: dict[tuple[str, str], str] = {}
    if not remote.associations:
        return References(record_of, remote_of)
    for other in remote.associations:
        ids = list({one for r in records for one in r.associations.get(other, ())})
        record_of |= {(other, one): record for one, record in _records(cursor, work, other, ids)}
    targets = {
        UUID(v) for o in ours for v in o.references.values() if v and not v.startswith(PARKED)
    }
    if targets:
        mine = _query(work) + "record_id = ANY(%(ids)s) AND status = 'linked'"
        for row in cursor.execute(mine, {**_named(work), "ids": list(targets)}).fetchall():
            remote_of[row["remote_object"], str(row["record_id"])] = row["remote_id"]
    return References(record_of, remote_of)


def _records(
    cursor: Cursor, work: Work, other: str, ids: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the records that ids stand for today, those too that an id stood for before a merge."""
    if not ids:
        return
    mine = _query(work) + "remote_object = %(other)s AND remote_id = ANY(%(ids)s)"
    named = {**_named(work), "other": other, "ids": ids}
    known: set[str] = set()
    for row in cursor.execute(mine, named).fetchall():
        known.add(row["remote_id"])
        yield row["remote_id"], str(row["record_id"])
    missing = [one for one in ids if one not in known]
    if missing:
        for row in cursor.execute(FORMER, {**named, "ids": missing}).fetchall():
            yield row["remote_id"], str(row["record_id"])


def _query(work: Work) -> str:
    known = PAIRED + (PLANNED_PAIRS if work.staged else "")
    return f"SELECT * FROM ({known}) p WHERE "  # noqa: S608 -- two constants of ours


def _named(work: Work) -> dict[str, object]:
    return {"connection": work.connection_id, "run": work.run_id, "at": work.run_at}
