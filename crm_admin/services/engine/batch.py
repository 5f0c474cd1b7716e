"""Sorts what was decided for a slice into rows per table, and counts it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.records.values import same
from crm_admin.services.engine.collisions import Opened
from crm_admin.services.engine.effects import NewEffect
from crm_admin.services.engine.gather import Subject
from crm_admin.services.engine.links import (
    LinkChange,
    NewLink,
)
from crm_admin.services.engine.operations import (
    Carried,
    Entry,
    entry_of,
)
from crm_admin.services.engine.work import Work
from crm_admin.services.record_store import (
    Change,
    NewRecord,
)
from crm_admin.sync.drafts import Decided, Draft, Linked
from crm_admin.sync.states import OperationAction, OperationState, Side

QUIET_ACTIONS = {OperationAction.AGREE}
"""Drafts that only a plan shows: an undecided first agreement writes nothing anywhere."""


@dataclass(slots=True)
class Batch:
    """What one slice writes, collected per table."""

    new_records: list[NewRecord] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    new_links: list[NewLink] = field(default_factory=list)
    link_changes: list[LinkChange] = field(default_factory=list)
    operations: list[Entry] = field(default_factory=list)
    effects: list[NewEffect] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)
    closed: list[tuple[UUID, list[str]]] = field(default_factory=list)
    drained: list[tuple[UUID, UUID, int]] = field(default_factory=list)
    carried: list[Carried] = field(default_factory=list)


def collect(
    batch: Batch,
    work: Work,
    subject: Subject,
    result: Decided,
    planned: Mapping[tuple[Side, OperationAction], UUID] | None,
) -> None:
    """Add what one decision writes to the batch."""
    if result.creates_ours:
        _collect_new(batch, work, subject, result, planned)
        return
    if any(draft.action is OperationAction.SKIP for draft in result.drafts):
        _collect_operations(batch, work, subject, result, planned, None)
        work.counts["skipped"] += 1
        return
    link_id = _collect_link(batch, work, subject, result)
    _collect_change(batch, work, subject, result)
    ids = _collect_operations(batch, work, subject, result, planned, link_id)
    _collect_effect(batch, work, subject, result, link_id, ids)
    if link_id is not None:
        batch.opened += [Opened(link_id, conflict, subject) for conflict in result.conflicts]
        if result.closed_conflicts:
            batch.closed.append((link_id, result.closed_conflicts))
    _count(work, result)


def _collect_new(
    batch: Batch,
    work: Work,
    subject: Subject,
    result: Decided,
    planned: Mapping[tuple[Side, OperationAction], UUID] | None,
) -> None:
    theirs = subject.pair.there
    record_id, stream = new_id(), subject.stream
    work.counts["created_rows"] += 1
    batch.new_records.append(
        NewRecord(
            record_id,
            stream.facts.kind,
            result.take,
            result.references,
            created_run=work.run_id,
            created_row=work.totals.get("created_rows", 0) + work.counts["created_rows"],
            keys=subject.keys,
        )
    )
    batch.new_links.append(
        NewLink(
            new_id(),
            stream.id,
            record_id,
            stream.facts.remote_object,
            theirs.id,
            result.base_ours,
            result.base_theirs,
            stream.facts.version,
            theirs.updated_at,
            error=" ".join(result.refused) or None,
        )
    )
    work.counts["ours_created"] += 1
    for draft in result.drafts:
        one = (planned or {}).get((draft.side, draft.action))
        if one is not None:
            batch.carried.append(
                Carried(one, OperationState.DONE, record_id, batch.new_links[-1].link_id, None)
            )


def _collect_link(batch: Batch, work: Work, subject: Subject, result: Decided) -> UUID | None:
    """A newly matched pair gets its link; an existing link its new bases. Returns the link's id."""
    pair, stream = result.pair, subject.stream
    if pair.theirs is None:
        return pair.link.link_id if pair.link else None
    takes = bool(result.take or result.references)
    version = pair.here.version + (1 if takes else 0)
    error = " ".join(result.refused) or None
    if pair.link is None:
        link_id = new_id()
        batch.new_links.append(
            NewLink(
                link_id,
                stream.id,
                pair.here.record_id,
                stream.facts.remote_object,
                pair.theirs.id,
                result.base_ours,
                result.base_theirs,
                stream.facts.version,
                pair.theirs.updated_at,
                ours_version=version,
                error=error,
            )
        )
        work.counts["linked"] += 1
    else:
        link_id = pair.link.link_id
        mapping = _mapping_version(pair.link, result, stream.facts.version)
        if _link_moves(pair.link, result, version, error) or mapping != pair.link.mapping_version:
            batch.link_changes.append(
                LinkChange(
                    link_id,
                    result.base_ours,
                    result.base_theirs,
                    version,
                    pair.theirs.updated_at,
                    mapping,
                    _still_declined(pair.link, result),
                    error,
                )
            )
    if not (result.send or result.associate):
        batch.drained.append((stream.id, pair.here.record_id, pair.here.version))
    return link_id


def _mapping_version(link: Linked, result: Decided, newest: int) -> int:
    """The link is at the newest mapping once what that asks for is done, sent values included."""
    waits = result.send or result.associate or any(draft.withheld for draft in result.drafts)
    return (link.mapping_version or newest) if result.rewriting and waits else newest


def _link_moves(link: Linked, result: Decided, version: int, error: str | None) -> bool:
    theirs = result.pair.there
    return (
        bool(result.base_ours)
        or link.ours_version != version
        or link.remote_updated_at != theirs.updated_at
        or link.error != error
        or link.status != "linked"
        or link.remote_read_at is not None
    )


