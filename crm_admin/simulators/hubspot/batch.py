"""HubSpot's endpoints for up to a hundred records in one call, with their all-or-nothing and
per-row answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson

from crm_admin.simulators.clock import iso
from crm_admin.simulators.hubspot.calls import Call, find_row, taken_error, trace_of
from crm_admin.simulators.hubspot.errors import ApiError, bad_request, detail, invalid, not_found
from crm_admin.simulators.hubspot.objects import (
    New,
    apply_change,
    make,
    prepare_change,
    prepare_new,
    written_shape,
)
from crm_admin.simulators.hubspot.schema import SINGULAR
from crm_admin.simulators.hubspot.shapes import render, shape_of, with_extra
from crm_admin.simulators.row import Row
from crm_admin.simulators.rows import Taken, folded
from crm_admin.simulators.truth import By
from crm_admin.simulators.wire import Answer, as_list, as_map, as_text

Given = dict[str, object]


@dataclass(slots=True)
class Tally:
    """What a batch has come to so far; `missing` are ids nobody has, reported together."""

    started: str
    results: list[bytes] = field(default_factory=list)
    errors: list[dict[str, object]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def read(call: Call) -> Answer:
    """The records that exist; ids that nobody has are named in one error."""
    given = call.request.json()
    table = call.table
    archived = call.request.flag("archived")
    shape = shape_of(table, [as_text(name) for name in as_list(given.get("properties"))])
    tally = _begin(call)
    for text in dict.fromkeys(as_text(each.get("id")) for each in call.inputs()):
        row = find_row(table, text, as_text(given.get("idProperty")))
        if row is None or (row.archived is not None) != archived:
            tally.missing.append(text)
        else:
            tally.results.append(render(row, shape))
    return _finish(call, tally, 200)


def create(call: Call) -> Answer:
    """New records; without trace ids one refused row refuses all."""
    inputs = call.inputs()
    if _traced(inputs):
        return _row_by_row(call, inputs, _create_one, 201)
    prepared = [prepare_new(call, given) for given in inputs]
    _check_free_together(call, prepared)
    tally = _begin(call)
    for new in prepared:
        row = make(call, new)
        tally.results.append(render(row, written_shape(call, row)))
    return _finish(call, tally, 201)


def update(call: Call) -> Answer:
    """Changed records; values are judged before anything is written unless rows have trace ids."""
    inputs = call.inputs()
    _refuse_repeated(inputs)
    if not _traced(inputs):
        for given in inputs:
            row = _living(call, given)
            if row is not None:
                prepare_change(call, row, given)
    return _row_by_row(call, inputs, _update_one, 200)


def upsert(call: Call) -> Answer:
    """Records changed where the unique value is known, made where it is not."""
    inputs = call.inputs()
    _refuse_repeated(inputs)
    if not _traced(inputs):
        for given in inputs:
            _prepare_upsert(call, given)
    return _row_by_row(call, inputs, _upsert_one, 200)


def archive(call: Call) -> Answer:
    """The named records are archived; unknown ones are passed over."""
    for given in call.inputs():
        row = _living(call, given)
        if row is not None:
            call.portal.archive(call.object_name(), row.id, by=By.API)
    return Answer(status=204)


def _begin(call: Call) -> Tally:
    return Tally(iso(call.portal.clock.now_ms()))


def _finish(call: Call, tally: Tally, status: int) -> Answer:
    if tally.missing:
        label = SINGULAR[call.object_name()].upper()
        text = f"Could not get some {label} objects; they may be deleted or not exist."
        error = ApiError(404, "OBJECT_NOT_FOUND", text)
        tally.errors.append(error.in_batch({"ids": tally.missing}))
    if call.account.settings.shuffle:
        call.shuffler.shuffle(tally.results)
    tail: dict[str, object] = {"status": "COMPLETE"}
    if tally.errors:
        tail |= {"numErrors": len(tally.errors), "errors": tally.errors}
    tail |= {"startedAt": tally.started, "completedAt": iso(call.portal.clock.now_ms())}
    body = b'{"results":[' + b",".join(tally.results) + b"]," + orjson.dumps(tail)[1:]
    multi = bool(tally.errors) and call.account.settings.multi_status
    return Answer(status=207 if multi else status, body=body)


def _traced(inputs: Sequence[Given]) -> bool:
    """Every input names itself, and no two alike: only then rows are judged one by one."""
    traces = [trace_of(given) for given in inputs]
    return all(traces) and len(set(traces)) == len(traces)


def _row_by_row(
    call: Call, inputs: list[Given], one: Callable[[Call, Given], bytes], status: int
) -> Answer:
    tally = _begin(call)
    for given in inputs:
        trace = trace_of(given)
        try:
            text = one(call, given)
        except ApiError as refused:
            if refused.status == 404 and not trace:
                tally.missing.append(as_text(given.get("id")))
            else:
                context = (
                    {"objectWriteTraceId": [trace]}
                    if trace
                    else {"ids": [as_text(given.get("id"))]}
                )
                tally.errors.append(refused.in_batch(context))
            continue
        tally.results.append(with_extra(text, {"objectWriteTraceId": trace} if trace else {}))
    return _finish(call, tally, status)


def _create_one(call: Call, given: Given) -> bytes:
    row = make(call, prepare_new(call, given))
    return render(row, written_shape(call, row))


def _update_one(call: Call, given: Given) -> bytes:
    row = _living(call, given)
    if row is None:
        raise not_found()
    changed = apply_change(call, row, prepare_change(call, row, given))
    return render(changed, written_shape(call, changed))


def _upsert_one(call: Call, given: Given) -> bytes:
    row, new, changes = _prepare_upsert(call, given)
    done = make(call, new) if row is None else apply_change(call, row, changes)
    return with_extra(render(done, written_shape(call, done)), {"new": row is None})


def _prepare_upsert(call: Call, given: Given) -> tuple[Row | None, New, dict[str, str]]:
    row = _living(call, given)
    if row is not None:
        return row, ({}, []), prepare_change(call, row, given)
    id_property = as_text(given.get("idProperty"))
    if not id_property or id_property == "hs_object_id":
        raise not_found()
    text = as_text(given.get("id"))
    if not text:
        raise invalid([detail(id_property, "MISSING_REQUIRED_PROPERTY", "id must not be empty")])
    properties = {id_property: text, **as_map(given.get("properties"))}
    return None, prepare_new(call, {**given, "properties": properties}), {}


def _living(call: Call, given: Given) -> Row | None:
    row = find_row(call.table, as_text(given.get("id")), as_text(given.get("idProperty")))
    return None if row is None or row.archived is not None else row


def _refuse_repeated(inputs: Sequence[Given]) -> None:
    ids = [folded(as_text(given.get("id"))) for given in inputs]
    if len(set(ids)) < len(ids):
        raise bad_request("Duplicate IDs found in batch input. IDs must be unique")


def _check_free_together(call: Call, prepared: Sequence[New]) -> None:
    """No new record takes a unique value that a record has, or that an earlier one of the batch
    takes.
    """
    name = call.object_name()
    claimed: set[tuple[str, str]] = set()
    for props, _ in prepared:
        try:
            call.table.check_free(props, None)
        except Taken as taken:
            raise taken_error(taken, name) from taken
        claims = {
            (each, folded(props[each])) for each in call.table.unique_names() if props.get(each)
        }
        if claims & claimed:
            raise bad_request("Duplicate unique values found in batch input")
        claimed |= claims
