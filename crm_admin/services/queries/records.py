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
from crm_admin.services.queries import scope
from crm_admin.services.queries.listing import Filters, Totals, listed, totals
from crm_admin.services.queries.sql import Row, rows

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
class RecordList:
    """One page of a list. `window` is how many of the newest records a filter without an index
    looked at, None where it looked at all."""

    kind: RecordKind
    status_field: Field | None
    lines: Sequence[RecordLine]
    after: str
    connections: Sequence[tuple[UUID, str]]
    totals: Totals
    own_only: bool
    filters: Filters
    window: int | None = None


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
    found = listed(person, kind.name, filters, after)
    connections = rows(CONNECTIONS, kind=kind.name)
    return RecordList(
        kind=kind,
        status_field=_field(kind, kind.promoted.status),
        lines=_lines(kind, found.rows, connections),
        after=found.after,
        connections=[(row["id"], row["name"]) for row in connections],
        totals=totals(person, kind.name),
        own_only=owner is not None,
        filters=filters,
        window=found.window,
    )


def record_lines(
    person: Person, kind_name: str, filters: Filters, after: str, amount: int
) -> tuple[Sequence[RecordLine], str]:
    """Return lines of a list without its totals, and the place where the next ones begin."""
    kind = kind_named(kind_name)
    if scope.owner_of(person) is not None and kind_name != "pov":
        raise NotFound("There are no records of this type.")
    found = listed(person, kind.name, filters, after, amount=amount)
    return _lines(kind, found.rows, rows(CONNECTIONS, kind=kind.name)), found.after


def connections_of(kind_name: str) -> list[tuple[UUID, str]]:
    """Return the connections that sync a kind, in the order of their columns."""
    return [(row["id"], row["name"]) for row in rows(CONNECTIONS, kind=kind_name)]


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
