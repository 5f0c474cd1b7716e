"""Writes what takes a slice of a run back: records, links, effects and the operations that tell of
it, or a plan of all that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from crm_admin import clock
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.services.engine.effects import NewEffect, write_effects
from crm_admin.services.engine.inverse_facts import Back, Did, Fields, LinkBack, Verdict
from crm_admin.services.engine.operations import Carried, Entry, carry_out, write_operations
from crm_admin.services.engine.work import Work
from crm_admin.services.record_store import BULK, Change, fan_out, update_records
from crm_admin.services.sql import Cursor, dumps, id_array
from crm_admin.sync.drafts import Draft, Ours
from crm_admin.sync.states import OperationAction, OperationState, Side


@dataclass(frozen=True, slots=True)
class Taking:
    """A decided slice: `ours` as it stood before, `planned` the plan's operation per operation."""

    origin_at: datetime
    backs: Sequence[Back]
    ours: Mapping[UUID, Ours]
    planned: Mapping[UUID, UUID]


def take_back(cursor: Cursor, work: Work, taking: Taking) -> None:
    """Write a slice of an undo in the caller's transaction; a staged one is only written down.

    A record to be made anew in the CRM stays planned: the run applies it like any plan's create.
    """
    ids = {back.did.operation_id: _id_of(taking, back) for back in taking.backs}
    _write_operations(cursor, work, taking, ids)
    if work.staged:
        return
    done = [back for back in taking.backs if back.verdict is Verdict.BACK]
    _change_records(cursor, work, taking, done)
    remove_records(cursor, _records(done, OperationAction.DELETE))
    restore_records(cursor, _records(done, OperationAction.CREATE))
    _change_links(cursor, [back for back in done if back.did.side is Side.OURS or _is_link(back)])
    _release_links(cursor, [back.did.link_id for back in done if back.remade and back.did.link_id])
    write_effects(cursor, work, [_effect(back, ids) for back in done if _has_effect(back)])
    cursor.execute(
        "UPDATE operation SET state = 'undone' WHERE id = ANY(%s::uuid[]) AND run_at = %s"
        " AND state = 'done'",
        (id_array(back.did.operation_id for back in done), taking.origin_at),
    )


def _id_of(taking: Taking, back: Back) -> UUID:
    return taking.planned.get(back.did.operation_id) or new_id()


def _is_link(back: Back) -> bool:
    return back.action is OperationAction.LINK


def _has_effect(back: Back) -> bool:
    return back.did.side is Side.THEIRS and not back.remade and not _is_link(back)


def _records(done: Iterable[Back], action: OperationAction) -> list[UUID]:
    return [
        back.did.record_id
        for back in done
        if back.did.side is Side.OURS and back.action is action and back.did.record_id
    ]


WORDS = {
    OperationAction.CREATE: "ours_created",
    OperationAction.UPDATE: "ours_updated",
    OperationAction.DELETE: "ours_deleted",
}


def _write_operations(cursor: Cursor, work: Work, taking: Taking, ids: Mapping[UUID, UUID]) -> None:
    told = _Told()
    for back in taking.backs:
        planned = taking.planned.get(back.did.operation_id)
        if back.verdict is Verdict.BACK:
            _tell(told, work, back, ids[back.did.operation_id], planned)
        elif planned is not None:
            told.left.append((planned, back.reason or ALREADY))
        elif back.verdict is Verdict.STAYS:
            told.entries.append(_stay(back.did, back.reason))
    work.counts["skipped"] += len(told.left) + sum(
        1 for entry in told.entries if entry.state is OperationState.SKIPPED
    )
    write_operations(cursor, work, told.entries)
    carry_out(cursor, work, told.carried)
    _narrow(cursor, work, told.narrowed)
    leave(cursor, work, told.left)


@dataclass(slots=True)
class _Told:
    """Operations to write, to move on, to narrow and to leave."""

    entries: list[Entry] = field(default_factory=list)
    carried: list[Carried] = field(default_factory=list)
    narrowed: list[tuple[UUID, Fields]] = field(default_factory=list)
    left: list[tuple[UUID, str]] = field(default_factory=list)


