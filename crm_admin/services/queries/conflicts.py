"""Fields that both sides changed: what was agreed, what each side has now, and who changed it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.records.kinds import Field
from crm_admin.services.access import Person
from crm_admin.services.conflicts import seen_of
from crm_admin.services.queries import brief, paging, scope
from crm_admin.services.queries.mapping import field_of
from crm_admin.services.queries.sql import Row, first, rows

COLUMNS = """
SELECT k.id, k.record_id, k.connection_id, c.name AS connection, r.kind, r.title, k.field,
  k.rule_id, k.base, k.ours,
       k.theirs, k.ours_at, k.ours_by, k.theirs_at, k.state, k.how, k.resolved_at,
       u.name AS resolved_by, k.run_id, k.seen, k.created_at, k.stream_id, k.link_id, k.result,
       p.name AS claimed_by, k.claimed_at
  FROM conflict k
  JOIN connection c ON c.id = k.connection_id
  JOIN record r ON r.id = k.record_id
  LEFT JOIN app_user u ON u.id = k.resolved_by
  LEFT JOIN app_user p ON p.id = k.claimed_by AND k.claimed_at > now() - interval '30 minutes'
"""

SETTLED = f"""
{COLUMNS}
 WHERE {scope.OWN} AND k.state <> 'open'
   AND (CAST(:connection AS uuid) IS NULL OR k.connection_id = CAST(:connection AS uuid))
   AND (CAST(:field AS text) = '' OR k.field = :field)
   AND (CAST(:moment AS timestamptz) IS NULL
        OR (coalesce(k.resolved_at, k.created_at), k.id)
           < (CAST(:moment AS timestamptz), CAST(:id AS uuid)))
 ORDER BY coalesce(k.resolved_at, k.created_at) DESC, k.id DESC LIMIT :amount
"""

OPEN = f"""
{COLUMNS}
 WHERE k.state = 'open' AND {scope.OWN}
   AND (CAST(:connection AS uuid) IS NULL OR k.connection_id = CAST(:connection AS uuid))
   AND (CAST(:field AS text) = '' OR k.field = :field)
 ORDER BY k.created_at DESC, k.id DESC LIMIT :amount
"""

QUEUE = f"""
SELECT k.record_id, k.connection_id, c.name AS connection, r.kind, r.title,
       array_agg(k.field ORDER BY k.field) AS fields,
       (array_agg(k.id ORDER BY k.created_at, k.id))[1] AS first_id, max(k.created_at) AS newest,
       max(u.name) AS claimed_by, max(k.claimed_at) AS claimed_at,
       bool_or(k.claimed_by = CAST(:me AS uuid)) AS mine
  FROM (SELECT * FROM conflict WHERE state = 'open'
           AND (CAST(:moment AS timestamptz) IS NULL OR created_at <= CAST(:moment AS timestamptz))
         ORDER BY created_at DESC, id DESC
         LIMIT CASE WHEN CAST(:connection AS uuid) IS NULL AND CAST(:field AS text) = ''
                     AND CAST(:owner AS uuid) IS NULL THEN 2000 END) k
  JOIN connection c ON c.id = k.connection_id
  JOIN record r ON r.id = k.record_id
  LEFT JOIN app_user u ON u.id = k.claimed_by AND k.claimed_at > now() - interval '30 minutes'
 WHERE {scope.OWN}
   AND (CAST(:connection AS uuid) IS NULL OR k.connection_id = CAST(:connection AS uuid))
   AND (CAST(:field AS text) = '' OR k.field = :field)
   AND (CAST(:moment AS timestamptz) IS NULL OR NOT EXISTS (
        SELECT 1 FROM conflict n WHERE n.record_id = k.record_id AND n.state = 'open'
           AND n.connection_id = k.connection_id AND n.created_at > CAST(:moment AS timestamptz)))
 GROUP BY k.record_id, k.connection_id, c.name, r.kind, r.title
HAVING CAST(:moment AS timestamptz) IS NULL
    OR (max(k.created_at), k.record_id) < (CAST(:moment AS timestamptz), CAST(:id AS uuid))
 ORDER BY max(k.created_at) DESC, k.record_id DESC LIMIT :amount
"""  # noqa: S608 - only our own condition is pasted in

GROUPS = f"""
SELECT k.connection_id, c.name AS connection, r.kind, k.field, count(*) AS amount
  FROM conflict k JOIN record r ON r.id = k.record_id JOIN connection c ON c.id = k.connection_id
 WHERE k.state = 'open' AND {scope.OWN}
 GROUP BY k.connection_id, c.name, r.kind, k.field
 ORDER BY count(*) DESC, k.field LIMIT 30
