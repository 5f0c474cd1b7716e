"""The steps of a pass: their pages, archived records, our outbox, single records that were asked
for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from crm_admin import clock
from crm_admin.crashpoints import crashpoint
from crm_admin.errors import ProviderBroken, present
from crm_admin.mapping.engine import RuleFailed
from crm_admin.providers.base import Ask, RemoteRecord
from crm_admin.records.values import is_blank
from crm_admin.services.engine.ahead import Pages
from crm_admin.services.engine.collector import collector_at_rest
from crm_admin.services.engine.gather import load_ours
from crm_admin.services.engine.gone import missed_remotes, note_archived
from crm_admin.services.engine.known import links_of_records
from crm_admin.services.engine.progress import expect_linked, expect_told
from crm_admin.services.engine.reads import Read
from crm_admin.services.engine.slices import take_slice
from crm_admin.services.engine.statistics import keep_fresh
from crm_admin.services.engine.streams import RemoteObject, Stream
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.unlinked import make_ready, unlinked_all
from crm_admin.services.engine.unstamped import plan_look
from crm_admin.services.engine.work import Work
from crm_admin.services.record_store import resolve_parked
from crm_admin.services.sql import transaction
from crm_admin.sync import watermark
from crm_admin.sync.drafts import Ours

SLICE = 1000
OUTBOX_SLICE = 500
CLOCK_MARGIN = timedelta(seconds=5)
"""Clocks are known to a second at best: reading a little into the future misses no fresh edit."""


def plan_windows(work: Work) -> None:
    """Fix, per remote object, from when it is read and how far the watermark may move once the pass
    is complete.

    Both are on the CRM's clock. A stream that was never read, or is due in full, is read from the
    beginning.
    """
    spec = work.provider.spec
    started, offset = clock.now(), work.provider.clock_offset()
    since: dict[str, str | None] = {}
    for remote in work.objects:
        marks = [stream.row["watermark"] for stream in remote.streams]
        full = (
            work.mode == "full"
            or any(stream.row["full_due"] for stream in remote.streams)
            or None in marks
        )
        again = watermark.overlap(spec.index_lag_seconds, spec.overlap_seconds)
        start = None if full else watermark.start_of_pass(min(marks), again)
        since[remote.name] = None if start is None else start.isoformat()
    work.checkpoint["since"] = since
    plan_look(work)
    expect_linked(work)
    reached = watermark.end_of_pass(
        started=started,
        clock_offset_seconds=offset,
        index_lag_seconds=spec.index_lag_seconds,
    )
    work.checkpoint["until"] = reached.isoformat()
    work.checkpoint["now"] = (started + timedelta(seconds=offset) + CLOCK_MARGIN).isoformat()


def since_of(work: Work, name: str) -> datetime | None:
    """Return from when an object is read in this pass; None means all of it."""
    windows = work.checkpoint.get("since")
    text = windows.get(name) if isinstance(windows, dict) else None
    return datetime.fromisoformat(str(text)) if text else None


@collector_at_rest()
def read_pages(work: Work, remote: RemoteObject, *, archived: bool = False) -> str | None:
    """Read up to a slice of pages, decide and store them in one transaction, and return the next
    cursor.
    """
    since = None if archived else since_of(work, remote.name)
    until = datetime.fromisoformat(str(work.checkpoint["now"])) if since else None
    ask = Ask(
        remote.name, work.properties(remote), remote.associations, since, until, archived=archived
    )
    start = work.checkpoint.get("cursor")
    begin = str(start) if start else None
    pages = work.ahead.take((remote.name, archived, begin)) or _fetch(work, ask, begin)
    if pages.cursor is not None:
        read = partial(_prepare if work.mostly_new else _fetch, work, ask, pages.cursor)
        work.ahead.begin((remote.name, archived, pages.cursor), read)
    crashpoint("page.fetched")
    with unit(work.lease) as cursor:
        if archived:
            note_archived(cursor, work, remote, pages.records)
        else:
            take_slice(cursor, work, Read(remote, _latest(pages.records), prepared=pages.prepared))
            work.mostly_new = work.counts["ours_created"] * 2 > len(pages.records)
            work.counts[f"read_{remote.name}"] += len(pages.records)
        work.checkpoint["cursor"] = pages.cursor
        expect_told(work, remote.name, None if archived else pages.total)
        work.save(cursor, phase="reading")
        crashpoint("page.applied.before_commit")
    crashpoint("page.applied.after_commit")
    keep_fresh(work)
    return pages.cursor


def _fetch(work: Work, ask: Ask, begin: str | None) -> Pages:
    """Read pages until a slice is full or the pass is complete."""
    records: list[RemoteRecord] = []
    cursor = begin
    total: int | None = None
    while True:
        page = work.provider.changes(ask, cursor)
        total = page.total if total is None else total
        records += page.records
        if page.cursor is not None and page.cursor == cursor:
            raise ProviderBroken(
                f"{work.connection_name} sent the same page of {ask.object} twice."
            )
        cursor = page.cursor
        if cursor is None or len(records) >= SLICE:
            return Pages(records, cursor, total=total)


def _prepare(work: Work, ask: Ask, begin: str | None) -> Pages:
    """Read pages and translate them for matching: the database works meanwhile."""
    pages = _fetch(work, ask, begin)
    prepared = unlinked_all(present(work.remote(ask.object)), _latest(pages.records))
    make_ready(list(prepared.values()))
    return replace(pages, prepared=prepared)


def _latest(records: Sequence[RemoteRecord]) -> list[RemoteRecord]:
    """A record that came twice in one slice counts once, as it was read last."""
    return list({record.id: record for record in records}.values())


def keep_archived_place(work: Work, remote: RemoteObject, left: str | None) -> None:
    """Remember where the next delta goes on with what is archived; from the beginning after the
    last.
    """
    with unit(work.lease) as cursor:
        cursor.execute(
            "UPDATE stream SET archived_after = %s WHERE id = %s", (left, remote.streams[0].id)
        )


# A plan holds what the pages showed of a record already; it is in the outbox until it is applied.
OUTBOX = """
SELECT b.record_id, b.rank FROM outbox b
 WHERE b.stream_id = %(stream)s AND b.not_before <= now()
   AND (b.rank, b.record_id) > (%(rank)s, %(after)s)
   AND NOT (%(staged)s AND EXISTS (
       SELECT 1 FROM operation o WHERE o.organization_id = b.organization_id
          AND o.record_id = b.record_id AND o.run_id = %(run)s AND o.run_at = %(at)s
          AND o.stream_id = b.stream_id))
 ORDER BY b.rank, b.record_id LIMIT %(limit)s
