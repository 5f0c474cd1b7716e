"""Reads HubSpot's records: lists, changes, single ones, and those that hold a value."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote, urlencode

import orjson

from crm_admin.errors import ProviderBroken
from crm_admin.jsontypes import Json
from crm_admin.providers.base import Ask, Page, RemoteRecord
from crm_admin.providers.hubspot.associating import associations_for, ends_of
from crm_admin.providers.hubspot.calls import Calls
from crm_admin.providers.hubspot.payloads import (
    is_cut_short,
    next_of,
    record_of,
    records_of,
    results_of,
    table,
    text,
)
from crm_admin.providers.hubspot.searching import fits, search_page
from crm_admin.providers.hubspot.spec import (
    BATCH,
    LIST_PAGE,
    LONGEST_QUERY,
    MARKER,
    SEARCH,
    SEARCH_CAP,
    SEARCH_PAGE,
    SPEC,
)

ROOM_FOR_VALUES = 1_000


def list_page(calls: Calls, ask: Ask, cursor: str | None) -> Page:
    """Return one page of all records of an object, or of the archived ones."""
    short = len(",".join(ask.properties)) <= LONGEST_QUERY
    query = [("limit", str(LIST_PAGE)), ("archived", "true" if ask.archived else "false")]
    if short and ask.properties:
        query.append(("properties", ",".join(ask.properties)))
    if ask.associations and not ask.archived:
        query.append(("associations", ",".join(ask.associations)))
    if cursor is not None:
        query.append(("after", cursor))
    data = calls.get(f"{calls.paths.objects}/{ask.object}?{urlencode(query, safe=',')}")
    after = next_of(data)
    if after is not None and after == cursor:
        raise ProviderBroken(f"HubSpot sent the same page of {ask.object} twice.")
    records = records_of(data, () if ask.archived else ask.associations, ask.object)
    if ask.archived:
        return Page(_archived_since(records, ask), after)
    if not short:
        records = _filled(calls, ask, records)
    return Page(_completed(calls, ask, records, results_of(data)), after)


def changed_page(calls: Calls, ask: Ask, cursor: str | None) -> Page:
    """Return one page of what changed in a window, with associations read past the index."""
    modified = SPEC.object(ask.object).modified_field
    records, after, total = search_page(calls, ask, modified, cursor)
    if not fits(ask.properties):
        records = _filled(calls, ask, records)
    return Page(with_associations(calls, ask.object, records, ask.associations), after, total)


def read_by_id(
    calls: Calls, object_name: str, ids: Sequence[str], properties: Sequence[str]
) -> tuple[RemoteRecord, ...]:
    """Return the living records of these ids; an id that was merged away leads to its survivor."""
    asked = tuple(dict.fromkeys(ids))
    found = {record.id: record for record in _read_batches(calls, object_name, asked, properties)}
    missing = [one for one in asked if one not in found]
    survivors = {one: _survivor(calls, object_name, one) for one in missing}
    unread = sorted({new for new in survivors.values() if new and new not in found})
    fresh = {one.id: one for one in _read_batches(calls, object_name, unread, properties)}
    known = found | fresh
    merged = [replace(known[new], asked_id=old) for old, new in survivors.items() if new in known]
    return (*(record for one, record in found.items() if one in asked), *merged)


def find_by_values(
    calls: Calls, object_name: str, field: str, values: Sequence[str], properties: Sequence[str]
) -> tuple[RemoteRecord, ...]:
    """Return living records with one of the values: at once by unique fields, else by search."""
    wanted = tuple(dict.fromkeys(value for value in values if value))
    names = tuple(dict.fromkeys((*properties, field)))
    unique = (*SPEC.object(object_name).unique_fields, MARKER)
    if field in unique:
        return tuple(_read_batches(calls, object_name, wanted, names, key=field))
    return tuple(_search_values(calls, object_name, field, wanted, names))


def with_associations(
    calls: Calls, object_name: str, records: tuple[RemoteRecord, ...], others: Sequence[str]
) -> tuple[RemoteRecord, ...]:
    """Return the records with the ids they are associated with, read past the index."""
    if not records or not others:
        return records
    linked = ends_of(calls, object_name, [record.id for record in records], others)
    return tuple(
        replace(record, associations=linked[record.id].ids, primaries=linked[record.id].primaries)
        for record in records
    )


def _archived_since(records: tuple[RemoteRecord, ...], ask: Ask) -> tuple[RemoteRecord, ...]:
    since = ask.since
    if since is None:
        return records
    return tuple(one for one in records if one.updated_at is None or one.updated_at >= since)


def _completed(
    calls: Calls, ask: Ask, records: tuple[RemoteRecord, ...], raws: Sequence[Json]
) -> tuple[RemoteRecord, ...]:
    """Records with more associations than a list sends along get all of theirs."""
    for other in ask.associations:
        cut = [text(table(raw).get("id")) for raw in raws if is_cut_short(raw, other)]
        if not cut:
            continue
        linked = associations_for(calls, ask.object, other, cut)
        records = tuple(
            _with_ends(one, other, linked[one.id]) if one.id in linked else one for one in records
        )
    return records


def _with_ends(
    record: RemoteRecord, other: str, found: tuple[tuple[str, ...], bool]
) -> RemoteRecord:
    ids, has_primary = found
    kept = tuple(name for name in record.primaries if name != other)
    return replace(
        record,
        associations={**record.associations, other: ids},
        primaries=(*kept, other) if has_primary else kept,
    )


def _filled(calls: Calls, ask: Ask, records: tuple[RemoteRecord, ...]) -> tuple[RemoteRecord, ...]:
    """Records read again with all properties, because their names did not fit into the question."""
    listed = {record.id: record for record in records}
    full = _read_batches(calls, ask.object, tuple(listed), ask.properties)
    return tuple(
        replace(
            record,
            associations=listed[record.id].associations,
            primaries=listed[record.id].primaries,
        )
        for record in full
        if record.id in listed
    )


def _read_batches(
    calls: Calls,
    object_name: str,
    ids: Sequence[str],
    properties: Sequence[str],
    key: str | None = None,
) -> Iterator[RemoteRecord]:
    path = f"{calls.paths.objects}/{object_name}/batch/read"
    for start in range(0, len(ids), BATCH):
        body: dict[str, Json] = {
            "properties": list(properties),
            "propertiesWithHistory": [],
            "inputs": [{"id": one} for one in ids[start : start + BATCH]],
        }
        if key is not None:
            body["idProperty"] = key
        for record in records_of(calls.ask(path, body), (), object_name):
            if not record.archived:
                yield record


def _survivor(calls: Calls, object_name: str, record_id: str) -> str | None:
    """The id a record answers under today; None when it is gone."""
    data = calls.find(f"{calls.paths.objects}/{object_name}/{quote(record_id, safe='')}")
    return record_of(data).id if data is not None else None


def _search_values(
    calls: Calls, object_name: str, field: str, values: Sequence[str], properties: Sequence[str]
) -> Iterator[RemoteRecord]:
    path = f"{calls.paths.objects}/{object_name}/search"
    names = properties if fits(properties) else (field,)
    for part in _parts(values):
        after = 0
        while True:
            body: dict[str, Json] = {
                "filterGroups": [
                    {"filters": [{"propertyName": field, "operator": "IN", "values": part}]}
                ],
                "properties": list(names),
                "limit": SEARCH_PAGE,
                "after": str(after),
            }
            data = calls.ask(path, body, SEARCH)
            records = records_of(data, (), object_name)
            if names is properties:
                yield from records
            else:
                ids = [record.id for record in records]
                yield from _read_batches(calls, object_name, ids, properties)
            after += len(records)
            if next_of(data) is None or not records or after + SEARCH_PAGE > SEARCH_CAP:
                break


def _parts(values: Sequence[str]) -> Iterator[list[Json]]:
    """Values in groups that fit into the body of a search; text is matched in lower case."""
    part: list[Json] = []
    size = 0
    for value in dict.fromkeys(value.lower() for value in values):
        length = len(orjson.dumps(value)) + 1
        if part and (size + length > ROOM_FOR_VALUES or len(part) >= BATCH):
            yield part
            part, size = [], 0
        part.append(value)
        size += length
    if part:
        yield part
