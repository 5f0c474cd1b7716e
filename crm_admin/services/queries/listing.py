"""Fetches one page of records in an order that an index serves, however many records there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from crm_admin.services.access import Person
from crm_admin.services.queries import brief, paging, scope
from crm_admin.services.queries.filtering import OF_KIND, WINDOW, Filters, Narrowed, narrowed
from crm_admin.services.queries.sql import Row, only, rows

__all__ = ["EXACT_UP_TO", "Filters", "Listed", "Totals", "listed", "totals"]

EXACT_UP_TO = 1_000
"""More records than this are not counted one by one."""


@dataclass(frozen=True, slots=True)
class Order:
    column: str
    type: str
    direction: str

    @property
    def compare(self) -> str:
        return "<" if self.direction == "DESC" else ">"

    @property
    def last(self) -> bool:
        """Every record has this value, so there is no list of those without it."""
        return self.column == "r.updated_at"


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
class Listed:
    """`window` is how many of the newest records were looked at, None for all of them."""

    rows: Sequence[Row]
    after: str
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """`linked` and `failed` are None when there are too many records to count on a page."""

    total: int
    linked: int | None
    failed: int | None


COLUMNS = """r.id, r.kind, r.title, r.status, r.owner_id, u.name AS owner, r.amount, r.due_on,
       r.updated_at, r.hub_only, r.data"""

LIST = """
SELECT {columns}, {column} AS place
  FROM {source} LEFT JOIN app_user u ON u.id = r.owner_id
 WHERE {where}
 ORDER BY {order} LIMIT :amount
"""

NEWEST = """(SELECT r.id FROM record r WHERE {where}
   ORDER BY r.updated_at DESC, r.id DESC LIMIT :window) w JOIN record r ON r.id = w.id"""

TOTAL = """
SELECT count(*) AS total FROM (SELECT 1 FROM record r WHERE {where} LIMIT :most) capped
"""

STATES = """
SELECT count(*) FILTER (WHERE l.linked) AS linked, count(*) FILTER (WHERE l.failed) AS failed
  FROM record r CROSS JOIN LATERAL (
       SELECT bool_or(status = 'linked') AS linked,
              bool_or(coalesce(error, '') <> '') AS failed
         FROM link WHERE link.record_id = r.id) l
 WHERE {where}
"""


def totals(person: Person, kind: str) -> Totals:
    """Return how many records of a kind the person may see, up to one more than is counted.

    More than that are asked for anew only now and then: such a number does not change a word.
    """
    owner = scope.owner_of(person)
    if owner is None and brief.holds(("many", kind)):
        return Totals(EXACT_UP_TO + 1, None, None)
    where = (
        OF_KIND if owner is None else f"{OF_KIND} AND r.kind = 'pov' AND r.id IN ({scope.OWNED})"
    )
    bound = {"kind": kind} if owner is None else {"kind": kind, "owner": owner}
    total = only(TOTAL.format(where=where), **bound, most=EXACT_UP_TO + 1)["total"]
    if total > EXACT_UP_TO:
        brief.note(("many", kind))
        return Totals(total, None, None)
    states = only(STATES.format(where=where), **bound)
    return Totals(total, states["linked"], states["failed"])


def listed(
    person: Person, kind: str, filters: Filters, after: str, *, amount: int = paging.PAGE
) -> Listed:
    """Return one page in the wanted order, records without the sorted value last."""
    order = ORDERS.get(filters.sort, ORDERS["updated"])
    found = _Page(order, narrowed(person, kind, filters), amount + 1)
    place = paging.decode(after)
    if place is None or place.value:
        found.filled(place)
        place = None
    if not order.last:
        found.blank(place)
    shown = found.rows[:amount]
    more = len(found.rows) > amount
    return Listed(
        shown,
        paging.encode(_text(shown[-1]["place"]), shown[-1]["id"]) if more else "",
        WINDOW if found.narrowed.late else None,
    )


class _Page:
    """The rows of a page as they are found: first those with the sorted value, then the others."""

    def __init__(self, order: Order, by: Narrowed, amount: int) -> None:
        self.order = order
        self.narrowed = by
        self.amount = amount
        self.rows: list[Row] = []

    def filled(self, place: paging.Place | None) -> None:
        order = self.order
        part = [] if order.last else [f"{order.column} IS NOT NULL"]
        values: dict[str, object] = {}
        if place is not None:
            part.append(
                f"({order.column}, r.id) {order.compare}"
                f" (CAST(:value AS {order.type}), CAST(:id AS uuid))"
            )
            values = {"value": place.value, "id": place.id}
        self._fetch(part, f"{order.column} {order.direction}, r.id {order.direction}", values)

    def blank(self, place: paging.Place | None) -> None:
        order, values = self.order, dict[str, object]()
        part = [f"{order.column} IS NULL"]
        if place is not None:
            part.append(f"r.id {order.compare} CAST(:id AS uuid)")
            values["id"] = place.id
        self._fetch(part, f"r.id {order.direction}", values)

    def _fetch(self, part: list[str], order: str, values: Mapping[str, object]) -> None:
        by, missing = self.narrowed, self.amount - len(self.rows)
        if missing <= 0 or by.ids == ():
            return
        source, where, bound = "record r", [by.where, *part], {**by.values, **values}
        if by.late:
            source, where = NEWEST.format(where=by.where), [by.late, *part]
            bound["window"] = WINDOW
        statement = LIST.format(
            columns=COLUMNS,
            column=self.order.column,
            source=source,
            where=" AND ".join(where),
            order=order,
        )
        self.rows += rows(statement, **bound, amount=missing)


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
