"""The demo's people: one of each role that the first five minutes need."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from crm_admin.errors import BadInput
from crm_admin.security.permissions import Role
from crm_admin.services import users
from crm_admin.services.sql import transaction
from crm_admin.services.users import NewPerson

PEOPLE: Final = (
    ("admin@demo.test", "Ana Silva", Role.ADMIN),
    ("operator@demo.test", "Yusuf Demir", Role.OPERATOR),
    ("owner@demo.test", "Priya Raman", Role.POV_OWNER),
    ("viewer@demo.test", "Lin Chen", Role.VIEWER),
)

MEMBERS = """
SELECT u.email_key, u.id FROM membership m JOIN app_user u ON u.id = m.user_id
 WHERE m.organization_id = %s
"""


def add_people(organization_id: UUID, password: str | None) -> tuple[Sequence[UUID], int]:
    """Make sure that everybody can sign in; return their ids in order and how many are new.

    Whoever is there keeps their password and role.
    """
    with transaction() as cursor:
        rows = cursor.execute(MEMBERS, (organization_id,)).fetchall()
    known = {row["email_key"]: row["id"] for row in rows}
    missing = [one for one in PEOPLE if one[0] not in known]
    if missing and not password:
        raise BadInput("", "Set DEMO_PASSWORD: the demo's people need one to sign in with.")
    for email, name, role in missing:
        known[email] = _add(NewPerson(email, name, password or "", role, organization_id))
    return [known[email] for email, _, _ in PEOPLE], len(missing)


def _add(new: NewPerson) -> UUID:
    try:
        return users.create(new=new)
    except BadInput as error:
        if error.field != "password":
            raise
        raise BadInput("", f"DEMO_PASSWORD cannot be used. {error.sentence}") from error
