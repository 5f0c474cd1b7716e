"""Which other records a record's sync depends on: those it refers to that a CRM does not have."""

from dataclasses import dataclass
from uuid import UUID

from crm_admin.services.access import Person
from crm_admin.services.queries import scope
from crm_admin.services.queries.record import RecordPage
from crm_admin.services.queries.sql import rows

MISSING = """
SELECT t.id, t.kind, t.title, string_agg(DISTINCT c.name, ', ' ORDER BY c.name) AS missing
  FROM reference f
  JOIN record t ON t.id = f.target_id AND t.deleted_at IS NULL AND NOT t.hub_only
  JOIN stream s ON s.kind = t.kind AND s.enabled AND s.direction <> 'from_crm'
  JOIN connection c ON c.id = s.connection_id AND c.stance = 'active'
 WHERE f.record_id = :record AND c.id = ANY(:connections)
   AND NOT EXISTS (SELECT 1 FROM link l WHERE l.connection_id = c.id AND l.record_id = t.id)
 GROUP BY t.id, t.kind, t.title ORDER BY t.title LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Companion:
    """A record that has to be in the CRMs of `missing_in` first."""

    id: UUID
    kind: str
    title: str
    missing_in: str
    may_sync: bool


def companions(person: Person, page: RecordPage) -> tuple[Companion, ...]:
    """Return the records that a sync of this one alone would leave without their partner."""
    active = [one.connection_id for one in page.presences if one.stance == "active"]
    if not active:
        return ()
    whole = scope.owner_of(person) is None
    return tuple(
        Companion(row["id"], row["kind"], row["title"] or "Untitled", row["missing"], whole)
        for row in rows(MISSING, record=page.id, connections=active)
    )