"""

UNLINKED = """
SELECT r.id AS record_id, 1 AS rank FROM record r
 WHERE r.kind = %(kind)s AND r.id > %(after)s AND r.deleted_at IS NULL AND r.merged_into IS NULL AND
 NOT r.hub_only
   AND NOT EXISTS (SELECT 1 FROM link l WHERE l.organization_id = r.organization_id AND l.record_id
   = r.id
                   AND l.stream_id = %(stream)s)
   AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.organization_id = r.organization_id AND
   o.record_id = r.id
                   AND o.run_id = %(run)s AND o.stream_id = %(stream)s)
   AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.organization_id = r.organization_id AND
   e.record_id = r.id
                   AND e.stream_id = %(stream)s)
 ORDER BY r.id LIMIT %(limit)s
"""

NOBODY = UUID(int=0)


@collector_at_rest()
def read_ours(work: Work, stream: Stream, *, unlinked: bool) -> bool:
    """Take one slice of what changed here, or of what was never linked; return whether there was
    any.
    """
    after = work.checkpoint.get("after")
    rank, last = (int(after[0]), UUID(str(after[1]))) if isinstance(after, list) else (-1, NOBODY)
    with transaction() as cursor:
        rows = cursor.execute(
            UNLINKED if unlinked else OUTBOX,
            {
                "stream": stream.id,
                "kind": stream.facts.kind.name,
                "rank": rank,
                "after": last,
                "run": work.run_id,
                "at": work.run_at,
                "staged": work.staged,
                "limit": OUTBOX_SLICE,
            },
        ).fetchall()
    if not rows:
        return False
    ids = [row["record_id"] for row in rows]
    records = [] if unlinked else read_theirs_of(work, stream, ids)
    with unit(work.lease) as cursor:
        remote = present(work.remote(stream.facts.remote_object))
        take_slice(cursor, work, Read(remote, records, stream, ids))
        work.checkpoint["after"] = [rows[-1]["rank"], str(rows[-1]["record_id"])]
        work.save(cursor, phase="matching")
    return True


def read_theirs_of(work: Work, stream: Stream, record_ids: Sequence[UUID]) -> list[RemoteRecord]:
    """Return the CRM's records for records of ours: of linked ones by id, of others by their strong
    keys.
    """
    remote = present(work.remote(stream.facts.remote_object))
    with transaction() as cursor:
        links = links_of_records(cursor, stream.id, record_ids)
        unlinked = [one for one in record_ids if one not in links]
        ours = load_ours(cursor, work.connection_id, unlinked)
    ids = [
        str(row["remote_id"])
        for row in links.values()
        if row["remote_id"] and row["status"] not in {"detached", "duplicate_suspected"}
    ]
    properties = work.properties(remote)
    records = (
        list(work.provider.get(remote.name, ids, properties, remote.associations)) if ids else []
    )
    for field, values in _strong_keys(stream, ours.values()).items():
        records += work.provider.find(remote.name, field, sorted(values), properties)
    marker = work.provider.spec.marker_field
    if work.marks(remote.name) and unlinked:
        records += work.provider.find(
            remote.name, marker, [str(one) for one in unlinked], properties
        )
    return _latest(records)


def _strong_keys(stream: Stream, ours: Iterable[Ours]) -> dict[str, set[str]]:
    """Return, per field of theirs, the values by which records of ours would be found there."""
    strong = {name for key in stream.facts.kind.keys if key.strong for name in key.fields}
    wanted: dict[str, set[str]] = {}
    records = list(ours)
    for use in stream.facts.rules:
        if use.rule.ours not in strong or use.rule.association:
            continue
        for record in records:
            value = record.data.get(use.rule.ours)
            if is_blank(value):
                continue
            try:
                wanted.setdefault(use.rule.theirs, set()).add(str(use.to_crm(value)))
            except RuleFailed:
                continue
    return wanted


WANTED = """
SELECT id, stream_id, record_id, remote_object, remote_id FROM wanted
 WHERE connection_id = %s AND what IN ('record', 'webhook') ORDER BY created_at, id LIMIT %s
