"""Takes one slice through the engine: gather, match, decide, then store it or write it into the
plan.
"""

from collections.abc import Sequence
from dataclasses import replace

from crm_admin.errors import present
from crm_admin.jsontypes import Json
from crm_admin.services.engine.batch import label_of
from crm_admin.services.engine.gather import (
    Slice,
    Standing,
    Subject,
    gather_linked,
    load_ours,
    open_effects,
)
from crm_admin.services.engine.gone import close_slice
from crm_admin.services.engine.known import links_of_records
from crm_admin.services.engine.look_ups import look_up
from crm_admin.services.engine.matching import match
from crm_admin.services.engine.newcomers import store_newcomers
from crm_admin.services.engine.operations import Entry, entry_of, write_operations
from crm_admin.services.engine.reads import Read
from crm_admin.services.engine.removing import plan_removals
from crm_admin.services.engine.store import drain, store_slice
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor
from crm_admin.sync.decide import decide
from crm_admin.sync.drafts import Decided, Draft, Pair
from crm_admin.sync.guard import Limits
from crm_admin.sync.states import OperationAction, OperationState, Side


def gather(cursor: Cursor, work: Work, read: Read, *, apart: bool = False) -> Slice:
    """Return the subjects of a slice: linked, matched, new on either side, or a person's case.

    `apart` leaves what surely becomes a record of ours in the slice's newcomers.
    """
    found, unlinked = gather_linked(cursor, work, read.remote, read.records)
    match(cursor, work, read, unlinked, found, apart=apart)
    if read.stream is not None and read.record_ids:
        _add_ours(cursor, work, read, found)
    return found


def _add_ours(cursor: Cursor, work: Work, read: Read, found: Slice) -> None:
    """Add the records of ours that no record read stands for: new ones, and those gone from the
    CRM.
    """
    stream = present(read.stream)
    covered = {s.pair.ours.record_id for s in found.subjects if s.pair.ours is not None}
    covered |= {candidate.record_id for s in found.subjects for candidate in s.candidates[:1]}
    left = [one for one in read.record_ids if one not in covered]
    links = links_of_records(cursor, stream.id, left)
    ours = load_ours(cursor, work.connection_id, left)
    blocked = open_effects(cursor, work, left)
    for record_id in left:
        record = ours.get(record_id)
        if record is None:
            continue
        subject = Subject(stream.of(record_id), Pair(record, None))
        row = links.get(record_id)
        if record_id in blocked:
            subject.standing = Standing.BLOCKED
        elif row is not None or record.deleted:
            subject.standing = Standing.CLOSED
            if row is not None and row["status"] == "linked" and row["remote_id"]:
                subject.reason = "gone"
                subject.pair = replace(subject.pair, matched_by=str(row["id"]))
        found.subjects.append(subject)
    more = look_up(cursor, work, read.remote, (), ours.values())
    found.references = type(more)(
        {**found.references.record_of, **more.record_of},
        {**found.references.remote_of, **more.remote_of},
    )


def decide_all(
    found: Slice, *, release: bool = False, planned: bool = True
) -> list[tuple[Subject, Decided]]:
    """Return the decisions of every subject that may be decided; what is not `planned` is written
    at once.
    """
    return [
        (
            subject,
            decide(
                subject.pair,
                subject.stream.facts,
                found.references,
                newcomer=subject.newcomer,
                release=release,
                planned=planned,
            ),
        )
        for subject in found.subjects
        if subject.standing is Standing.PAIR
    ]


def take_slice(cursor: Cursor, work: Work, read: Read) -> None:
    """Gather, decide and store one slice in the caller's transaction: written at once, or into the
    plan.
    """
    found = gather(cursor, work, read, apart=not work.staged)
    decided = decide_all(found, planned=work.staged)
    work.counts["read"] += len(read.records)
    if work.staged:
        _store_plan(cursor, work, found, decided)
    else:
        _limit_creates(work, decided)
        store_newcomers(cursor, work, found.newcomers, found.references)
        store_slice(cursor, work, found, decided)
        _write_asides(cursor, work, found, OperationState.SKIPPED)
        _close_gone(cursor, work, found)
    plan_removals(cursor, work, found)


