"""A record that was just archived, for the notice that offers to bring it back."""

from dataclasses import dataclass
from uuid import UUID

from crm_admin.services.access import Person
from crm_admin.services.queries import scope
from crm_admin.services.queries.sql import first

ARCHIVED = f"""
SELECT r.id, r.title FROM record r
 WHERE r.id = CAST(:record AS uuid) AND r.kind = :kind AND r.deleted_at IS NOT NULL
   AND r.merged_into IS NULL AND {scope.OWN}
"""  # noqa: S608 - only our own condition is pasted in


@dataclass(frozen=True, slots=True)
class Archived:
    id: UUID
    title: str


def archived(person: Person, kind: str, asked: str) -> Archived | None:
    """Return the archived record of this id that the person may see, else None."""
    try:
        record_id = UUID(asked)
    except ValueError:
        return None
    row = first(ARCHIVED, record=record_id, kind=kind, owner=scope.owner_of(person))
    return Archived(row["id"], row["title"] or "Untitled") if row else None
