"""Carries out planned operations: each subject is decided anew, and only what still equals the plan
is written.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from crm_admin.crashpoints import crashpoint
from crm_admin.errors import present
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.gather import Standing, Subject
from crm_admin.services.engine.links import put_back
from crm_admin.services.engine.operations import plan_hash
from crm_admin.services.engine.passes import NOBODY
from crm_admin.services.engine.reads import Read
from crm_admin.services.engine.slices import decide_all, gather
from crm_admin.services.engine.store import store_slice
from crm_admin.services.engine.streams import RemoteObject
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, transaction
from crm_admin.sync.drafts import Decided, Draft, StreamFacts
from crm_admin.sync.states import OperationAction, Side

APPLY_SLICE = 300

PLANNED = """
SELECT id, record_id, link_id, stream_id, remote_object, remote_id, side, action, fields, inputs
FROM operation
 WHERE run_id = %(run)s AND run_at = %(at)s AND state = 'planned' AND NOT excluded AND id >
 %(after)s
   AND (action IN ('link', 'create', 'update', 'agree') OR (action = 'match' AND inputs ? 'choice'))
 ORDER BY id LIMIT %(limit)s
"""

Key = tuple[Side, OperationAction]


@dataclass(slots=True)
class _Planned:
    """What the plan holds for one subject."""

    ids: dict[Key, UUID] = field(default_factory=dict)
    after: dict[Key, dict[str, Json]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    judged: bool = False
    all_ids: list[UUID] = field(default_factory=list)
    open_ids: list[UUID] = field(default_factory=list)
    narrowed: bool = False


def apply_planned(work: Work) -> bool:
    """Carry out one slice of the run's planned operations; return whether there was any.

    What moved since the plan is left alone, listed as such, and looked at again by the next run.
    """
    with transaction() as cursor:
        rows = cursor.execute(
            PLANNED,
            {
                "run": work.run_id,
                "at": work.run_at,
                "after": UUID(str(work.checkpoint.get("applied") or NOBODY)),
                "limit": APPLY_SLICE,
            },
        ).fetchall()
    if not rows:
        return False
    crashpoint("plan.slice_read")
    rows = _of_one_object(_of_whole_subjects(rows))
    remote = work.remote(rows[0]["remote_object"])
    records = _fetch(work, remote, rows) if remote else ()
    with unit(work.lease) as cursor:
        if remote is not None:
            _apply(cursor, work, remote, rows, records)
        work.checkpoint["applied"] = str(rows[-1]["id"])
        work.save(cursor, phase="writing")
    return True


def _of_whole_subjects(rows: Sequence[Row]) -> Sequence[Row]:
    """Leave the last subject of a full slice to the next one: some of its operations may be there,
    and what is decided anew must be seen beside all that the plan holds of it.
    """
    if len(rows) < APPLY_SLICE:
        return rows
    last = _subject_of(rows[-1])
    whole = list(takewhile(lambda row: _subject_of(row) != last, rows))
    return whole or rows


def _of_one_object(rows: Sequence[Row]) -> list[Row]:
    """Return the first rows that are of one object: parents are sent before their children are
    decided.
    """
    first = rows[0]["remote_object"]
    return list(takewhile(lambda row: row["remote_object"] == first, rows))


def _fetch(work: Work, remote: RemoteObject, rows: Sequence[Row]) -> Sequence[RemoteRecord]:
    ids = list(dict.fromkeys(row["remote_id"] for row in rows if row["remote_id"]))
    if not ids:
        return ()
    return work.provider.get(remote.name, ids, work.properties(remote), remote.associations)


Plans = dict[tuple[str, str], _Planned]


def _apply(
    cursor: Cursor,
    work: Work,
    remote: RemoteObject,
    rows: Sequence[Row],
    records: Sequence[RemoteRecord],
) -> None:
    plans: Plans = defaultdict(_Planned)
    for row in rows:
        _add(plans[_subject_of(row)], row)
    for read in _reads(remote, rows, records):
        _carry_out(cursor, work, read, plans)
    for plan in plans.values():
        _leave(cursor, work, plan.all_ids, "It is no longer there.")


def _reads(
    remote: RemoteObject, rows: Sequence[Row], records: Sequence[RemoteRecord]
) -> Iterator[Read]:
    yield Read(remote, records, choices=_choices(rows))
    for stream in remote.streams:
        mine = [r for r in rows if not r["remote_id"] and r["stream_id"] == stream.id]
        if mine:
            yield Read(remote, (), stream, list(dict.fromkeys(row["record_id"] for row in mine)))


def _carry_out(cursor: Cursor, work: Work, read: Read, plans: Plans) -> None:
    found = gather(cursor, work, read)
    decided: list[tuple[Subject, Decided]] = []
    carried: dict[int, Mapping[Key, UUID]] = {}
    left: list[tuple[UUID, UUID]] = []
    for subject, result in decide_all(found, release=True):
        plan = plans.pop(_key_of(subject), None)
        narrowed = plan and _narrow(cursor, work, plan, result, subject.stream.facts)
        if plan and narrowed:
            carried[len(decided)] = plan.ids
            decided.append((subject, narrowed))
            if plan.narrowed and subject.pair.ours is not None:
                left.append((subject.stream.id, subject.pair.ours.record_id))
    store_slice(cursor, work, found, decided, carried)
    put_back(cursor, left)
    for subject in found.subjects:
        if subject.standing is not Standing.PAIR:
            plan = plans.pop(_key_of(subject), None)
            if plan is not None:
                _leave(cursor, work, plan.all_ids, subject.reason or MOVED)


def _subject_of(row: Row) -> tuple[str, str]:
    return ("theirs", row["remote_id"]) if row["remote_id"] else ("ours", str(row["record_id"]))


def _key_of(subject: Subject) -> tuple[str, str]:
    theirs = subject.pair.theirs
    if theirs is not None:
        return "theirs", theirs.asked_id or theirs.id
    return "ours", str(subject.pair.here.record_id)


def _add(plan: _Planned, row: Row) -> None:
    plan.all_ids.append(row["id"])
    if row["action"] in {"agree", "match"}:
        plan.asked |= set(row["fields"])
        plan.open_ids.append(row["id"])
        if row["action"] == "match":
            plan.judged = True
            key = (
                Side.OURS,
                OperationAction.LINK
                if row["inputs"]["choice"] != "new"
                else OperationAction.CREATE,
            )
            plan.ids[key] = row["id"]
            plan.after[key] = {}
        return
    key = (Side(row["side"]), OperationAction(row["action"]))
    plan.ids[key] = row["id"]
    plan.after[key] = {name: values[1] for name, values in row["fields"].items()}


def _choices(rows: Sequence[Row]) -> dict[str, str]:
    """Return, by remote id, the record that the plan or a person paired it with."""
    choices: dict[str, str] = {}
    for row in rows:
        if row["action"] == "match":
            choices[row["remote_id"]] = row["inputs"]["choice"]
        elif row["action"] == "link" and row["remote_id"]:
            choices.setdefault(row["remote_id"], str(row["record_id"]))
    return choices


def _narrow(
    cursor: Cursor, work: Work, plan: _Planned, result: Decided, facts: StreamFacts
) -> Decided | None:
    """Keep of a fresh decision what the plan held; the rest stays as it is on both sides.

    None when the pair itself is no longer what the plan saw. A look-alike that a person judged
    brings all its
    field writes along: they could not be in the plan yet.
    """
    kept: list[Draft] = []
    for draft in result.drafts:
        key = (draft.side, draft.action)
        if (
            plan.judged
            or draft.action is OperationAction.AGREE
            or _as_planned(plan, draft, key, facts)
        ):
            kept.append(draft)
        elif draft.action in {OperationAction.LINK, OperationAction.CREATE, OperationAction.SKIP}:
            _leave(cursor, work, plan.all_ids, draft.reason or MOVED)
            return None
        else:
            plan.narrowed = True
            _drop(result, draft, facts)
    done = {plan.ids[key] for draft in kept if (key := (draft.side, draft.action)) in plan.ids}
    _leave(cursor, work, [one for one in plan.ids.values() if one not in done], MOVED)
    if all(use.rule.id in facts.decisions for use in facts.rules if use.rule.ours in plan.asked):
        _agree(cursor, work, [one for one in plan.open_ids if one not in plan.ids.values()])
    twice = set(plan.all_ids) - set(plan.ids.values()) - set(plan.open_ids)
    _leave(cursor, work, sorted(twice), "The same run decided this again later.")
    result.drafts = kept
    return result


MOVED = "One side changed since the plan was made; the next run decides it anew."


def _agree(cursor: Cursor, work: Work, operation_ids: Sequence[UUID]) -> None:
    """The differences of a record whose fields a person decided are settled."""
    if operation_ids:
        cursor.execute(
            "UPDATE operation SET state = 'done', done_at = now()"
            " WHERE id = ANY(%s) AND run_at = %s AND state = 'planned'",
            (list(operation_ids), work.run_at),
        )


def _as_planned(plan: _Planned, draft: Draft, key: Key, facts: StreamFacts) -> bool:
    after = plan.after.get(key)
    references = {use.rule.ours for use in facts.rules if use.rule.association}
    references |= {use.rule.theirs for use in facts.rules if use.rule.association}
    if after is None:
        return bool(draft.fields) and set(draft.fields) <= _both_names(plan.asked, facts)
    for name, values in draft.fields.items():
        if name in references or name in _both_names(plan.asked, facts):
            continue
        if name not in after or after[name] != values[1]:
            return False
    return True


def _both_names(ours: set[str], facts: StreamFacts) -> set[str]:
    return ours | {use.rule.theirs for use in facts.rules if use.rule.ours in ours}


def _drop(result: Decided, draft: Draft, facts: StreamFacts) -> None:
    rules = {use.rule.id: use.rule for use in facts.rules}
    for name, values in draft.fields.items():
        rule = rules.get(str(values[3]))
        if draft.side is Side.OURS:
            result.take.pop(name, None)
            result.references.pop(name, None)
        else:
            result.send.pop(name, None)
            if rule is not None and rule.association:
                result.associate.pop(rule.association, None)
        if rule is not None:
            for bases in (result.base_ours, result.base_theirs, result.sent):
                bases.pop(rule.id, None)


def _leave(cursor: Cursor, work: Work, operation_ids: Sequence[UUID], reason: str) -> None:
    if operation_ids:
        cursor.execute(
            "UPDATE operation SET state = 'skipped', done_at = now(), reason_code = 'moved',"
            " reason = %s"
            " WHERE id = ANY(%s) AND run_at = %s AND state = 'planned'",
            (reason, list(operation_ids), work.run_at),
        )


def leave_rest(cursor: Cursor, work: Work) -> None:
    """Close what the plan did not carry out: left out by a person, or still undecided."""
    cursor.execute(
        "UPDATE operation SET state = 'skipped', done_at = now(),"
        " reason_code = CASE WHEN excluded THEN 'left_out' ELSE 'undecided' END,"
        " reason = CASE WHEN excluded THEN 'Left out of the plan by a person.'"
        " ELSE 'Nobody has decided this yet; both sides keep their value.' END"
        " WHERE run_id = %s AND run_at = %s AND state = 'planned' AND action <> 'property'",
        (work.run_id, work.run_at),
    )


def split_into_plan(cursor: Cursor, work: Work, sentence: str) -> UUID:
    """Move what the guard held back into a plan of its own that waits for a person; return its
    id.
    """
    plan_id = new_id()
    cursor.execute(
        "INSERT INTO sync_run (organization_id, id, connection_id, stream_ids, mode, trigger,"
        " by_name,"
        " mapping_versions, state, staged, checkpoint, counts, reason, reason_code, plan_of,"
        " created_at, expires_at)"
        " SELECT organization_id, %s, connection_id, stream_ids, mode, 'guard', by_name,"
        " mapping_versions, 'planned',"
        " true, '{\"stage\": \"planned\"}', '{}', %s, 'guard', id, now(), now() + interval '7 days'"
        " FROM sync_run WHERE id = %s",
        (plan_id, sentence, work.run_id),
    )
    cursor.execute(
        "UPDATE operation o SET run_id = p.id, run_at = p.created_at FROM sync_run p"
        " WHERE p.id = %s AND o.run_id = %s AND o.run_at = %s AND o.state = 'planned'",
        (plan_id, work.run_id, work.run_at),
    )
    cursor.execute(
        "UPDATE sync_run SET plan_hash = %s WHERE id = %s",
        (plan_hash(cursor, plan_id, _created_at(cursor, plan_id)), plan_id),
    )
    return plan_id


def _created_at(cursor: Cursor, run_id: UUID) -> datetime:
    row = present(
        cursor.execute("SELECT created_at FROM sync_run WHERE id = %s", (run_id,)).fetchone()
    )
    return datetime.fromisoformat(str(row["created_at"]))
