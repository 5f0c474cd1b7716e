"""POVs that people may see although they do not own them."""

from uuid import UUID

from crm_admin.errors import BadInput, NotAllowed
from crm_admin.security.permissions import Permission
from crm_admin.services import audit, record_scope
from crm_admin.services.access import Person
from crm_admin.services.sql import Cursor, transaction

MEMBER = """
SELECT u.id, u.name FROM app_user u JOIN membership m ON m.user_id = u.id
 WHERE m.organization_id = %s AND u.email_key = %s AND u.disabled_at IS NULL
"""


def may_share(person: Person, owner_id: UUID | None) -> bool:
    """Say whether a person may share a POV: its owner may, and whoever edits records."""
    return person.may(Permission.RECORD_EDIT) or (
        person.may(Permission.SYNC_RECORD) and owner_id == person.user_id
    )


def share(*, person: Person, record_id: UUID, email: str) -> str:
    """Let a member of the organisation see a POV; return their name. Twice is once.

    BadInput when nobody has this address or the POV is theirs already.
    """
    with transaction() as cursor:
        owner_id = _require(cursor, person, record_id)
        row = cursor.execute(MEMBER, (person.organization_id, email.strip().casefold())).fetchone()
        if row is None:
            raise BadInput("email", "Nobody in your organisation has this e-mail address.")
        if row["id"] == owner_id:
            raise BadInput("email", f"{row['name']} owns this POV.")
        cursor.execute(
            "INSERT INTO share (organization_id, record_id, user_id, by_user, created_at)"
            " VALUES (%s, %s, %s, %s, now()) ON CONFLICT DO NOTHING",
            (person.organization_id, record_id, row["id"], person.user_id),
        )
        audit.write(
            cursor, person, "pov.share", "record", record_id, after={"user": str(row["id"])}
        )
    return str(row["name"])


def unshare(*, person: Person, record_id: UUID, user_id: UUID) -> None:
    """Take a POV off somebody's list; their own edits and questions stay."""
    with transaction() as cursor:
        _require(cursor, person, record_id)
        cursor.execute(
            "DELETE FROM share WHERE record_id = %s AND user_id = %s", (record_id, user_id)
        )
        audit.write(
            cursor, person, "pov.unshare", "record", record_id, before={"user": str(user_id)}
        )


def _require(cursor: Cursor, person: Person, record_id: UUID) -> UUID | None:
    """Return the POV's owner when this person may share it."""
    record_scope.require_record(cursor, person, record_id)
    row = cursor.execute("SELECT kind, owner_id FROM record WHERE id = %s", (record_id,)).fetchone()
    if row is None or row["kind"] != "pov":
        raise BadInput("email", "Only POVs are shared; everybody else's records are seen by role.")
    if not may_share(person, row["owner_id"]):
        raise NotAllowed(Permission.RECORD_EDIT, "Only its owner or an operator can share a POV.")
    owner: UUID | None = row["owner_id"]
    return owner
