"""Lists of records, POVs first of all: promoted columns, one status per connection, keyset
paging."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.jsontypes import Json
from crm_admin.packs.registry import kinds
from crm_admin.records.kinds import Field, RecordKind
from crm_admin.services.access import Person
from crm_admin.services.queries import paging, scope
from crm_admin.services.queries.sql import Row, only, rows

ORDERS: Mapping[str, tuple[str, str, str]] = {
    "updated": ("r.updated_at", "timestamptz", "DESC"),
    "title": ("coalesce(r.title, '')", "text", "ASC"),
    "amount": ("coalesce(r.amount, 0)", "bigint", "DESC"),
    "due": ("coalesce(r.due_on, DATE '9999-12-31')", "date", "ASC"),
}
"""Sort name → (expression, type, direction); nothing else ever reaches ORDER BY."""

LIST = """
SELECT r.id, r.kind, r.title, r.status, r.owner_id, u.name AS owner, r.amount, r.due_on,
  r.updated_at, r.hub_only,
       r.data, {expression} AS place
  FROM record r LEFT JOIN app_user u ON u.id = r.owner_id
 WHERE r.kind = :kind AND r.deleted_at IS NULL AND r.merged_into IS NULL AND {own}
   AND (CAST(:mine AS uuid) IS NULL OR r.owner_id = CAST(:mine AS uuid))
   AND (CAST(:status AS text) = '' OR r.status = :status)
   AND (CAST(:query AS text) = '' OR strpos(lower(r.title),
     lower(:query)) > 0 OR r.external_id = :query
        OR EXISTS (SELECT 1 FROM link q WHERE q.record_id = r.id AND q.remote_id = :query))
   AND (CAST(:view AS text) = ''
        OR (:view = 'failed' AND EXISTS (SELECT 1 FROM link l WHERE l.record_id = r.id
          AND l.error <> ''))
        OR (:view = 'missing' AND NOT EXISTS (SELECT 1 FROM link l WHERE l.record_id = r.id
          AND l.status = 'linked')))
   AND (CAST(:value AS text) IS NULL OR ({expression}, r.id) {compare} (CAST(:value AS {type}),
     CAST(:id AS uuid)))
 ORDER BY {expression} {direction}, r.id {direction} LIMIT :amount
"""

COUNTS = """
SELECT count(*) AS total,
       count(*) FILTER (WHERE EXISTS (SELECT 1 FROM link l WHERE l.record_id = r.id
         AND l.status = 'linked'
                                         AND (l.error IS NULL OR l.error = ''))) AS linked,
       count(*) FILTER (WHERE EXISTS (SELECT 1 FROM link l WHERE l.record_id = r.id
         AND l.error <> '')) AS failed
  FROM record r
 WHERE r.kind = :kind AND r.deleted_at IS NULL AND r.merged_into IS NULL AND {own}
"""

LINKS = """
SELECT l.record_id, l.connection_id, l.status, l.error, l.agreed_at, l.remote_id,
       EXISTS (SELECT 1 FROM conflict k WHERE k.link_id = l.id AND k.state = 'open') AS in_conflict,
       EXISTS (SELECT 1 FROM outbox o WHERE o.stream_id = l.stream_id
         AND o.record_id = l.record_id) AS waits,
       EXISTS (SELECT 1 FROM effect e WHERE e.link_id = l.id) AS sending
  FROM link l WHERE l.record_id = ANY(:records) AND l.status <> 'shadow'
"""

QUEUED = """
SELECT o.record_id, s.connection_id, o.error FROM outbox o JOIN stream s ON s.id = o.stream_id
 WHERE o.record_id = ANY(:records)
"""

CUSTOMERS = """
SELECT f.record_id, coalesce(t.title, f.label, '') AS title FROM reference f
  LEFT JOIN record t ON t.id = f.target_id
 WHERE f.record_id = ANY(:records) AND f.field = :field AND f.position = 0
