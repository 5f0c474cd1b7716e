"""Records in the shape HubSpot sends: rendered once per state and wanted properties, then kept as
bytes.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import orjson

from crm_admin.simulators.clock import iso
from crm_admin.simulators.hubspot.association_types import legacy_name
from crm_admin.simulators.hubspot.schema import BARE_DEFAULTS, DEFAULTS, modified_name
from crm_admin.simulators.row import Row
from crm_admin.simulators.rows import Table
from crm_admin.simulators.store import Portal

CREATED: Final = frozenset({"createdate", "hs_createdate"})
CHANGED: Final = frozenset({"lastmodifieddate", "hs_lastmodifieddate"})
OUTSIDE: Final = (*CREATED, *CHANGED, "hs_object_id")
Shape = tuple[str, ...]


def shape_of(table: Table, asked: Sequence[str]) -> Shape:
    """Which properties come back: the defaults, or the asked ones that exist and the stamps and the
    id.
    """
    key = tuple(asked)
    known = table.shapes.get(key)
    if known is None:
        known = table.remember_shape(key, _make_shape(table, key))
    return known


def _make_shape(table: Table, asked: Shape) -> Shape:
    if not asked:
        return DEFAULTS.get(table.name, BARE_DEFAULTS)
    created = "createdate" if table.name in DEFAULTS else "hs_createdate"
    always = {created, modified_name(table.name), "hs_object_id"}
    names = {each.name for each in table.definitions.values() if not each.archived}
    return tuple(sorted(names.intersection(asked) | always))


def value_of(row: Row, name: str) -> str | None:
    """The value of a property, of those too that are kept outside the properties."""
    if name in CREATED:
        return iso(row.created)
    if name in CHANGED:
        return iso(row.updated)
    if name == "hs_object_id":
        return str(row.id)
    return row.props.get(name)


def render(row: Row, shape: Shape) -> bytes:
    """The record as JSON, made anew only for a new state or another shape."""
    if row.shape is not shape and row.shape != shape:
        record: dict[str, object] = {
            "id": str(row.id),
            "properties": _properties(row, shape),
            "createdAt": iso(row.created),
            "updatedAt": iso(row.updated),
            "archived": row.archived is not None,
        }
        if row.archived is not None:
            record["archivedAt"] = iso(row.archived)
        row.text = orjson.dumps(record)
        row.shape = shape
    return row.text


def _properties(row: Row, shape: Shape) -> dict[str, str | None]:
    found: dict[str, str | None] = {name: row.props.get(name) for name in shape}
    for name in OUTSIDE:
        if name in found:
            found[name] = value_of(row, name)
    return found


def with_extra(text: bytes, extra: dict[str, object]) -> bytes:
    """The rendered record with further keys at its end."""
    return text[:-1] + b"," + orjson.dumps(extra)[1:] if extra else text


def associations_of(
    portal: Portal, near: tuple[str, int], others: Iterable[str]
) -> dict[str, object]:
    """The `associations` of a record for the asked objects, primary first; objects without links
    are left out.
    """
    found: dict[str, object] = {}
    for other in others:
        linked = living_links(portal, near, other)
        results = [
            {"id": str(far_id), "type": legacy_name(near[0], other, type_id)}
            for far_id, types in linked
            for type_id in sorted(types)
        ]
        if results:
            found[other] = {"results": results}
    return found


def living_links(
    portal: Portal, near: tuple[str, int], other: str
) -> list[tuple[int, frozenset[int]]]:
    """Links to records that are not archived, the primary one first, else by id."""
    rows = portal.table(other).rows
    linked = portal.links.to(near, other).items()
    alive = [
        (far_id, types)
        for far_id, types in linked
        if far_id in rows and rows[far_id].archived is None
    ]
    return sorted(alive, key=lambda pair: (min(pair[1]) > 6, pair[0]))


def page_body(records: Sequence[bytes], after: str | None, link: str) -> bytes:
    """A page of rendered records, with the way to the next one if there is one."""
    parts = [b'{"results":[', b",".join(records), b"]"]
    if after is not None:
        paging = {"next": {"after": after, "link": link}}
        parts += [b',"paging":', orjson.dumps(paging)]
    parts.append(b"}")
    return b"".join(parts)