def _tell(told: _Told, work: Work, back: Back, one: UUID, planned: UUID | None) -> None:
    if planned is None:
        told.entries.append(_entry(back, _state_of(work, back), one))
    elif not back.remade:
        state = _state_of(work, back)
        told.carried.append(Carried(planned, state, None, None, back.bases or None))
    if back.reason:
        told.entries.append(_stay(back.did, back.reason))
        if planned is not None:
            told.narrowed.append((planned, back.fields))
    if not work.staged and back.did.side is Side.OURS and back.action in WORDS:
        work.counts[WORDS[back.action]] += 1


ALREADY = "It is as it was before already."


def leave(cursor: Cursor, work: Work, left: Sequence[tuple[UUID, str]]) -> None:
    """Close planned operations that are not carried out, each with its reason."""
    if left:
        cursor.execute(
            "UPDATE operation o SET state = 'skipped', done_at = now(), reason_code = 'moved',"
            " reason = v.reason FROM unnest(%s::uuid[], %s::text[]) AS v (id, reason)"
            " WHERE o.id = v.id AND o.run_at = %s AND o.state = 'planned'",
            ([one for one, _ in left], [reason for _, reason in left], work.run_at),
        )


def _narrow(cursor: Cursor, work: Work, narrowed: Sequence[tuple[UUID, Fields]]) -> None:
    """A planned operation keeps what is carried out of it: the rest moved since."""
    if narrowed:
        cursor.execute(
            "UPDATE operation o SET fields = v.fields"
            " FROM unnest(%s::uuid[], %s::jsonb[]) AS v (id, fields)"
            " WHERE o.id = v.id AND o.run_at = %s",
            ([one for one, _ in narrowed], [dumps(fields) for _, fields in narrowed], work.run_at),
        )


def _state_of(work: Work, back: Back) -> OperationState:
    if work.staged or back.remade:
        return OperationState.PLANNED
    return OperationState.SENDING if _has_effect(back) else OperationState.DONE


def _entry(back: Back, state: OperationState, operation_id: UUID) -> Entry:
    did = back.did
    inputs: dict[str, Json] = {"of": str(did.operation_id)}
    if back.remade:
        inputs["remade"] = True
    draft = Draft(did.side, back.action, back.fields, inputs, reason_code=back.code)
    return Entry(
        draft,
        state,
        did.stream_id,
        did.remote_object,
        did.label,
        record_id=did.record_id,
        link_id=None if back.remade else did.link_id,
        remote_id=None if back.remade else did.remote_id,
        bases=back.bases or None,
        operation_id=operation_id,
    )


def _stay(did: Did, reason: str) -> Entry:
    draft = Draft(did.side, OperationAction.SKIP, reason_code="moved", reason=reason)
    return Entry(
        draft,
        OperationState.SKIPPED,
        did.stream_id,
        did.remote_object,
        did.label,
        record_id=did.record_id,
        link_id=did.link_id,
        remote_id=did.remote_id,
    )


def _change_records(cursor: Cursor, work: Work, taking: Taking, done: Sequence[Back]) -> None:
    found: dict[UUID, Change] = {}
    origin: dict[str, Json] = {"by": work.actor, "run": str(work.run_id)}
    for back in done:
        record_id = back.did.record_id
        stream = work.stream(back.did.stream_id) if back.did.stream_id else None
        if stream is None or record_id is None or not (back.changes or back.references):
            continue
        ours, earlier = taking.ours[record_id], found.get(record_id)
        found[record_id] = Change(
            record_id,
            stream.facts.kind,
            ours.version,
            ours.data,
            {**(earlier.changes if earlier else {}), **back.changes},
            {**(earlier.references if earlier else {}), **back.references},
            origin,
        )
    update_records(
        cursor,
        work.organization_id,
        list(found.values()),
        clock.now(),
        parked_on=work.connection_id,
        parked_objects=_parked_objects(work),
    )
    fan_out(cursor, list(found), rank=BULK, but=work.connection_id)


def _parked_objects(work: Work) -> dict[tuple[str, str], str]:
    return {
        (stream.facts.kind.name, use.rule.ours): use.rule.association
        for remote in work.objects
        for stream in remote.streams
        for use in stream.facts.rules
        if use.rule.association
    }