def _still_declined(link: Linked, result: Decided) -> dict[str, Json] | None:
    """Entries of rules that were agreed again are dropped; None when nothing changes."""
    done = set(result.base_ours) & set(link.declined)
    if not done:
        return None
    return {
        rule: {"side": entry.side.value, "hash": entry.value_hash}
        for rule, entry in link.declined.items()
        if rule not in done
    }


def _collect_change(batch: Batch, work: Work, subject: Subject, result: Decided) -> None:
    ours = result.pair.ours
    if ours is None or not (result.take or result.references):
        return
    origin: dict[str, Json] = {
        "by": work.connection_name,
        "connection": str(work.connection_id),
        "run": str(work.run_id),
    }
    batch.changes.append(
        Change(
            ours.record_id,
            subject.stream.facts.kind,
            ours.version,
            ours.data,
            result.take,
            result.references,
            origin,
        )
    )
    work.counts["ours_updated"] += 1


def _collect_operations(
    batch: Batch,
    work: Work,
    subject: Subject,
    result: Decided,
    planned: Mapping[tuple[Side, OperationAction], UUID] | None,
    link_id: UUID | None,
) -> dict[Draft, UUID]:
    ids: dict[Draft, UUID] = {}
    stream = subject.stream
    label = subject.pair.ours.title if subject.pair.ours else label_of(subject)
    for draft in result.drafts:
        if draft.action in QUIET_ACTIONS:
            continue
        state, bases = _state_of(draft), _bases(result, draft)
        one = (planned or {}).get((draft.side, draft.action))
        if one is not None:
            batch.carried.append(Carried(one, state, None, link_id, bases))
        else:
            one = new_id()
            entry = entry_of(
                result.pair, draft, state, stream.id, stream.facts.remote_object, label
            )
            batch.operations.append(
                replace(entry, link_id=link_id or entry.link_id, bases=bases, operation_id=one)
            )
            work.counts["withheld"] += 1 if draft.withheld else 0
        ids[draft] = one
    return ids


def label_of(subject: Subject) -> str:
    """Return how the CRM calls a record that has no title of ours yet."""
    theirs = subject.pair.theirs
    if theirs is None:
        return ""
    rules = {use.rule.ours: use.rule.theirs for use in subject.stream.facts.rules}
    parts = [
        theirs.properties.get(rules.get(name, ""))
        for name in subject.stream.facts.kind.promoted.title
    ]
    return " ".join(str(part) for part in parts if part) or theirs.id


def _state_of(draft: Draft) -> OperationState:
    if draft.withheld:
        return OperationState.PLANNED
    if draft.action is OperationAction.SKIP:
        return OperationState.SKIPPED
    return OperationState.SENDING if draft.side is Side.THEIRS else OperationState.DONE


def _bases(result: Decided, draft: Draft) -> Json:
    """Bases of a rule where they differ from what the field held before: undo puts them back."""
    link = result.pair.link
    if link is None:
        return None
    kept: dict[str, Json] = {}
    for value in draft.fields.values():
        rule = str(value[3])
        if rule in link.base_ours and rule in link.base_theirs:
            before = value[0]
            ours, theirs = link.base_ours[rule], link.base_theirs[rule]
            if not (same(ours, before) and same(theirs, before)):
                kept[rule] = {"ours": ours, "theirs": theirs}
    return kept or None


def _collect_effect(
    batch: Batch,
    work: Work,
    subject: Subject,
    result: Decided,
    link_id: UUID | None,
    ids: Mapping[Draft, UUID],
) -> None:
    draft = next(
        (d for d in result.drafts if d.side is Side.THEIRS and d in ids and not d.withheld), None
    )
    ours, theirs = result.pair.ours, result.pair.theirs
    if draft is None or ours is None:
        return
    creates = draft.action is OperationAction.CREATE
    marked = work.marks(subject.stream.facts.remote_object)
    batch.effects.append(
        NewEffect(
            operation_id=ids[draft],
            stream_id=subject.stream.id,
            record_id=ours.record_id,
            link_id=link_id,
            remote_object=subject.stream.facts.remote_object,
            remote_id=theirs.id if theirs else None,
            action=draft.action.value,
            marker=str(ours.record_id) if creates and marked else None,
            properties=result.send,
            associations=_association_changes(result, subject),
            sent=result.sent,
            version=ours.version + (1 if result.take or result.references else 0),
        )
    )


def _association_changes(result: Decided, subject: Subject) -> dict[str, Json]:
    """Return {object: {"add", "remove", "left"}}, each an id or null: references of ours hold one
    target, and of theirs only the one both agreed on gives way; `left` is then the first.
    """
    theirs, link = result.pair.theirs, result.pair.link
    agreed = {
        use.rule.association: link.base_theirs.get(use.rule.id)
        for use in subject.stream.facts.rules
        if link is not None and use.rule.association
    }
    changes: dict[str, Json] = {}
    for other, target in result.associate.items():
        held = theirs.associations.get(other, ()) if theirs else ()
        known = agreed.get(other)
        old = known if known in held else next(iter(held), None)
        left = [one for one in held if one not in (old, target)]
        changes[other] = {
            "add": target,
            "remove": old if old != target else None,
            "left": left[0] if left else None,
        }
    return changes


def _count(work: Work, result: Decided) -> None:
    if result.pair.theirs is not None and result.pair.link is not None and not result.writes:
        work.counts["unchanged"] += 1
    link = result.pair.link
    known = link.conflicts if link else frozenset()
    work.counts["conflicts"] += sum(
        1 for c in result.conflicts if not c.settled and c.rule_id not in known
    )
    work.counts["asked"] += 1 if result.asked else 0
