"""What an undo of a run would put back, and what stays and why, as far as we know both sides."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.jsontypes import Json
from crm_admin.security.permissions import Permission
from crm_admin.services import undo
from crm_admin.services.queries import paging
from crm_admin.services.queries.runs import COLUMNS, RunLine, run_line
from crm_admin.services.queries.sql import Row, first, only, rows
from crm_admin.services.queries.undo_sql import LOOKED_AT, ONE_MADE, ONE_OPERATION, SUMMARY

SHOWS = ("back", "stays")
CSV_PAGE = 1_000

REASONS: Mapping[str, str] = {
    "moved": "Changed afterwards",
    "touched": "Changed afterwards, so the record stays",
    "deleted": "The record was deleted or merged afterwards",
    "gone": "No longer in {crm}",
    "archived": "{crm} cannot bring back an archived record",
    "unsynced": "This object is not synced any more",
    "already": "Is as it was already",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a change; `stays` says that it changed afterwards."""

    name: str
    before: Json
    after: Json
    stays: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One thing the run did, and what an undo would do about it; `kept` are fields that stay,
    last changed `by` somebody `at` some time.
    """

    id: UUID
    record_id: UUID | None
    kind: str
    label: str
    side: str
    action: str
    fields: Sequence[Field]
    kept: Sequence[str]
    verdict: str
    reason: str
    by: str
    at: datetime | None

    @property
    def goes_back(self) -> bool:
        return self.verdict == "back"


@dataclass(frozen=True, slots=True)
class Changes:
    rows: Sequence[Change]
    after: str


@dataclass(frozen=True, slots=True)
class Flow:
    """How many changes of one sort go back."""

    side: str
    action: str
    amount: int


@dataclass(frozen=True, slots=True)
class Why:
    reason: str
    amount: int


@dataclass(frozen=True, slots=True)
class Preview:
    """Records: `total` of the run, `back` of which something goes back, `stay` as they are, and
    `partly` of which only some does.
    """

    line: RunLine
    total: int
    back: int
    stay: int
    partly: int
    flows: Sequence[Flow]
    reasons: Sequence[Why]
    why_not: str
    needs: Permission
    under_way: RunLine | None
    looked_at: datetime | None

    @property
    def crm(self) -> str:
        return self.line.connection or "the CRM"

    @property
    def deletes(self) -> int:
        return sum(flow.amount for flow in self.flows if flow.action == "delete")


def preview(run_id: UUID) -> Preview:
    """Return what undoing a run would do; unknown and foreign ids are not found.

    Their side is as it was last read: making the plan reads it again.
    """
    run = line(run_id)
    origin = undo.origin(run_id)
    found = only(SUMMARY, **_bound(run))
    return Preview(
        line=run,
        total=found["total"],
        back=found["back"],
        stay=found["stay"],
        partly=found["partly"],
        flows=tuple(Flow(one["side"], one["action"], one["n"]) for one in found["flows"] or ()),
        reasons=tuple(
            Why(_reason(one["verdict"], run), one["n"]) for one in found["reasons"] or ()
        ),
        why_not=undo.why_not(origin),
        needs=undo.right_for(origin),
        under_way=_under_way(run_id),
        looked_at=only(LOOKED_AT, connection=run.connection_id)["at"],
    )


def line(run_id: UUID) -> RunLine:
    """Return the run to be undone; unknown and foreign ids are not found."""
    row = first(f"{COLUMNS} WHERE r.id = :run", run=run_id)
    if row is None:
        raise NotFound("This run is not there.")
    return run_line(row)


def _bound(run: RunLine) -> dict[str, object]:
    return {"run": run.id, "run_at": run.created_at}


def _under_way(run_id: UUID) -> RunLine | None:
    row = first(
        f"{COLUMNS} WHERE r.undo_of = :run AND r.state IN ('queued', 'running', 'waiting',"
        " 'planned') ORDER BY r.created_at DESC LIMIT 1",
        run=run_id,
    )
    return run_line(row) if row else None


def changes(run: RunLine, *, show: str = "", after: str = "", amount: int = paging.PAGE) -> Changes:
    """Return one page of what the run did: its operations, then the records it made here."""
    place = paging.decode(after)
    part = place.value if place else "operations"
    wanted = show if show in SHOWS else ""
    found: list[Row] = []
    bound = {**_bound(run), "show": wanted, "amount": amount + 1}
    if part == "operations":
        found += rows(ONE_OPERATION, **bound, id=place.id if place else None)
    if len(found) <= amount:
        made = place.id if place and part != "operations" else None
        bound["amount"] = amount + 1 - len(found)
        found += rows(ONE_MADE, **bound, id=made)
    shown = [_change(row, run) for row in found[:amount]]
    more = len(found) > amount
    return Changes(shown, paging.encode(found[amount - 1]["part"], shown[-1].id) if more else "")


def all_changes(run: RunLine, *, show: str = "") -> Iterator[Change]:
    """Return everything a list holds, read page by page."""
    after = ""
    while True:
        page = changes(run, show=show, after=after, amount=CSV_PAGE)
        yield from page.rows
        if not page.after:
            return
        after = page.after


def _change(row: Mapping[Any, Any], run: RunLine) -> Change:
    kept = tuple(row["moved"] or ())
    return Change(
        id=row["id"],
        record_id=row["record_id"],
        kind=row["kind"] or "",
        label=row["label"] or "Untitled",
        side=row["side"],
        action=row["action"],
        fields=tuple(
            Field(name, values[0], values[1], name in kept)
            for name, values in (row["fields"] or {}).items()
        ),
        kept=kept,
        verdict=row["verdict"],
        reason="" if row["verdict"] == "back" else _reason(row["verdict"], run),
        by=row["by_name"] or "",
        at=row["by_at"],
    )


def _reason(verdict: str, run: RunLine) -> str:
    return REASONS.get(verdict, verdict).format(crm=run.connection or "the CRM")