LINKS = """
UPDATE link l
   SET base_ours = l.base_ours || v.base_ours, base_theirs = l.base_theirs || v.base_theirs,
       declined = (SELECT coalesce(jsonb_object_agg(d.key, d.value), '{}')
                     FROM jsonb_each(l.declined) d WHERE NOT v.cleared ? d.key) || v.declined,
       status = coalesce(v.status, l.status), updated_at = now(), ours_version = r.version
  FROM unnest(%s::uuid[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::text[])
       AS v (id, base_ours, base_theirs, declined, cleared, status), record r
 WHERE l.id = v.id AND r.organization_id = l.organization_id AND r.id = l.record_id
"""


def _change_links(cursor: Cursor, done: Sequence[Back]) -> None:
    """Lay over each link what its operations put back, the newest operation first."""
    found: dict[UUID, LinkBack] = {}
    for back in done:
        if back.link is not None and back.did.link_id is not None:
            known = found.get(back.did.link_id)
            found[back.did.link_id] = _both(known, back.link) if known else back.link
    if found:
        links = list(found.values())
        cursor.execute(
            LINKS,
            (
                list(found),
                [dumps(link.base_ours) for link in links],
                [dumps(link.base_theirs) for link in links],
                [dumps(link.declined) for link in links],
                [dumps(link.cleared) for link in links],
                [link.status for link in links],
            ),
        )


def _both(first: LinkBack, then: LinkBack) -> LinkBack:
    declined = {rule: one for rule, one in first.declined.items() if rule not in then.cleared}
    return LinkBack(
        {**first.base_ours, **then.base_ours},
        {**first.base_theirs, **then.base_theirs},
        {**declined, **then.declined},
        (*first.cleared, *then.cleared),
        then.status or first.status,
    )


def _release_links(cursor: Cursor, link_ids: Sequence[UUID]) -> None:
    """The link to an archived record is kept as a shadow: its record is about to be made anew."""
    if link_ids:
        cursor.execute(
            "UPDATE link SET status = 'shadow', updated_at = now()"
            " WHERE id = ANY(%s::uuid[]) AND status = 'detached'",
            (id_array(link_ids),),
        )


def _effect(back: Back, ids: Mapping[UUID, UUID]) -> NewEffect:
    did = back.did
    return NewEffect(
        operation_id=ids[did.operation_id],
        stream_id=None,
        record_id=did.record_id,
        link_id=did.link_id,
        remote_object=did.remote_object,
        remote_id=did.remote_id,
        action=back.action.value,
        marker=None,
        properties=back.properties,
        associations=back.associations,
        sent={},
        version=0,
        restore=(back.link or LinkBack()).as_json(),
    )


def remove_records(cursor: Cursor, record_ids: Sequence[UUID]) -> None:
    """Mark records deleted: they leave lists and look-ups, their links are detached, nothing is
    sent.

    Their match keys stay: a twin that was left out because of them is not made now.
    """
    if record_ids:
        ids = id_array(record_ids)
        cursor.execute(
            "UPDATE record SET deleted_at = now(), version = version + 1"
            " WHERE id = ANY(%s::uuid[])",
            (ids,),
        )
        detach(cursor, record_ids)


def detach(cursor: Cursor, record_ids: Sequence[UUID]) -> None:
    """Detach the links of deleted records; nothing of them waits to be sent any more."""
    ids = id_array(record_ids)
    cursor.execute("DELETE FROM outbox WHERE record_id = ANY(%s::uuid[])", (ids,))
    cursor.execute(
        "UPDATE link SET status = 'detached', updated_at = now()"
        " WHERE record_id = ANY(%s::uuid[]) AND status = 'linked'",
        (ids,),
    )


def restore_records(cursor: Cursor, record_ids: Sequence[UUID]) -> None:
    """Bring deleted records back with their links."""
    if record_ids:
        ids = id_array(record_ids)
        cursor.execute(
            "UPDATE record SET deleted_at = NULL, version = version + 1 WHERE id = ANY(%s::uuid[])",
            (ids,),
        )
        cursor.execute(
            "UPDATE link SET status = 'linked', updated_at = now()"
            " WHERE record_id = ANY(%s::uuid[]) AND status = 'detached'",
            (ids,),
        )
