"""The people of an organisation, with their roles and how many POVs they own."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.services.access import Person
from crm_admin.services.queries.frame import ROLE_WORDS
from crm_admin.services.queries.sql import rows

PEOPLE = """
SELECT u.id, u.name, u.email, m.role, u.last_seen_at, u.disabled_at,
       (SELECT count(*) FROM record r WHERE r.kind = 'pov' AND r.owner_id = u.id
         AND r.deleted_at IS NULL) AS povs
  FROM membership m JOIN app_user u ON u.id = m.user_id
 WHERE m.organization_id = :organization ORDER BY u.name LIMIT 500
"""


@dataclass(frozen=True, slots=True)
class PersonLine:
    id: UUID
    name: str
    email: str
    role: str
    povs: int
    last_seen_at: datetime | None
    disabled: bool


def people(person: Person) -> tuple[PersonLine, ...]:
    """Return the people of this person's organisation by name, at most 500."""
    return tuple(
        PersonLine(
            row["id"],
            row["name"],
            row["email"],
            ROLE_WORDS.get(str(row["role"]), str(row["role"])),
            row["povs"],
            row["last_seen_at"],
            row["disabled_at"] is not None,
        )
        for row in rows(PEOPLE, organization=person.organization_id)
    )
