"""Finds the one record that a person means by a name, an e-mail address or an id."""

from dataclasses import dataclass
from uuid import UUID

from crm_admin.services.access import Person
from crm_admin.services.queries import scope
from crm_admin.services.queries.sql import rows

NAMED = f"""
SELECT r.id, r.title FROM record r
 WHERE r.kind = :kind AND r.deleted_at IS NULL AND r.merged_into IS NULL AND {scope.OWN}
   AND (r.title = :name OR r.external_id = :name OR r.id = CAST(:id AS uuid)
        OR r.id IN (SELECT k.record_id FROM record_key k
                     WHERE k.kind = :kind AND k.key_type IN ('email', 'domain', 'exact')
                       AND k.value = lower(:name)))
 ORDER BY r.id LIMIT 3
"""  # noqa: S608 - only our own condition is pasted in


@dataclass(frozen=True, slots=True)
class Named:
    """The record that is meant; `many` says that several are called so."""

    id: UUID | None
    many: bool


def named(person: Person, kind: str, name: str) -> Named:
    """Return the record of a kind that bears this name; nobody's id when none or several do."""
    try:
        asked: UUID | None = UUID(name)
    except ValueError:
        asked = None
    found = rows(NAMED, kind=kind, name=name[:300], id=asked, owner=scope.owner_of(person))
    return Named(found[0]["id"] if len(found) == 1 else None, many=len(found) > 1)