"""  # noqa: S608 - only our own condition is pasted in

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
    stream_id: UUID
    rule_id: str
    result: Json
    claimed_by: str
    claimed_at: datetime | None

    @property
    def label(self) -> str:
        return self.field.label if self.field else self.field_name


@dataclass(frozen=True, slots=True)
class Filter:
    """Which conflicts a list shows; empty parts filter nothing."""

    connection: UUID | None = None
    field: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record with open conflicts on one connection; `first_id` is the address of its page."""

    first_id: UUID
    record_id: UUID
    connection: str
    kind: str
    title: str
    labels: tuple[str, ...]
    claimed_by: str
    claimed_at: datetime | None
    mine: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Open conflicts of one field on one connection."""

    connection_id: UUID
    connection: str
    kind: str
    field_name: str
    label: str
    amount: int


@dataclass(frozen=True, slots=True)
class Counts:
    open: int
    settled_week: int
    by_rule: int


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of the queue; `after` is the place of the next one."""

    waiting: Sequence[Waiting]
    groups: Sequence[Group]
    counts: Counts
    after: str


@dataclass(frozen=True, slots=True)
class SettledPage:
    conflicts: Sequence[Conflict]
    counts: Counts
    after: str


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
        # A base is kept once per side; people compare with ours.
        agreed=unwrap(unwrap(row["base"])),
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
        stream_id=row["stream_id"],
        rule_id=row["rule_id"],
        result=unwrap(row["result"]),
        claimed_by=row["claimed_by"] or "",
        claimed_at=row["claimed_at"] if row["claimed_by"] else None,
    )


def queue(person: Person, chosen: Filter, *, after: str = "", amount: int = 50) -> Queue:
    """Return one page of the records whose conflicts this person may settle, newest first."""
    place = paging.decode(after)
    found = rows(
        QUEUE,
        owner=scope.owner_of(person),
        me=person.user_id,
        connection=chosen.connection,
        field=chosen.field,
        moment=place.value if place else None,
        id=place.id if place else None,
        amount=amount + 1,
    )
    shown = found[:amount]
    last = shown[-1] if len(found) > amount else None
    return Queue(
        waiting=[_waiting(row) for row in shown],
        groups=groups(person),
        counts=counts(person),
        after=paging.encode(last["newest"].isoformat(), last["record_id"]) if last else "",
    )


def open_ones(person: Person, chosen: Filter, *, amount: int) -> tuple[Conflict, ...]:
    """Return the open conflicts this person may see, the newest first."""
    found = rows(
        OPEN,
        owner=scope.owner_of(person),
        connection=chosen.connection,
        field=chosen.field,
        amount=amount,
    )
    return tuple(conflict_of(row) for row in found)


def groups(person: Person) -> tuple[Group, ...]:
    """Return how many open conflicts each field of each connection has, the most first."""
    return tuple(
        Group(
            row["connection_id"],
            row["connection"],
            row["kind"],
            row["field"],
            label_of(row["kind"], row["field"]),
            row["amount"],
        )
        for row in brief.rows(GROUPS, owner=scope.owner_of(person))
    )


def counts(person: Person) -> Counts:
    """Return how many conflicts are open, and how many were settled in the last seven days."""
    found = brief.only(COUNTS, owner=scope.owner_of(person))
    return Counts(found["open"], found["settled_week"], found["by_rule"])


def label_of(kind: str, name: str) -> str:
    """Return what a field is called."""
    field = field_of(kind, name)
    return field.label if field else name


def _waiting(row: Row) -> Waiting:
    return Waiting(
        first_id=row["first_id"],
        record_id=row["record_id"],
        connection=row["connection"],
        kind=row["kind"],
        title=row["title"] or "Untitled",
        labels=tuple(label_of(row["kind"], name) for name in row["fields"]),
        claimed_by=row["claimed_by"] or "",
        claimed_at=row["claimed_at"],
        mine=bool(row["mine"]),
    )


def settled(
    person: Person, chosen: Filter, *, after: str = "", amount: int = paging.PAGE
) -> SettledPage:
    """Return one page of settled conflicts this person may see, the last settled first."""
    place = paging.decode(after)
    found = rows(
        SETTLED,
        owner=scope.owner_of(person),
        connection=chosen.connection,
        field=chosen.field,
        moment=place.value if place else None,
        id=place.id if place else None,
        amount=amount + 1,
    )
    shown = [conflict_of(row) for row in found[:amount]]
    last = shown[-1] if len(found) > amount else None
    return SettledPage(
        conflicts=shown,
        counts=counts(person),
        after=paging.encode((last.resolved_at or last.created_at).isoformat(), last.id)
        if last
        else "",
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
