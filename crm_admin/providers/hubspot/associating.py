"""Reads and changes which records are associated with which."""

from collections.abc import Iterator, Mapping, Sequence

from crm_admin.errors import ProviderBroken
from crm_admin.jsontypes import Json
from crm_admin.outward.calls import Answer
from crm_admin.providers.base import Action, Association, Ending, Ends, Outcome, Write
from crm_admin.providers.hubspot.batching import Batch, Row, Sender
from crm_admin.providers.hubspot.calls import Calls
from crm_admin.providers.hubspot.payloads import (
    associations_left,
    associations_of,
    in_order,
    rows,
    table,
    text,
)
from crm_admin.providers.hubspot.refusals import outcome_of, read_refusal, status_of_row
from crm_admin.providers.hubspot.spec import (
    ASSOCIATION_TYPES,
    ASSOCIATIONS_READ,
    BATCH,
    PRIMARY_TYPES,
)

InOrder = tuple[tuple[str, ...], bool]
"""Associated ids in order, and whether the first is the primary one."""
NO_ENDS: InOrder = ((), False)
HARMLESS = ("NO_ASSOCIATIONS_FOUND", "OBJECT_NOT_FOUND")
MOST_ROUNDS = 100


def associations_for(calls: Calls, near: str, far: str, ids: Sequence[str]) -> dict[str, InOrder]:
    """Return the associated ids per record and whether the first is the primary one; records
    without are left out.
    """
    found: dict[str, list[tuple[str, bool]]] = {}
    path = f"{calls.paths.associations}/{near}/{far}/batch/read"
    primary = PRIMARY_TYPES.get((near, far))
    for start in range(0, len(ids), ASSOCIATIONS_READ):
        inputs: list[Json] = [{"id": one} for one in ids[start : start + ASSOCIATIONS_READ]]
        for _ in range(MOST_ROUNDS):
            data = calls.ask(path, {"inputs": inputs})
            _check_errors(data)
            for one, others in associations_of(data, primary).items():
                found.setdefault(one, []).extend(others)
            left = associations_left(data)
            if not left:
                break
            inputs = [{"id": one, "after": after} for one, after in left.items()]
    return {one: in_order(ends) for one, ends in found.items() if ends}


def ends_of(calls: Calls, near: str, ids: Sequence[str], others: Sequence[str]) -> dict[str, Ends]:
    """Return what records are associated with, read past the index."""
    linked = {other: associations_for(calls, near, other, ids) for other in others}
    return {one: _ends(one, linked) for one in ids}


def _ends(record_id: str, linked: Mapping[str, Mapping[str, InOrder]]) -> Ends:
    found = {other: ends.get(record_id, NO_ENDS) for other, ends in linked.items()}
    return Ends(
        {other: ids for other, (ids, _) in found.items()},
        tuple(other for other, (_, has_primary) in found.items() if has_primary),
    )


def types_on_create(near: str, association: Association) -> list[Json] | None:
    """Return what a create says about one object's records, None when it cannot say it."""
    plain = ASSOCIATION_TYPES.get((near, association.object))
    if plain is None:
        return None
    primary = PRIMARY_TYPES.get((near, association.object))
    return [
        {"to": {"id": far}, "types": _types(plain, primary if place == 0 else None)}
        for place, far in enumerate(association.add)
    ]


def _types(plain: int | None, primary: int | None) -> list[Json]:
    """The primary company is an associated one too: both types are set, and none is left to
    HubSpot to add.
    """
    return [_type(number) for number in (primary, plain) if number is not None]


def change_associations(
    calls: Calls, sender: Sender, near: str, done: Sequence[tuple[Write, str]]
) -> dict[str, Outcome]:
    """Change the associations of written records; return those that did not end well, by trace.

    Adding comes first, so that a record whose company changes is never seen without one.
    """
    ended: dict[str, Outcome] = {}
    for far in dict.fromkeys(each.object for write, _ in done for each in write.associations):
        for batch, inputs in _steps(calls, near, far, done):
            for start in range(0, len(inputs), BATCH):
                told = sender.send(batch, inputs[start : start + BATCH])
                for outcome in told.values():
                    if outcome.ending is not Ending.DONE:
                        ended.setdefault(outcome.trace, outcome)
    return ended


def _steps(
    calls: Calls, near: str, far: str, done: Sequence[tuple[Write, str]]
) -> Iterator[tuple[Batch, list[Row]]]:
    base = f"{calls.paths.associations}/{near}/{far}/batch"
    primary = PRIMARY_TYPES.get((near, far))
    mine = [
        (write, one, each)
        for write, one in done
        for each in write.associations
        if each.object == far
    ]
    labelled: list[Row] = []
    plain: list[Row] = []
    remove: list[Row] = []
    for write, one, each in mine:
        leads = write.action is Action.CREATE or bool(each.remove) or each.leads
        for place, other in enumerate(each.add):
            row = Row(f"{one}>{other}", write.trace, _pair(one, other))
            if primary is not None and leads and place == 0:
                types = _types(ASSOCIATION_TYPES.get((near, far)), primary)
                labelled.append(Row(row.key, row.trace, {**row.input, "types": types}))
            else:
                plain.append(row)
        if each.remove:
            ends: list[Json] = [{"id": other} for other in each.remove]
            remove.append(Row(one, write.trace, {"from": {"id": one}, "to": ends}))
    yield Batch(f"{base}/create", Action.UPDATE, _read_added), labelled
    yield Batch(f"{base}/associate/default", Action.UPDATE, _read_added), plain
    yield Batch(f"{base}/archive", Action.ARCHIVE, _read_removed), remove


def _read_added(answer: Answer, sent: Sequence[Row]) -> Mapping[str, Outcome]:
    data = table(answer.data)
    by_key = {row.key: row for row in sent}
    told: dict[str, Outcome] = {}
    for result in map(table, rows(data.get("results"))):
        near = text(table(result.get("from")).get("id")) or text(result.get("fromObjectId"))
        far = text(table(result.get("to")).get("id")) or text(result.get("toObjectId"))
        row = by_key.get(f"{near}>{far}")
        if row is not None:
            told[row.key] = Outcome(row.trace, Ending.DONE)
    for error in map(table, rows(data.get("errors"))):
        context = table(error.get("context"))
        near, far = (
            text(next(iter(rows(context.get(name))), None))
            for name in ("fromObjectId", "toObjectId")
        )
        row = by_key.get(f"{near}>{far}")
        if row is not None:
            refusal = read_refusal(status_of_row(error), error)
            told[row.key] = outcome_of(row.trace, Action.CREATE, refusal)
    return told


def _read_removed(_answer: Answer, sent: Sequence[Row]) -> Mapping[str, Outcome]:
    return {row.key: Outcome(row.trace, Ending.DONE) for row in sent}


def _check_errors(data: Json) -> None:
    """A record that could not be looked at must not pass for one without associations."""
    for error in map(table, rows(table(data).get("errors"))):
        kinds = f"{text(error.get('subCategory'))} {text(error.get('category'))}"
        if not any(kind in kinds for kind in HARMLESS):
            raise ProviderBroken("HubSpot could not say which records are associated.")


def _pair(near: str, far: str) -> dict[str, Json]:
    return {"from": {"id": near}, "to": {"id": far}}


def _type(number: int | None) -> dict[str, Json]:
    return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}
