"""What a person may see: POV owners see their own POVs and nothing of the organisation's other
work."""

from uuid import UUID

from crm_admin.errors import NotAllowed
from crm_admin.security.permissions import Permission
from crm_admin.services.access import Person

OWN = """(CAST(:owner AS uuid) IS NULL OR (r.kind = 'pov' AND (r.owner_id = CAST(:owner AS uuid)
       OR EXISTS (SELECT 1 FROM share h
                   WHERE h.record_id = r.id AND h.user_id = CAST(:owner AS uuid)))))"""
"""Condition on `record r`; bind `owner` with owner_of()."""

OWNED = """SELECT o.id FROM record o WHERE o.kind = 'pov' AND o.owner_id = CAST(:owner AS uuid)
       UNION SELECT h.record_id FROM share h WHERE h.user_id = CAST(:owner AS uuid)"""
"""The ids of the records a person owns or was given; an index leads to them."""

IS_OWNED = f"r.kind = 'pov' AND r.id IN ({OWNED})"
"""OWN for lists, where there is an owner."""


def owner_of(person: Person) -> UUID | None:
    """Return whose POVs the person is limited to, None when they see the whole organisation."""
    return person.user_id if person.sees_own_povs_only else None


def require_whole(person: Person) -> None:
    """Hold back pages about the whole organisation from people who see only their own POVs."""
    if owner_of(person) is not None:
        raise NotAllowed(Permission.SYNC_RUN)
