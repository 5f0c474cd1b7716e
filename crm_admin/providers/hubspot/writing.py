"""Writes HubSpot's records in batches and says of each how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crm_admin.jsontypes import Json
from crm_admin.outward.calls import Answer
from crm_admin.providers.base import Action, Ending, Outcome, RemoteRecord, Write
from crm_admin.providers.hubspot.associating import change_associations, types_on_create
from crm_admin.providers.hubspot.batching import Batch, Row, Sender
from crm_admin.providers.hubspot.calls import Calls
from crm_admin.providers.hubspot.money import split, with_amount
from crm_admin.providers.hubspot.payloads import as_wire, record_of, rows, table, text
from crm_admin.providers.hubspot.refusals import outcome_of, read_refusal, status_of_row
from crm_admin.providers.hubspot.spec import MARKER

TRACE = "objectWriteTraceId"


def write_records(
    calls: Calls, object_name: str, writes: Sequence[Write], *, marker: bool
) -> tuple[Outcome, ...]:
    """Return how each write ended, in the order given.

    With `marker`, creates that carry one are upserts by it and may be repeated. A record that was
    written but whose associations were not ends as these did, with the record in the outcome.
    """
    sender = Sender(calls)
    ended: dict[str, Outcome] = {}
    for verb, part in _by_verb(writes, marker=marker).items():
        batch = _batch(calls, object_name, verb)
        sent = [
            Row(_key(verb, write), write.trace, _input(object_name, verb, write)) for write in part
        ]
        told = sender.send(batch, sent)
        ended |= {row.trace: told[row.key] for row in sent}
    ended |= {one.trace: Outcome(one.trace, Ending.DONE) for one in writes if _is_bare(one)}
    later = [
        (write, one)
        for write in writes
        if (one := _near_id(object_name, write, ended, marker=marker))
    ]
    for trace, outcome in change_associations(calls, sender, object_name, later).items():
        ended[trace] = replace(outcome, record=ended[trace].record, created=ended[trace].created)
    return tuple(ended[write.trace] for write in writes)


def _by_verb(writes: Sequence[Write], *, marker: bool) -> dict[str, list[Write]]:
    found: dict[str, list[Write]] = {}
    for write in writes:
        if not _is_bare(write):
            found.setdefault(_verb(write, marker=marker), []).append(write)
    return found


def _verb(write: Write, *, marker: bool) -> str:
    if write.action is Action.CREATE and write.marker and marker:
        return "upsert"
    return str(write.action)


def _is_bare(write: Write) -> bool:
    """An update of associations alone."""
    return write.action is Action.UPDATE and not write.properties


def _key(verb: str, write: Write) -> str:
    """How the answer names a row: archiving knows no traces."""
    return write.id or "" if verb == "archive" else write.trace


def _input(object_name: str, verb: str, write: Write) -> dict[str, Json]:
    if verb == "archive":
        return {"id": write.id}
    held = split(object_name, write.properties)
    properties: Json = {name: as_wire(value) for name, value in held.items()}
    row: dict[str, Json] = {TRACE: write.trace, "properties": properties}
    if verb == "upsert":
        return {**row, "idProperty": MARKER, "id": write.marker}
    if verb == "update":
        return {**row, "id": write.id}
    linked = [types_on_create(object_name, each) for each in write.associations]
    return {**row, "associations": [one for ends in linked for one in ends or ()]}


def _batch(calls: Calls, object_name: str, verb: str) -> Batch:
    action = Action.CREATE if verb == "upsert" else Action(verb)

    def read(answer: Answer, sent: Sequence[Row]) -> Mapping[str, Outcome]:
        if verb == "archive":
            return {row.key: Outcome(row.trace, Ending.DONE) for row in sent}
        told = _told(answer, sent, action)
        return {key: _with_money(object_name, outcome) for key, outcome in told.items()}

    return Batch(f"{calls.paths.objects}/{object_name}/batch/{verb}", action, read)


def _with_money(object_name: str, outcome: Outcome) -> Outcome:
    record = outcome.record
    return outcome if record is None else replace(outcome, record=with_amount(object_name, record))


def _told(answer: Answer, sent: Sequence[Row], action: Action) -> dict[str, Outcome]:
    """What an accepted answer says of the rows it names; its order means nothing."""
    data = table(answer.data)
    by_name = _names(sent)
    told: dict[str, Outcome] = {}
    for raw in rows(data.get("results")):
        result = table(raw)
        row = _row_of(result, by_name)
        if row is not None:
            record = _asked(record_of(raw), row)
            created = action is Action.CREATE and result.get("new", True) is True
            told[row.key] = Outcome(row.trace, Ending.DONE, record, created=created)
    for error in map(table, rows(data.get("errors"))):
        refusal = read_refusal(status_of_row(error), error)
        context = table(error.get("context"))
        for name in (*rows(context.get(TRACE)), *rows(context.get("ids"))):
            row = by_name.get(text(name))
            if row is not None:
                told.setdefault(row.key, outcome_of(row.trace, action, refusal))
    return told


def _names(sent: Sequence[Row]) -> dict[str, Row]:
    """Rows by everything an answer may call them: trace, marker, and for updates their id."""
    named = {text(row.input.get("id")): row for row in sent if row.input.get("id")}
    return named | {row.trace: row for row in sent}


def _row_of(result: Mapping[str, Json], by_name: Mapping[str, Row]) -> Row | None:
    marker = text(table(result.get("properties")).get(MARKER))
    for name in (text(result.get(TRACE)), marker, text(result.get("id"))):
        if name and name in by_name:
            return by_name[name]
    return None


def _asked(record: RemoteRecord, row: Row) -> RemoteRecord:
    """An update of a record that was merged away is answered under the survivor's id."""
    asked = text(row.input.get("id"))
    is_update = bool(asked) and "idProperty" not in row.input
    return replace(record, asked_id=asked) if is_update and asked != record.id else record


def _near_id(
    object_name: str, write: Write, ended: Mapping[str, Outcome], *, marker: bool
) -> str | None:
    """The id whose associations are still to be changed; None when there is nothing to do."""
    outcome = ended[write.trace]
    if (
        outcome.ending is not Ending.DONE
        or write.action is Action.ARCHIVE
        or not write.associations
    ):
        return None
    if _verb(write, marker=marker) == "create" and all(
        types_on_create(object_name, each) is not None for each in write.associations
    ):
        return None
    return outcome.record.id if outcome.record is not None else write.id
