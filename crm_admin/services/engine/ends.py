"""Sees associations that changed in the CRM without any stamp: many records to a call, a part of
them in each delta run.
"""

from collections.abc import Sequence

from crm_admin.crashpoints import crashpoint
from crm_admin.providers.base import Ends, RemoteRecord
from crm_admin.records.values import ABSENT
from crm_admin.services.engine.passes import since_of
from crm_admin.services.engine.reads import Read
from crm_admin.services.engine.slices import take_slice
from crm_admin.services.engine.streams import RemoteObject
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Row, transaction
from crm_admin.sync.crossing import wire_value
from crm_admin.sync.drafts import RuleUse

SLICE = 1_000
SLICES_PER_RUN = 1

NEXT = """
SELECT remote_id, stream_id, record_id, base_theirs FROM link
 WHERE connection_id = %s AND remote_object = %s AND remote_id > %s AND status = 'linked'
 ORDER BY remote_id LIMIT %s
"""

PLACE = "SELECT associations_after FROM stream WHERE id = %s"
KEEP = "UPDATE stream SET associations_after = %s WHERE id = %s"


def sweep(work: Work, remote: RemoteObject) -> bool:
    """Look at the associations of one slice of linked records and decide those that changed anew;
    return whether more of this object is to be looked at in this run.

    A full pass reads associations with every record, so only deltas need this. An account with more
    records than a run looks at is gone through over several runs.
    """
    done = int(str(work.checkpoint.get("slices") or 0))
    if since_of(work, remote.name) is None or not _taken(remote) or done >= SLICES_PER_RUN:
        return False
    rows = _next(work, remote, done)
    ids = [row["remote_id"] for row in rows]
    ends = work.provider.associations(remote.name, ids, remote.associations) if ids else {}
    moved = [row["remote_id"] for row in rows if _moved(work, row, ends[row["remote_id"]])]
    records: Sequence[RemoteRecord] = ()
    if moved:
        names = work.properties(remote)
        records = work.provider.get(remote.name, moved, names, remote.associations)
    more = len(rows) == SLICE
    crashpoint("associations.read")
    with unit(work.lease) as cursor:
        if records:
            take_slice(cursor, work, Read(remote, records))
        work.checkpoint |= {"after": ids[-1] if more else "", "slices": done + 1}
        cursor.execute(KEEP, (work.checkpoint["after"], remote.streams[0].id))
        work.save(cursor, phase="reading")
    return more and done + 1 < SLICES_PER_RUN


def _next(work: Work, remote: RemoteObject, done: int) -> list[Row]:
    with transaction() as cursor:
        if done:
            after = str(work.checkpoint.get("after") or "")
        else:
            row = cursor.execute(PLACE, (remote.streams[0].id,)).fetchone()
            after = str((row and row["associations_after"]) or "")
        return cursor.execute(NEXT, (work.connection_id, remote.name, after, SLICE)).fetchall()


def _taken(remote: RemoteObject) -> list[RuleUse]:
    return [
        use
        for stream in remote.streams
        if stream.facts.takes
        for use in stream.facts.rules
        if use.rule.association and use.rule.direction != "to_crm"
    ]


def _moved(work: Work, row: Row, ends: Ends) -> bool:
    """Whether a reference is no longer what both sides last agreed on."""
    stream = work.stream(row["stream_id"], row["record_id"])
    if stream is None:
        return False
    there = RemoteRecord(
        row["remote_id"], {}, None, associations=ends.ids, primaries=ends.primaries
    )
    for use in stream.facts.rules:
        if use.rule.association and use.rule.direction != "to_crm":
            agreed = row["base_theirs"].get(use.rule.id)
            if wire_value(use, there, agreed) not in (agreed, ABSENT):
                return True
    return False
