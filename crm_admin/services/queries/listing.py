"""Fetches one page of records in an order that an index serves, however many records there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from crm_admin.services.access import Person
from crm_admin.services.queries import paging, scope
from crm_admin.services.queries.sql import Row, only, rows

EXACT_UP_TO = 10_000
"""More records than this are not counted one by one."""
MOST_FOUND = 500
"""A search shows at most this many."""


@dataclass(frozen=True, slots=True)
class Order:
    column: str
    type: str
    direction: str

    @property
    def compare(self) -> str:
        return "<" if self.direction == "DESC" else ">"


ORDERS: Mapping[str, Order] = {
    "updated": Order("r.updated_at", "timestamptz", "DESC"),
    "title": Order("r.title", "text", "ASC"),
    "amount": Order("r.amount", "bigint", "DESC"),
    "due": Order("r.due_on", "date", "ASC"),
    "-updated": Order("r.updated_at", "timestamptz", "ASC"),
    "-title": Order("r.title", "text", "DESC"),
    "-amount": Order("r.amount", "bigint", "ASC"),
    "-due": Order("r.due_on", "date", "DESC"),
}
"""Nothing but these ever reaches ORDER BY."""


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
class Listed:
    rows: Sequence[Row]
    after: str


@dataclass(frozen=True, slots=True)
class Totals:
    """`linked` and `failed` are None when there are too many records to count on a page."""

    total: int
    linked: int | None
    failed: int | None


OF_KIND = f"""r.kind = :kind AND r.deleted_at IS NULL AND r.merged_into IS NULL
   AND {scope.OWN}"""

LIST = """
SELECT r.id, r.kind, r.title, r.status, r.owner_id, u.name AS owner, r.amount, r.due_on,
       r.updated_at, r.hub_only, r.data, {column} AS place
  FROM record r LEFT JOIN app_user u ON u.id = r.owner_id
 WHERE {of_kind} AND {part}
   AND (CAST(:mine AS uuid) IS NULL OR r.owner_id = CAST(:mine AS uuid))
   AND (CAST(:status AS text) = '' OR r.status = :status)
   AND (CAST(:searched AS uuid[]) IS NULL OR r.id = ANY(CAST(:searched AS uuid[])))
   AND (CAST(:view AS text) = ''
        OR (:view = 'failed' AND EXISTS (
             SELECT 1 FROM link l WHERE l.record_id = r.id AND l.error <> ''))
        OR (:view = 'missing' AND NOT EXISTS (
             SELECT 1 FROM link l WHERE l.record_id = r.id AND l.status = 'linked')))
 ORDER BY {order} LIMIT :amount
"""

FIND = """
SELECT record_id FROM search_records(CAST(:query AS text), ARRAY[CAST(:kind AS text)],
       CAST(:owner AS uuid), CAST(:most AS integer))
UNION
SELECT r.id FROM record r WHERE r.kind = :kind AND r.external_id = :query
UNION
SELECT l.record_id FROM link l WHERE l.remote_id = :query AND l.connection_id = ANY(
       SELECT id FROM connection)
"""

TOTAL = f"""
SELECT count(*) AS total FROM (SELECT 1 FROM record r WHERE {OF_KIND} LIMIT :most) capped
"""  # noqa: S608 - only our own condition is pasted in

STATES = f"""
SELECT count(*) FILTER (WHERE l.linked) AS linked, count(*) FILTER (WHERE l.failed) AS failed
  FROM record r CROSS JOIN LATERAL (
       SELECT bool_or(status = 'linked') AS linked,
              bool_or(coalesce(error, '') <> '') AS failed
         FROM link WHERE link.record_id = r.id) l
 WHERE {OF_KIND}
"""  # noqa: S608 - only our own condition is pasted in


def totals(person: Person, kind: str) -> Totals:
    """Return how many records of a kind the person may see, up to one more than is counted."""
    owner = scope.owner_of(person)
    total = only(TOTAL, kind=kind, owner=owner, most=EXACT_UP_TO + 1)["total"]
    if total > EXACT_UP_TO:
        return Totals(total, None, None)
    states = only(STATES, kind=kind, owner=owner)
    return Totals(total, states["linked"], states["failed"])


FOLLOWED = """
SELECT CAST(substr(p.name, 8) AS uuid) AS id FROM preference p
 WHERE p.user_id = :me AND starts_with(p.name, 'follow:') LIMIT :most
"""


def listed(
    person: Person, kind: str, filters: Filters, after: str, *, amount: int = paging.PAGE
) -> Listed:
    """Return one page in the wanted order, records without the sorted value last."""
    order = ORDERS.get(filters.sort, ORDERS["updated"])
    bound = {**_bound(person, kind, filters), "amount": amount + 1}
    place = paging.decode(after)
    found: list[Row] = []
    if place is None or place.value:
        found += _filled(order, place, bound)
        place = None
    missing = amount + 1 - len(found)
    if missing > 0 and filters.sort.lstrip("-") != "updated":
        found += _blank(order, place, {**bound, "amount": missing})
    shown = found[:amount]
    more = len(found) > amount
    return Listed(shown, paging.encode(_text(shown[-1]["place"]), shown[-1]["id"]) if more else "")


def _bound(person: Person, kind: str, filters: Filters) -> dict[str, object]:
    owner = scope.owner_of(person)
    query = filters.query.strip()[:200]
    return {
        "kind": kind,
        "owner": owner,
        "mine": person.user_id if filters.mine else None,
        "status": filters.status,
        "searched": _among(person, kind, filters, query),
        "view": filters.view if filters.view in {"failed", "missing"} else "",
    }


def _among(person: Person, kind: str, filters: Filters, query: str) -> list[UUID] | None:
    """Return the ids that a search or the list of followed records leaves, None for all."""
    found = _searched(kind, query, scope.owner_of(person)) if query else None
    if filters.view != "following":
        return found
    followed = [row["id"] for row in rows(FOLLOWED, me=person.user_id, most=MOST_FOUND)]
    return followed if found is None else [one for one in followed if one in set(found)]


def _searched(kind: str, query: str, owner: UUID | None) -> list[UUID]:
    return [
        row["record_id"] for row in rows(FIND, kind=kind, query=query, owner=owner, most=MOST_FOUND)
    ]


def _filled(order: Order, place: paging.Place | None, bound: Mapping[str, object]) -> list[Row]:
    part, order_by = f"{order.column} IS NOT NULL", f"{order.column} {order.direction}, "
    values = dict(bound)
    if place is not None:
        part += (
            f" AND ({order.column}, r.id) {order.compare}"
            f" (CAST(:value AS {order.type}), CAST(:id AS uuid))"
        )
        values |= {"value": place.value, "id": place.id}
    return _rows(order, part, f"{order_by} r.id {order.direction}", values)


def _blank(order: Order, place: paging.Place | None, bound: Mapping[str, object]) -> list[Row]:
    part, values = f"{order.column} IS NULL", dict(bound)
    if place is not None:
        part += f" AND r.id {order.compare} CAST(:id AS uuid)"
        values["id"] = place.id
    return _rows(order, part, f"r.id {order.direction}", values)


def _rows(order: Order, part: str, order_by: str, values: Mapping[str, object]) -> list[Row]:
    statement = LIST.format(column=order.column, of_kind=OF_KIND, part=part, order=order_by)
    return list(rows(statement, **values))


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