def _limit_creates(work: Work, decided: Sequence[tuple[Subject, Decided]]) -> None:
    """Creates in the CRM beyond the change limit wait for the guard at the end of the pass."""
    if work.mode == "record":
        return
    limit = Limits.of(work.limits).creates_floor
    for _, result in decided:
        if not result.creates_theirs:
            continue
        work.counts["creates_wanted"] += 1
        if work.totals.get("creates_wanted", 0) + work.counts["creates_wanted"] > limit:
            result.drafts = [
                replace(draft, withheld=True) if draft.action is OperationAction.CREATE else draft
                for draft in result.drafts
            ]


def _store_plan(
    cursor: Cursor, work: Work, found: Slice, decided: Sequence[tuple[Subject, Decided]]
) -> None:
    """Write every draft as a planned operation; nothing else changes."""
    entries: list[Entry] = []
    for subject, result in decided:
        stream = subject.stream
        label = subject.pair.ours.title if subject.pair.ours else label_of(subject)
        for draft in result.drafts:
            skipped = draft.action is OperationAction.SKIP
            state = OperationState.SKIPPED if skipped else OperationState.PLANNED
            entries.append(
                entry_of(result.pair, draft, state, stream.id, stream.facts.remote_object, label)
            )
            work.counts["skipped"] += 1 if skipped else 0
        if result.pair.theirs is not None and not result.drafts:
            work.counts["unchanged"] += 1
        work.counts["asked"] += 1 if result.asked else 0
    write_operations(cursor, work, entries)
    _write_asides(cursor, work, found, OperationState.PLANNED)


def _write_asides(cursor: Cursor, work: Work, found: Slice, review: OperationState) -> None:
    """Write the look-alikes that a person must judge and the records skipped as twins."""
    entries: list[Entry] = []
    for subject in found.subjects:
        if subject.standing is Standing.REVIEW:
            entries.append(_review(subject, review))
            work.counts["review"] += 1
            work.counts["skipped"] += 1 if review is OperationState.SKIPPED else 0
        elif subject.standing is Standing.TWIN:
            draft = Draft(
                Side.OURS, OperationAction.SKIP, reason_code="twin", reason=subject.reason
            )
            entries.append(_aside(subject, draft, OperationState.SKIPPED))
            work.counts["skipped"] += 1
        elif subject.standing is Standing.EXCLUDED:
            work.counts["excluded"] += 1
    write_operations(cursor, work, entries)


def _review(subject: Subject, state: OperationState) -> Entry:
    candidates: list[Json] = [
        {
            "record_id": str(c.record_id),
            "title": c.title,
            "score": c.score,
            "reasons": list(c.reasons),
        }
        for c in subject.candidates
    ]
    draft = Draft(
        Side.OURS,
        OperationAction.MATCH,
        inputs={"candidates": candidates, "theirs": _held_there(subject)},
        reason_code="look_alike",
        reason=subject.reason,
    )
    return replace(_aside(subject, draft, state), record_id=subject.candidates[0].record_id)


def _held_there(subject: Subject) -> dict[str, Json]:
    """What a person compares the candidates with; nothing when theirs is not in hand."""
    theirs = subject.pair.theirs
    return dict(theirs.properties) if theirs is not None else {}


def _aside(subject: Subject, draft: Draft, state: OperationState) -> Entry:
    stream = subject.stream
    return entry_of(
        subject.pair, draft, state, stream.id, stream.facts.remote_object, label_of(subject)
    )


def _close_gone(cursor: Cursor, work: Work, found: Slice) -> None:
    """Take what the slice shows of records that are gone or came back; what waits for closed
    records leaves the outbox, but for those that are looked at again.
    """
    closed = [
        s for s in found.subjects if s.standing is Standing.CLOSED and s.pair.ours is not None
    ]
    drain(
        cursor,
        [(s.stream.id, s.pair.ours.record_id, s.pair.ours.version) for s in closed if s.pair.ours],
    )
    close_slice(cursor, work, found)
