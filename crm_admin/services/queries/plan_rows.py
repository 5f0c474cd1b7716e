"""The rows of a plan under the filters of its page, a page or all of them at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_admin.services.queries import paging
from crm_admin.services.queries.operations import COLUMNS, Operation, operation
from crm_admin.services.queries.runs import RunLine
from crm_admin.services.queries.sql import only, rows

MARKS: Mapping[str, tuple[str, ...]] = {
    "": ("property", "link", "create", "update", "delete", "associate", "match", "conflict"),
    "create": ("create",),
    "update": ("update", "associate"),
    "delete": ("delete",),
    "link": ("link",),
    "property": ("property",),
    "match": ("match",),
    "conflict": ("conflict",),
    "agree": ("agree",),
    "skip": ("skip",),
}
AT_ONCE = 1_000

CHOSEN = """
 WHERE o.run_id = :run AND o.run_at = :run_at AND o.action = ANY(:actions)
   AND (CAST(:side AS text) = '' OR o.side = :side)
   AND (CAST(:field AS text) = '' OR jsonb_exists(o.fields, :field))
   AND (CAST(:owner AS uuid) IS NULL OR r.owner_id = CAST(:owner AS uuid))
"""

ROWS = f"""
{COLUMNS} {CHOSEN} AND (CAST(:id AS uuid) IS NULL OR o.id > CAST(:id AS uuid))
 ORDER BY o.id LIMIT :amount
"""

AMOUNT = f"""
SELECT count(*) AS amount, count(*) FILTER (WHERE o.excluded) AS left_out
  FROM operation o LEFT JOIN record r ON r.id = o.record_id {CHOSEN}
"""  # noqa: S608 - only our own condition is pasted in


@dataclass(frozen=True, slots=True)
class Filters:
    """What a plan is narrowed to; "" means any."""

    mark: str = ""
    side: str = ""
    field: str = ""
    owner: str = ""
    by_field: bool = False

    @property
    def active(self) -> bool:
        return bool(self.mark or self.side or self.field or self.owner)

    @property
    def actions(self) -> tuple[str, ...]:
        return MARKS.get(self.mark, MARKS[""])

    @property
    def owner_id(self) -> UUID | None:
        return UUID(self.owner) if self.owner else None


@dataclass(frozen=True, slots=True)
class Rows:
    operations: Sequence[Operation]
    after: str


@dataclass(frozen=True, slots=True)
class Shown:
    """How many operations the filters show, and how many of these are left out."""

    amount: int
    left_out: int


def filters_of(
    *, mark: str = "", side: str = "", field: str = "", owner: str = "", group: str = ""
) -> Filters:
    """Return filters as an address or a form names them; a made-up value means any."""
    try:
        person = str(UUID(owner)) if owner else ""
    except ValueError:
        person = ""
    return Filters(
        mark=mark if mark in MARKS else "",
        side=side if side in {"ours", "theirs"} else "",
        field=field[:200],
        owner=person,
        by_field=group == "field",
    )


def plan_rows(
    line: RunLine, filters: Filters, after: str = "", *, amount: int = paging.PAGE
) -> Rows:
    """Return one page of a plan's operations under these filters."""
    place = paging.decode(after)
    found = rows(ROWS, **_bound(line, filters), id=place.id if place else None, amount=amount + 1)
    shown = [operation(row) for row in found[:amount]]
    return Rows(shown, paging.encode("", shown[-1].id) if len(found) > amount else "")


def all_rows(line: RunLine, filters: Filters) -> Iterator[Operation]:
    """Give every operation under these filters, a thousand read at a time."""
    after = ""
    while True:
        page = plan_rows(line, filters, after, amount=AT_ONCE)
        yield from page.operations
        if not page.after:
            return
        after = page.after


def shown(line: RunLine, filters: Filters) -> Shown:
    """Count what the filters show."""
    row = only(AMOUNT, **_bound(line, filters))
    return Shown(row["amount"], row["left_out"])


def _bound(line: RunLine, filters: Filters) -> dict[str, object]:
    return {
        "run": line.id,
        "run_at": line.created_at,
        "actions": list(filters.actions),
        "side": filters.side,
        "field": filters.field,
        "owner": filters.owner_id,
    }