"""

CONNECTIONS = """
SELECT c.id, c.name, c.stance FROM connection c
 WHERE EXISTS (SELECT 1 FROM stream s WHERE s.connection_id = c.id AND s.kind = :kind AND s.enabled)
 ORDER BY c.priority, c.name
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in one connection."""

    status: str
    note: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class RecordLine:
    id: UUID
    kind: str
    title: str
    about: str
    status: str
    owner: str
    money: Json
    due_on: date | None
    updated_at: datetime
    places: Sequence[Place]
    synced_at: datetime | None
    waiting_on: str


@dataclass(frozen=True, slots=True)
class Filters:
    query: str = ""
    status: str = ""
    view: str = ""
    sort: str = "updated"
    mine: bool = False

    @property
    def active(self) -> bool:
        return bool(self.query or self.status)


@dataclass(frozen=True, slots=True)
class RecordList:
    kind: RecordKind
    status_field: Field | None
    lines: Sequence[RecordLine]
    after: str
    connections: Sequence[tuple[UUID, str]]
    total: int
    linked: int
    failed: int
    own_only: bool
    filters: Filters


def kind_named(name: str) -> RecordKind:
    """Return the kind; unknown ones are not found."""
    registry = kinds()
    if name not in registry:
        raise NotFound("There are no records of this type.")
    return registry[name]


def record_list(person: Person, kind_name: str, filters: Filters, after: str = "") -> RecordList:
    """Return one page of the records of a kind this person may see, with their place in every
    connection."""
    kind = kind_named(kind_name)
    owner = scope.owner_of(person)
    if owner is not None and kind_name != "pov":
        raise NotFound("There are no records of this type.")
    found = _found(person, kind, filters, after)
    shown = found[: paging.PAGE]
    connections = rows(CONNECTIONS, kind=kind.name)
    counts = only(COUNTS.format(own=scope.OWN), kind=kind.name, owner=owner)
    return RecordList(
        kind=kind,
        status_field=_field(kind, kind.promoted.status),
        lines=_lines(kind, shown, connections),
        after=paging.encode(_text(shown[-1]["place"]), shown[-1]["id"])
        if len(found) > paging.PAGE
        else "",
        connections=[(row["id"], row["name"]) for row in connections],
        total=counts["total"],
        linked=counts["linked"],
        failed=counts["failed"],
        own_only=owner is not None,
        filters=filters,
    )


def _found(person: Person, kind: RecordKind, filters: Filters, after: str) -> Sequence[Row]:
    expression, type_, direction = ORDERS.get(filters.sort, ORDERS["updated"])
    place = paging.decode(after)
    statement = LIST.format(
        expression=expression,
        type=type_,
        direction=direction,
        compare="<" if direction == "DESC" else ">",
        own=scope.OWN,
    )
    return rows(
        statement,
        kind=kind.name,
        owner=scope.owner_of(person),
        mine=person.user_id if filters.mine else None,
        status=filters.status,
        query=filters.query.strip()[:200],
        view=filters.view if filters.view in {"failed", "missing"} else "",
        value=place.value if place else None,
        id=place.id if place else None,
        amount=paging.PAGE + 1,
    )


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _field(kind: RecordKind, name: str) -> Field | None:
    try:
        return kind.field(name) if name else None
    except KeyError:
        return None


def _lines(
    kind: RecordKind, shown: Sequence[Row], connections: Sequence[Row]
) -> tuple[RecordLine, ...]:
    ids = [row["id"] for row in shown]
    if not ids:
        return ()
    links: dict[tuple[UUID, UUID], Row] = {
        (row["record_id"], row["connection_id"]): row for row in rows(LINKS, records=ids)
    }
    queued = {(row["record_id"], row["connection_id"]): row for row in rows(QUEUED, records=ids)}
    reference = next(
        (field.name for field in kind.references if field.name in {"customer", "company"}), ""
    )
    about = (
        {row["record_id"]: row["title"] for row in rows(CUSTOMERS, records=ids, field=reference)}
        if reference
        else {}
    )
    lines = []
    for row in shown:
        places = tuple(
            place_of(
                links.get((row["id"], c["id"])),
                queued.get((row["id"], c["id"])),
                stance=c["stance"],
                hub_only=row["hub_only"],
            )
            for c in connections
        )
        lines.append(_line(kind, row, places, about.get(row["id"], ""), connections))
    return tuple(lines)


def place_of(
    link: Mapping[str, Any] | None, queued: Mapping[str, Any] | None, *, stance: str, hub_only: bool
) -> Place:
    """Return where a record stands in a connection, from its link and its place in the outbox."""
    if link is None:
        return _unlinked(queued, stance=stance, hub_only=hub_only)
    if link["status"] != "linked":
        words = {
            "detached": "It was taken off on purpose.",
            "remote_gone": "It was deleted there.",
            "local_gone": "It was deleted here.",
            "duplicate_suspected": "It may be there twice.",
        }
        return Place("not_linked", words.get(link["status"], ""), link["agreed_at"])
    for status, true in (
        ("conflict", link["in_conflict"]),
        ("failed", link["error"]),
        ("syncing", link["sending"]),
    ):
        if true:
            return Place(status, link["error"] or "", link["agreed_at"])
    if link["waits"]:
        return Place("paused" if stance == "paused" else "waiting", "", link["agreed_at"])
    return Place("synced", "", link["agreed_at"])


def _unlinked(queued: Mapping[str, Any] | None, *, stance: str, hub_only: bool) -> Place:
    if hub_only:
        return Place("stays", "It is only kept here.", None)
    if queued is not None:
        return Place("failed" if queued["error"] else "queued", queued["error"] or "", None)
    return Place("paused" if stance == "paused" else "not_linked", "", None)


def _line(
    kind: RecordKind, row: Row, places: Sequence[Place], about: str, connections: Sequence[Row]
) -> RecordLine:
    moments = [place.at for place in places if place.at]
    money = row["data"].get(kind.promoted.amount) if kind.promoted.amount else None
    return RecordLine(
        id=row["id"],
        kind=row["kind"],
        title=row["title"] or "Untitled",
        about=about,
        status=row["status"] or "",
        owner=row["owner"] or "",
        money=money,
        due_on=row["due_on"],
        updated_at=row["updated_at"],
        places=places,
        synced_at=max(moments) if moments else None,
        waiting_on=_waiting_on(places, connections),
    )


def _waiting_on(places: Sequence[Place], connections: Sequence[Row]) -> str:
    for place, connection in zip(places, connections, strict=True):
        if place.status == "conflict":
            return "a choice between both sides"
        if place.status == "failed":
            return place.note or f"a repair for {connection['name']}"
    return ""
