"""What becomes of links, and by policy of our records, when the CRM no longer has its own."""

from collections.abc import Sequence
from uuid import UUID

from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.gather import Slice, Standing, Subject
from crm_admin.services.engine.known import names_of
from crm_admin.services.engine.links import put_back
from crm_admin.services.engine.operations import Entry, write_operations
from crm_admin.services.engine.outcomes import want_remote
from crm_admin.services.engine.streams import RemoteObject
from crm_admin.services.engine.work import Work
from crm_admin.services.record_store import BULK, fan_out
from crm_admin.services.sql import Cursor, Row
from crm_admin.sync.drafts import Draft
from crm_admin.sync.states import GoneThere, LinkStatus, OperationAction, OperationState, Side

SECOND_LOOK_SECONDS = 600
"""One answer without a record may be a replica that lags; two so far apart are not."""

LIVING = """
SELECT l.id, l.stream_id, l.record_id, l.remote_object, l.remote_id, r.title,
       r.deleted_at IS NULL AS ours
  FROM link l JOIN record r ON r.organization_id = l.organization_id AND r.id = l.record_id
"""

CLOSE = """
UPDATE link l SET status = 'remote_gone', error = %(error)s, missing_at = NULL,
       remote_updated_at = greatest(l.remote_updated_at, v.at), updated_at = now()
  FROM unnest(%(ids)s::uuid[], %(at)s::timestamptz[]) AS v (id, at) WHERE l.id = v.id
"""


def note_archived(
    cursor: Cursor, work: Work, remote: RemoteObject, records: Sequence[RemoteRecord]
) -> None:
    """Take what the CRM says is archived: links are gone, our records by their stream's policy.

    What was merged into an archived record is archived with it. A record of ours that the policy
    deletes waits for the guard, like everything that destroys.
    """
    at = {one: record.updated_at for record in records for one in names_of(record, remote.name)}
    rows = cursor.execute(
        LIVING + " WHERE l.connection_id = %s AND l.remote_object = %s AND l.remote_id = ANY(%s)"
        " AND l.status = 'linked'",
        (work.connection_id, remote.name, list(at)),
    ).fetchall()
    sentence = f"Archived in {work.connection_name}."
    _close(cursor, work, [{**row, "at": at[row["remote_id"]]} for row in rows], sentence)


def _close(cursor: Cursor, work: Work, rows: Sequence[Row], sentence: str) -> None:
    if not rows:
        return
    removed = [row for row in rows if row["ours"] and _deletes(work, row)]
    _plan_removals(cursor, work, removed, sentence)
    if not work.staged:
        ids, stamps = [row["id"] for row in rows], [row.get("at") for row in rows]
        cursor.execute(CLOSE, {"error": sentence, "ids": ids, "at": stamps})


def _deletes(work: Work, row: Row) -> bool:
    stream = work.stream(row["stream_id"])
    return stream is not None and stream.row["gone_there"] == GoneThere.DELETE.value


def _plan_removals(cursor: Cursor, work: Work, rows: Sequence[Row], sentence: str) -> None:
    draft = Draft(Side.OURS, OperationAction.DELETE, reason_code="gone_there", reason=sentence)
    entries = [
        Entry(
            draft,
            OperationState.PLANNED,
            row["stream_id"],
            row["remote_object"],
            row["title"] or "",
            record_id=row["record_id"],
            link_id=row["id"],
            remote_id=row["remote_id"],
        )
        for row in rows
    ]
    write_operations(cursor, work, entries)
    work.counts["withheld"] += 0 if work.staged else len(entries)


MISS = """
UPDATE link SET missing_at = coalesce(missing_at, now())
 WHERE id = ANY(%(ids)s) AND status = 'linked'
RETURNING id, missing_at <= now() - make_interval(secs => %(wait)s) AS twice
"""


def missed(cursor: Cursor, work: Work, link_ids: Sequence[UUID]) -> None:
    """Take that reads by id did not find the records of these links: the second time, ten minutes
    after the first, they are gone; until then they are looked at again.
    """
    if work.staged or not link_ids:
        return
    told = cursor.execute(MISS, {"ids": list(link_ids), "wait": SECOND_LOOK_SECONDS}).fetchall()
    rows = cursor.execute(
        LIVING + " WHERE l.id = ANY(%s)", ([row["id"] for row in told],)
    ).fetchall()
    twice = {row["id"] for row in told if row["twice"]}
    sentence = f"{work.connection_name} no longer has this record."
    _close(cursor, work, [row for row in rows if row["id"] in twice], sentence)
    again = [(row["stream_id"], row["record_id"]) for row in rows if row["id"] not in twice]
    put_back(cursor, again, seconds=SECOND_LOOK_SECONDS)


def missed_remotes(cursor: Cursor, work: Work, name: str, remote_ids: Sequence[str]) -> None:
    """The same for records that were asked for by their ids in the CRM."""
    rows = cursor.execute(
        "SELECT id FROM link WHERE connection_id = %s AND remote_object = %s"
        " AND remote_id = ANY(%s) AND status = 'linked'",
        (work.connection_id, name, list(remote_ids)),
    ).fetchall()
    missed(cursor, work, [row["id"] for row in rows])


def close_slice(cursor: Cursor, work: Work, found: Slice) -> None:
    """Take what a slice shows of records that were missed before, are missing now, or came back."""
    if found.seen_again:
        cursor.execute("UPDATE link SET missing_at = NULL WHERE id = ANY(%s)", (found.seen_again,))
    missed(cursor, work, [UUID(s.pair.matched_by) for s in found.subjects if s.reason == "gone"])
    _bring_back(cursor, work, [s for s in found.subjects if _came_back(s)])


def _came_back(subject: Subject) -> bool:
    pair = subject.pair
    return (
        subject.standing is Standing.CLOSED
        and subject.reason != "stale"
        and pair.ours is not None
        and pair.ours.deleted
        and pair.theirs is not None
        and pair.link is not None
        and pair.link.status is LinkStatus.REMOTE_GONE
        and subject.stream.facts.takes
    )


BACK = """
UPDATE record SET deleted_at = NULL, version = version + 1, updated_at = now()
 WHERE id = ANY(%s) AND deleted_at IS NOT NULL AND merged_into IS NULL RETURNING id
"""


def _bring_back(cursor: Cursor, work: Work, subjects: Sequence[Subject]) -> None:
    """Records of ours that went with theirs come back with them, and are looked at by this run."""
    if work.staged or not subjects:
        return
    ids = [s.pair.here.record_id for s in subjects]
    back = {row["id"] for row in cursor.execute(BACK, (ids,)).fetchall()}
    mine = [s for s in subjects if s.pair.here.record_id in back]
    sentence = f"Restored in {work.connection_name}."
    draft = Draft(Side.OURS, OperationAction.UPDATE, reason_code="restored", reason=sentence)
    entries = []
    for subject in mine:
        pair, stream = subject.pair, subject.stream
        name, link = stream.facts.remote_object, pair.link
        entries.append(
            Entry(
                draft,
                OperationState.DONE,
                stream.id,
                name,
                pair.here.title,
                record_id=pair.here.record_id,
                link_id=link.link_id if link else None,
                remote_id=pair.there.id,
            )
        )
        want_remote(cursor, work, name, pair.there.id)
    write_operations(cursor, work, entries)
    fan_out(cursor, list(back), rank=BULK, but=work.connection_id)
    work.counts["ours_updated"] += len(back)
