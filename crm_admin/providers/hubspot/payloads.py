"""HubSpot's JSON as our dataclasses; everything in it may be missing, odd or hostile."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from crm_admin.errors import ProviderBroken
from crm_admin.jsontypes import Json
from crm_admin.providers.base import (
    Former,
    RemoteField,
    RemoteOption,
    RemoteRecord,
    RemoteSchema,
    Wire,
)
from crm_admin.providers.hubspot.spec import MERGED, REQUIRED

# The values on the right are those of records.kinds.FieldType, a room this one does not see.
TYPES: Mapping[str, str] = {
    "number": "decimal",
    "date": "date",
    "datetime": "datetime",
    "bool": "boolean",
    "phone_number": "phone",
}
TEXT_TYPES: Mapping[str, str] = {
    "textarea": "text",
    "html": "text",
    "phonenumber": "phone",
}
CHOICE_TYPES: Mapping[str, str] = {
    "checkbox": "multi_enum",
    "booleancheckbox": "boolean",
}
PRIMARY_NAMES: Mapping[str, str] = {"companies": "_to_company"}
"""How a listing names the primary association; the plain one beside it ends in `_unlabeled`."""
Nothing: Mapping[str, Json] = {}


def table(value: Json) -> Mapping[str, Json]:
    """Return a JSON object, an empty one in place of anything else."""
    return value if isinstance(value, dict) else Nothing


def rows(value: Json) -> Sequence[Json]:
    """Return a JSON array, an empty one in place of anything else."""
    return value if isinstance(value, list) else ()


def text(value: Json) -> str:
    """Return a JSON text or number as text, nothing for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def results_of(data: Json) -> Sequence[Json]:
    """Return the results of an answer; an answer without the key is no answer."""
    found = data.get("results") if isinstance(data, dict) else None
    if not isinstance(found, list):
        raise ProviderBroken("HubSpot's answer has no results. Nothing was taken from it.")
    return found


def next_of(data: Json) -> str | None:
    """Return the cursor of the next page, None on the last one."""
    if not isinstance(data, dict) or "paging" not in data:
        return None
    return text(table(table(data["paging"]).get("next")).get("after")) or None


def record_of(raw: Json, others: Sequence[str] = (), object_name: str = "") -> RemoteRecord:
    """Return a record as HubSpot sent it; its properties are kept as they are.

    `object_name` is needed to name the ids it had before a merge.
    """
    if not isinstance(raw, dict):
        raise ProviderBroken("HubSpot sent something that is not a record.")
    record_id = raw.get("id")
    properties = raw.get("properties")
    if not isinstance(record_id, str):
        record_id = text(record_id)
    if not record_id or not isinstance(properties, dict):
        raise ProviderBroken("HubSpot sent a record without id or properties.")
    archived = raw.get("archived") is True
    stamp = raw.get("archivedAt") if archived else raw.get("updatedAt")
    linked, primaries = _associations(raw.get("associations"), others) if others else ({}, ())
    merged = properties.get(MERGED)
    return RemoteRecord(
        record_id,
        properties,
        moment(stamp),
        archived,
        None,
        linked,
        primaries,
        moment(raw.get("createdAt")),
        _former(merged, record_id, object_name) if isinstance(merged, str) and merged else (),
    )


def _former(merged: str, record_id: str, object_name: str) -> tuple[Former, ...]:
    """The ids a record had before it was merged; its own may be among them."""
    ids = (one.strip() for one in merged.split(";"))
    return tuple(
        Former(object_name, one) for one in dict.fromkeys(ids) if one not in ("", record_id)
    )


def records_of(
    data: Json, others: Sequence[str] = (), object_name: str = ""
) -> tuple[RemoteRecord, ...]:
    """Return the records of a page."""
    return tuple([record_of(raw, others, object_name) for raw in results_of(data)])


