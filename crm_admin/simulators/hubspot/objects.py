"""HubSpot's endpoints for one record at a time, and the listing."""

from typing import Final

from crm_admin.simulators.hubspot.association_types import backwards, known_types
from crm_admin.simulators.hubspot.calls import Call, find_row, known_object, taken_error
from crm_admin.simulators.hubspot.errors import ApiError, bad_request, not_found
from crm_admin.simulators.hubspot.linking import set_types
from crm_admin.simulators.hubspot.merging import merge_rows
from crm_admin.simulators.hubspot.schema import SINGULAR
from crm_admin.simulators.hubspot.shapes import (
    associations_of,
    page_body,
    render,
    shape_of,
    with_extra,
)
from crm_admin.simulators.hubspot.values import check_properties, check_required, needed_to_create
from crm_admin.simulators.row import Row
from crm_admin.simulators.rows import NotThere, Taken
from crm_admin.simulators.truth import By
from crm_admin.simulators.wire import Answer, as_int, as_list, as_map, as_text

MAX_PAGE: Final = 100
New = tuple[dict[str, str], list[tuple[str, int, frozenset[int]]]]


def list_page(call: Call) -> Answer:
    """One page of living or archived records in the order of their ids."""
    request = call.request
    limit = as_int(request.arg("limit"), 10)
    if not 0 < limit <= MAX_PAGE:
        raise bad_request(f"limit must be between 1 and {MAX_PAGE}")
    table = call.table
    archived = request.flag("archived")
    rows = table.after(as_int(request.arg("after")), archived=archived)
    page = [row for row, _ in zip(rows, range(limit + 1), strict=False)]
    shape = shape_of(table, request.names("properties"))
    others = tuple(map(known_object, request.names("associations")))
    if others:
        records = [_with_associations(call, row, shape, others) for row in page[:limit]]
    else:
        records = [render(row, shape) for row in page[:limit]]
    after = str(page[limit - 1].id) if len(page) > limit else None
    link = f"https://api.hubapi.com{request.path}?limit={limit}&after={after}"
    return Answer(body=page_body(records, after, link))


def read(call: Call) -> Answer:
    """One record, found by id, by an id it once had, or by a unique value."""
    row = _wanted(call, archived=call.request.flag("archived"))
    shape = shape_of(call.table, call.request.names("properties"))
    others = tuple(map(known_object, call.request.names("associations")))
    return Answer(body=_with_associations(call, row, shape, others))


def create(call: Call) -> Answer:
    """A new record, with its associations."""
    given = call.request.json()
    row = make(call, prepare_new(call, given))
    return Answer(status=201, body=render(row, written_shape(call, row)))


def update(call: Call) -> Answer:
    """The record has the given values; "" clears."""
    row = _wanted(call, archived=False)
    changes = prepare_change(call, row, call.request.json())
    changed = apply_change(call, row, changes)
    return Answer(body=render(changed, written_shape(call, changed)))


def archive(call: Call) -> Answer:
    """The record is archived; an unknown id is no error."""
    row = find_row(call.table, call.rest["id"], call.request.arg("idProperty"))
    if row is not None and row.archived is None:
        call.portal.archive(call.object_name(), row.id, by=By.API)
    return Answer(status=204)


def merge(call: Call) -> Answer:
    """Two records become one."""
    given = call.request.json()
    name = call.object_name()
    ids = as_text(given.get("primaryObjectId")), as_text(given.get("objectIdToMerge"))
    rows = [find_row(call.table, each, "") for each in ids]
    keep, absorb = rows
    if keep is None or absorb is None or keep.archived or absorb.archived:
        raise not_found()
    if keep.id == absorb.id:
        raise bad_request("A record cannot be merged with itself")
    merged = merge_rows(call.account, name, (keep, absorb), By.API)
    return Answer(body=render(merged, written_shape(call, merged)))


def erase(call: Call) -> Answer:
    """The record is gone for good; an unknown one is no error."""
    given = call.request.json()
    id_property = as_text(given.get("idProperty"))
    row = find_row(call.table, as_text(given.get("objectId")), id_property)
    if row is not None:
        call.portal.erase(call.object_name(), row.id, by=By.API)
    return Answer(status=204)


def prepare_new(call: Call, given: dict[str, object]) -> New:
    """What a create would make, checked in every respect but uniqueness; nothing is written."""
    name = call.object_name()
    props = check_properties(call.table, as_map(given.get("properties")), {}, call.rules)
    props = {key: value for key, value in props.items() if value}
    if name == "deals":
        props.setdefault("pipeline", "default")
    refused = needed_to_create(name, props)
    if refused is not None:
        raise refused
    check_required(props, call.required(name))
    links = [
        link for each in as_list(given.get("associations")) for link in _links(call, as_map(each))
    ]
    return props, links


def make(call: Call, new: New) -> Row:
    """The checked new record is there, unless a unique value is taken."""
    name = call.object_name()
    props, links = new
    try:
        row = call.portal.create(name, props, by=By.API)
    except Taken as taken:
        raise taken_error(taken, name) from taken
    for far_object, far_id, types in links:
        set_types(call.portal, (name, row.id), (far_object, far_id), types, By.API)
    return call.table.living_row(row.id)


def prepare_change(call: Call, row: Row, given: dict[str, object]) -> dict[str, str]:
    """What an update would write, checked in every respect but uniqueness; nothing is written."""
    changes = check_properties(call.table, as_map(given.get("properties")), row.props, call.rules)
    check_required({**row.props, **changes}, call.required(call.object_name()))
    return changes


def apply_change(call: Call, row: Row, changes: dict[str, str]) -> Row:
    """The record has the checked values, unless a unique one is taken."""
    name = call.object_name()
    try:
        return call.portal.update(name, row.id, changes, by=By.API)
    except Taken as taken:
        raise taken_error(taken, name) from taken
    except NotThere as missing:
        raise not_found() from missing


def written_shape(call: Call, row: Row) -> tuple[str, ...]:
    """A write answers with the defaults and every property that has a value."""
    table = call.table
    return shape_of(table, (*shape_of(table, ()), *sorted(row.props)))


def _wanted(call: Call, *, archived: bool) -> Row:
    row = find_row(call.table, call.rest["id"], call.request.arg("idProperty"))
    if row is None or (row.archived is not None) != archived:
        raise not_found()
    return row


def _with_associations(
    call: Call, row: Row, shape: tuple[str, ...], others: tuple[str, ...]
) -> bytes:
    text = render(row, shape)
    found = associations_of(call.portal, (call.object_name(), row.id), others)
    return with_extra(text, {"associations": found}) if found else text


def _links(call: Call, given: dict[str, object]) -> list[tuple[str, int, frozenset[int]]]:
    """The associations of a new record; the far object follows from the association type."""
    far_id = as_int(as_map(given.get("to")).get("id"), -1)
    types = frozenset(
        as_int(as_map(each).get("associationTypeId")) for each in as_list(given.get("types"))
    )
    far_object = _far_object(call.object_name(), types)
    row = call.portal.table(far_object).find(far_id)
    if row is None or row.archived is not None:
        raise _no_such_end(far_object, far_id)
    return [(far_object, row.id, types)]


def _far_object(near: str, types: frozenset[int]) -> str:
    for far in SINGULAR:
        known = known_types(near, far)
        if types and types <= known and backwards(near, far, types):
            return far
    raise bad_request(f"Invalid association types {sorted(types)} for {near}")


def _no_such_end(far_object: str, far_id: int) -> ApiError:
    return bad_request(f"No {SINGULAR[far_object]} with id {far_id} exists")
