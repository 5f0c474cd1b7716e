"""Which records a person may see and act on."""

from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.security.permissions import OWN_POVS_ONLY
from crm_admin.services.access import Person
from crm_admin.services.sql import Cursor


def require_record(cursor: Cursor, person: Person, record_id: UUID) -> None:
    """Raise NotFound when the record is not there or not this person's: both look the same."""
    own = person.user_id if person.role in OWN_POVS_ONLY else None
    row = cursor.execute(
        "SELECT 1 FROM record WHERE id = %s AND deleted_at IS NULL"
        " AND (%s::uuid IS NULL OR (kind = 'pov' AND (owner_id = %s::uuid OR EXISTS (SELECT 1 FROM"
        " share s"
        " WHERE s.record_id = record.id AND s.user_id = %s::uuid))))",
        (record_id, own, own, own),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such record.")