def moment(value: Json) -> datetime | None:
    """Return a stamp as an aware time, None when it cannot be read."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def is_cut_short(raw: Json, other: str) -> bool:
    """Say whether a listed record has more associations to another object than were sent along."""
    linked = raw.get("associations") if isinstance(raw, dict) else None
    ends = linked.get(other) if isinstance(linked, dict) else None
    return isinstance(ends, dict) and "paging" in ends


def schema_of(object_name: str, data: Json) -> RemoteSchema:
    """Return the described properties; unreadable entries are left out."""
    required = REQUIRED.get(object_name, frozenset())
    described = (field_of(table(raw), required) for raw in results_of(data))
    return RemoteSchema(object_name, tuple(field for field in described if field.name))


def field_of(raw: Mapping[str, Json], required: frozenset[str]) -> RemoteField:
    """Return one described property."""
    name = text(raw.get("name"))
    limits = table(raw.get("modificationMetadata"))
    return RemoteField(
        name=name,
        label=text(raw.get("label")) or name,
        type=type_of(raw),
        options=tuple(
            RemoteOption(text(option.get("value")), text(option.get("label")))
            for option in map(table, rows(raw.get("options")))
        ),
        read_only=limits.get("readOnlyValue") is True or raw.get("calculated") is True,
        required=name in required,
        unique=raw.get("hasUniqueValue") is True or name == "email",
        custom=raw.get("hubspotDefined") is not True,
    )


def type_of(raw: Mapping[str, Json]) -> str:
    """Return our type of a property: its `type` decides, `fieldType` only refines it."""
    kind, shown = text(raw.get("type")), text(raw.get("fieldType"))
    if kind == "enumeration":
        if raw.get("referencedObjectType") == "OWNER":
            return "reference"
        return CHOICE_TYPES.get(shown, "enum")
    if kind == "number" and raw.get("numberDisplayHint") == "currency":
        return "money"
    if kind in TYPES:
        return TYPES[kind]
    if raw.get("textDisplayHint") == "email" or raw.get("name") == "email":
        return "email"
    return TEXT_TYPES.get(shown, "string")


def associations_of(data: Json, primary: int | None) -> dict[str, list[tuple[str, bool]]]:
    """Return per record the ids it is associated with, and whether each is the primary one."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for entry in map(table, results_of(data)):
        near = text(table(entry.get("from")).get("id"))
        ends = (table(end) for end in rows(entry.get("to")))
        pairs = ((text(end.get("toObjectId")), _is_primary(end, primary)) for end in ends)
        found.setdefault(near, []).extend(pair for pair in pairs if pair[0])
    return found


def in_order(ends: Sequence[tuple[str, bool]]) -> tuple[tuple[str, ...], bool]:
    """Return each id once, the primary one first and the others as numbers grow, and whether there
    is a primary one: HubSpot promises no order.
    """
    first = next((far for far, is_primary in ends if is_primary), None)
    if len(ends) == 1:
        return (ends[0][0],), first is not None
    rest = sorted({far for far, _ in ends if far != first}, key=lambda far: (len(far), far))
    return (tuple(rest) if first is None else (first, *rest)), first is not None


def associations_left(data: Json) -> dict[str, str]:
    """Return, per record that has more associations than were sent, where they go on."""
    entries = map(table, results_of(data))
    left = {text(table(entry.get("from")).get("id")): next_of(entry) for entry in entries}
    return {near: after for near, after in left.items() if after}


def as_wire(value: Wire) -> str:
    """Return a value as HubSpot takes it: all text, and empty text clears."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _associations(
    linked: Json, others: Sequence[str]
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    found = table(linked)
    if not found:
        return dict.fromkeys(others, ()), ()
    ids: dict[str, tuple[str, ...]] = {}
    primaries: list[str] = []
    for other in others:
        ids[other], has_primary = in_order(_listed(found.get(other), PRIMARY_NAMES.get(other)))
        if has_primary:
            primaries.append(other)
    return ids, tuple(primaries)


def _listed(value: Json, primary: str | None) -> list[tuple[str, bool]]:
    """One record comes once per type of association; the primary type has a name of its own."""
    ends: list[tuple[str, bool]] = []
    for end in rows(value.get("results") if isinstance(value, dict) else None):
        if not isinstance(end, dict):
            continue
        far, kind = end.get("id"), end.get("type")
        if not isinstance(far, str):
            far = text(far)
        if far:
            leads = primary is not None and isinstance(kind, str) and kind.endswith(primary)
            ends.append((far, leads))
    return ends


def _is_primary(end: Mapping[str, Json], primary: int | None) -> bool:
    types = map(table, rows(end.get("associationTypes")))
    return primary is not None and any(kind.get("typeId") == primary for kind in types)
