"""The time line of a record: who changed which field from what to what, when and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.records.values import same
from crm_admin.services.queries import paging
from crm_admin.services.queries.plan import Operation, operation
from crm_admin.services.queries.record import RecordPage, references_of
from crm_admin.services.queries.sql import Row, rows

ENTRIES = """
SELECT o.id, o.record_id, o.stream_id, o.remote_object, o.remote_id, o.side, o.action, o.fields,
  NULL AS inputs, o.label,
       o.reason, o.reason_code, o.state, o.excluded, o.error, o.error_field, o.actor,
         coalesce(o.done_at, o.at) AS at, NULL AS kind,
       o.run_id, q.trigger, q.by_name, q.mode, q.mapping_versions, c.name AS connection,
         s.kind AS stream_kind
  FROM operation o
  LEFT JOIN sync_run q ON q.id = o.run_id
  LEFT JOIN stream s ON s.id = o.stream_id
  LEFT JOIN connection c ON c.id = s.connection_id
 WHERE o.record_id = :record AND o.state IN ('done', 'failed', 'undone', 'skipped')
   AND (CAST(:field AS text) = '' OR jsonb_exists(o.fields, :field) OR jsonb_exists_any(o.fields,
     :theirs))
   AND (CAST(:moment AS timestamptz) IS NULL OR (coalesce(o.done_at, o.at),
     o.id) < (CAST(:moment AS timestamptz), CAST(:id AS uuid)))
 ORDER BY coalesce(o.done_at, o.at) DESC, o.id DESC LIMIT :amount
"""

SETTLED = """
SELECT k.id, k.field, k.ours, k.theirs, k.how, k.resolved_at AS at, u.name AS who,
  c.name AS connection
  FROM conflict k JOIN connection c ON c.id = k.connection_id
  LEFT JOIN app_user u ON u.id = k.resolved_by
 WHERE k.record_id = :record AND k.state = 'resolved' AND k.resolved_at IS NOT NULL
   AND (CAST(:field AS text) = '' OR k.field = :field)
   AND (CAST(:before AS timestamptz) IS NULL OR k.resolved_at < CAST(:before AS timestamptz))
 ORDER BY k.resolved_at DESC LIMIT :amount
"""

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Settled:
    """A conflict that was settled: what each side had, and which value was kept."""

    id: UUID
    field: str
    ours: Json
    theirs: Json
    how: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `undo` names the fields that still hold what this change gave them."""

    at: datetime
    connection: str
    started_by: str
    operation: Operation | None = None
    settled: Settled | None = None
    run_id: UUID | None = None
    mode: str = ""
    version: int | None = None
    undo: Sequence[str] = ()

    @property
    def who(self) -> str:
        """Who made the change: the CRM when we took its value, else the person or program."""
        found = self.operation
        if found is not None and found.side == "ours" and self.connection:
            return self.connection
        return (found.actor if found else "") or self.started_by or "CRM Admin"


@dataclass(frozen=True, slots=True)
class TimeLine:
    """`titles` names the records that ids in values stand for."""

    entries: Sequence[Entry]
    after: str
    field: str
    titles: Mapping[str, str]
    begins: bool


def timeline(page: RecordPage, *, field: str = "", after: str = "") -> TimeLine:
    """Return the newest entries of a record the person may see, of one field and its partners
    when given."""
    place = paging.decode(after)
    found = rows(
        ENTRIES,
        record=page.id,
        field=field,
        theirs=_partners(page, field),
        moment=place.value if place else None,
        id=place.id if place else None,
        amount=SHOWN + 1,
    )
    more = len(found) > SHOWN
    held = _held(page)
    entries = [_entry(row, held) for row in found[:SHOWN]]
    last = entries[-1] if entries else None
    entries += _settlements(page, field, place, last.at if more and last else None)
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return TimeLine(
        entries,
        paging.encode(last.at.isoformat(), found[SHOWN - 1]["id"]) if more and last else "",
        field,
        _titles(page, entries),
        begins=place is None,
    )


def _partners(page: RecordPage, field: str) -> list[str]:
    return sorted(
        {
            rule.theirs
            for presence in page.presences
            for rule in presence.rules.values()
            if rule.ours == field
        }
    )


def _held(page: RecordPage) -> Mapping[str, Json]:
    held: dict[str, Json] = {field.name: page.data.get(field.name) for field in page.kind.fields}
    for row in page.fields:
        if row.references:
            target = row.references[0].target_id
            held[row.field.name] = str(target) if target else None
    return held


def _entry(row: Row, held: Mapping[str, Json]) -> Entry:
    versions = row["mapping_versions"] or {}
    version = versions.get(str(row["stream_id"])) if isinstance(versions, dict) else None
    found = operation(row)
    can_undo = found.side == "ours" and found.action == "update" and found.state == "done"
    return Entry(
        at=row["at"],
        connection=row["connection"] or "",
        started_by=row["by_name"] or row["trigger"] or "",
        operation=found,
        run_id=row["run_id"],
        mode=row["mode"] or "",
        version=version if isinstance(version, int) else None,
        undo=tuple(
            change.name
            for change in found.fields
            if change.name in held and same(held[change.name], change.after)
        )
        if can_undo
        else (),
    )


def _settlements(
    page: RecordPage, field: str, place: paging.Place | None, oldest: datetime | None
) -> list[Entry]:
    found = rows(
        SETTLED,
        record=page.id,
        field=field,
        before=place.value if place else None,
        amount=SHOWN,
    )
    return [
        Entry(
            at=row["at"],
            connection=row["connection"],
            started_by=row["who"] or "",
            settled=Settled(
                row["id"], row["field"], _inside(row["ours"]), _inside(row["theirs"]), row["how"]
            ),
        )
        for row in found
        if oldest is None or row["at"] >= oldest
    ]


def _inside(stored: Json) -> Json:
    return stored.get("v") if isinstance(stored, Mapping) else stored


def _titles(page: RecordPage, entries: Sequence[Entry]) -> dict[str, str]:
    names = {field.name for field in page.kind.references}
    ids = set()
    for entry in entries:
        for change in entry.operation.fields if entry.operation else ():
            if change.name in names:
                ids |= {one for one in (change.before, change.after) if isinstance(one, str)}
    return {str(one.target_id): one.title for one in references_of(_ids(ids))}


def _ids(texts: set[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