"""


def read_wanted(work: Work) -> bool:
    """Take the single records that were asked for meanwhile; return whether there were any."""
    with transaction() as cursor:
        rows = cursor.execute(WANTED, (work.connection_id, OUTBOX_SLICE)).fetchall()
    if not rows:
        return False
    for remote in work.objects:
        for stream in remote.streams:
            mine = [row for row in rows if row["record_id"] and row["stream_id"] == stream.id]
            if mine:
                ids = list(dict.fromkeys(row["record_id"] for row in mine))
                _take(
                    work,
                    Read(remote, read_theirs_of(work, stream, ids), stream, ids),
                    [r["id"] for r in mine],
                )
        theirs = [row for row in rows if row["remote_id"] and row["remote_object"] == remote.name]
        if theirs:
            ids = list(dict.fromkeys(row["remote_id"] for row in theirs))
            records = work.provider.get(
                remote.name, ids, work.properties(remote), remote.associations
            )
            found = {one for r in records for one in (r.id, r.asked_id)}
            _take(work, Read(remote, _latest(records)), [row["id"] for row in theirs])
            _miss(work, remote.name, [one for one in ids if one not in found])
    with unit(work.lease) as cursor:
        cursor.execute("DELETE FROM wanted WHERE id = ANY(%s)", ([row["id"] for row in rows],))
    return True


def _take(work: Work, read: Read, wanted: Sequence[UUID]) -> None:
    with unit(work.lease) as cursor:
        take_slice(cursor, work, read)
        cursor.execute("DELETE FROM wanted WHERE id = ANY(%s)", (list(wanted),))
        work.save(cursor, phase="matching")


def _miss(work: Work, name: str, remote_ids: Sequence[str]) -> None:
    if remote_ids:
        with unit(work.lease) as cursor:
            missed_remotes(cursor, work, name, remote_ids)


def heal_references(work: Work) -> None:
    """Point references at records that were linked since they were parked."""
    with unit(work.lease) as cursor:
        resolve_parked(cursor, work.connection_id)
