"""Fields that both sides changed: what was agreed, what each side has now, and who changed it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.records.kinds import Field
from crm_admin.services.access import Person
from crm_admin.services.conflicts import seen_of
from crm_admin.services.queries import paging, scope
from crm_admin.services.queries.mapping import field_of
from crm_admin.services.queries.sql import Row, first, only, rows

COLUMNS = """
SELECT k.id, k.record_id, k.connection_id, c.name AS connection, r.kind, r.title, k.field,
  k.rule_id, k.base, k.ours,
       k.theirs, k.ours_at, k.ours_by, k.theirs_at, k.state, k.how, k.resolved_at,
         u.name AS resolved_by, k.run_id,
       k.seen, k.created_at
  FROM conflict k
  JOIN connection c ON c.id = k.connection_id
  JOIN record r ON r.id = k.record_id
  LEFT JOIN app_user u ON u.id = k.resolved_by
"""

LIST = f"""
{COLUMNS}
 WHERE {scope.OWN} AND (CASE WHEN CAST(:settled AS boolean) THEN k.state <> 'open' ELSE k.state =
   'open' END)
   AND (CAST(:moment AS timestamptz) IS NULL OR (k.created_at,
     k.id) < (CAST(:moment AS timestamptz), CAST(:id AS uuid)))
 ORDER BY k.created_at DESC, k.id DESC LIMIT :amount
"""

COUNTS = f"""
SELECT count(*) FILTER (WHERE k.state = 'open') AS open,
       count(*) FILTER (WHERE k.state <> 'open' AND k.resolved_at > now() - interval '7 days') AS
         settled_week,
       count(*) FILTER (WHERE k.how = 'by_policy' AND k.resolved_at > now() - interval '7 days')
         AS by_rule
  FROM conflict k JOIN record r ON r.id = k.record_id WHERE {scope.OWN}
"""  # noqa: S608 - only our own condition is pasted in


@dataclass(frozen=True, slots=True)
class Conflict:
    """`seen` goes back with a choice, so that a value that moved meanwhile is noticed."""

    id: UUID
    record_id: UUID
    connection_id: UUID
    connection: str
    kind: str
    title: str
    field_name: str
    field: Field | None
    agreed: Json
    ours: Json
    theirs: Json
    ours_at: datetime | None
    ours_by: str
    theirs_at: datetime | None
    state: str
    how: str
    resolved_at: datetime | None
    resolved_by: str
    run_id: UUID | None
    seen: str
    created_at: datetime

    @property
    def label(self) -> str:
        return self.field.label if self.field else self.field_name


@dataclass(frozen=True, slots=True)
class ConflictPage:
    conflicts: Sequence[Conflict]
    after: str
    open: int
    settled_week: int
    by_rule: int


def unwrap(stored: Json) -> Json:
    """Return the value inside {"v": …}; absent reads as blank."""
    if isinstance(stored, Mapping) and set(stored) <= {"v", "ours", "theirs"}:
        return stored.get("v", stored.get("ours"))
    return stored


def conflict_of(row: Row) -> Conflict:
    """Return a conflict from a row of COLUMNS."""
    return Conflict(
        id=row["id"],
        record_id=row["record_id"],
        connection_id=row["connection_id"],
        connection=row["connection"],
        kind=row["kind"],
        title=row["title"] or "Untitled",
        field_name=row["field"],
        field=field_of(row["kind"], row["field"]),
        agreed=unwrap(row["base"]),
        ours=unwrap(row["ours"]),
        theirs=unwrap(row["theirs"]),
        ours_at=row["ours_at"],
        ours_by=row["ours_by"] or "",
        theirs_at=row["theirs_at"],
        state=row["state"],
        how=row["how"] or "",
        resolved_at=row["resolved_at"],
        resolved_by=row["resolved_by"] or "",
        run_id=row["run_id"],
        seen=seen_of(dict(row)),
        created_at=row["created_at"],
    )


def conflicts(person: Person, *, settled: bool = False, after: str = "") -> ConflictPage:
    """Return one page of open or settled conflicts this person may see, newest first."""
    owner = scope.owner_of(person)
    place = paging.decode(after)
    found = rows(
        LIST,
        owner=owner,
        settled=settled,
        moment=place.value if place else None,
        id=place.id if place else None,
        amount=paging.PAGE + 1,
    )
    shown = [conflict_of(row) for row in found[: paging.PAGE]]
    counts = only(COUNTS, owner=owner)
    more = len(found) > paging.PAGE
    return ConflictPage(
        conflicts=shown,
        after=paging.encode(shown[-1].created_at.isoformat(), shown[-1].id) if more else "",
        open=counts["open"],
        settled_week=counts["settled_week"],
        by_rule=counts["by_rule"],
    )


def of_record(record_id: UUID) -> tuple[Conflict, ...]:
    """Return the open conflicts of one record; the caller has checked that the person may see
    it."""
    found = rows(
        f"{COLUMNS} WHERE k.record_id = :record AND k.state = 'open' ORDER BY k.field",
        record=record_id,
    )
    return tuple(conflict_of(row) for row in found)


def one(person: Person, conflict_id: UUID) -> Conflict | None:
    """Return a conflict this person may see, else None."""
    row = first(
        f"{COLUMNS} WHERE k.id = :conflict AND {scope.OWN}",
        conflict=conflict_id,
        owner=scope.owner_of(person),
    )
    return conflict_of(row) if row else None
