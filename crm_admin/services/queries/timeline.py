"""The time line of a record: who changed which field from what to what, when and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.services.queries import paging
from crm_admin.services.queries.plan import Operation, operation
from crm_admin.services.queries.sql import Row, rows

ENTRIES = """
SELECT o.id, o.record_id, o.stream_id, o.remote_object, o.remote_id, o.side, o.action, o.fields,
  NULL AS inputs, o.label,
       o.reason, o.reason_code, o.state, o.excluded, o.error, o.error_field, o.actor, o.at,
         NULL AS kind,
       o.run_id, q.trigger, q.by_name, q.mapping_versions, c.name AS connection,
         s.kind AS stream_kind
  FROM operation o
  LEFT JOIN sync_run q ON q.id = o.run_id
  LEFT JOIN stream s ON s.id = o.stream_id
  LEFT JOIN connection c ON c.id = s.connection_id
 WHERE o.record_id = :record AND o.state IN ('done', 'failed', 'undone', 'skipped')
   AND (CAST(:field AS text) = '' OR jsonb_exists(o.fields, :field) OR jsonb_exists_any(o.fields,
     :theirs))
   AND (CAST(:moment AS timestamptz) IS NULL OR (o.at, o.id) < (CAST(:moment AS timestamptz),
     CAST(:id AS uuid)))
 ORDER BY o.at DESC, o.id DESC LIMIT :amount
"""

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Entry:
    operation: Operation
    at: datetime
    run_id: UUID | None
    connection: str
    started_by: str
    version: int | None

    @property
    def who(self) -> str:
        """Who made the change: the CRM when we took its value, else the person or program."""
        if self.operation.side == "ours" and self.connection:
            return self.connection
        return self.operation.actor or self.started_by or "CRM Admin"


@dataclass(frozen=True, slots=True)
class TimeLine:
    entries: Sequence[Entry]
    after: str
    field: str


def timeline(
    record_id: UUID, *, field: str = "", theirs: Sequence[str] = (), after: str = ""
) -> TimeLine:
    """Return the newest entries of a record the person may see, of one field and its partners
    when given."""
    place = paging.decode(after)
    found = rows(
        ENTRIES,
        record=record_id,
        field=field,
        theirs=list(theirs),
        moment=place.value if place else None,
        id=place.id if place else None,
        amount=SHOWN + 1,
    )
    shown = [_entry(row) for row in found[:SHOWN]]
    more = len(found) > SHOWN
    return TimeLine(
        shown,
        paging.encode(shown[-1].at.isoformat(), shown[-1].operation.id) if more else "",
        field,
    )


def _entry(row: Row) -> Entry:
    versions = row["mapping_versions"] or {}
    version = versions.get(str(row["stream_id"])) if isinstance(versions, dict) else None
    return Entry(
        operation=operation(row),
        at=row["at"],
        run_id=row["run_id"],
        connection=row["connection"] or "",
        started_by=row["by_name"] or row["trigger"] or "",
        version=version if isinstance(version, int) else None,
    )
