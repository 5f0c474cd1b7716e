"""Who acts, and which records they may see:
the one filter for everybody who sees only their own POVs."""

from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, true

from crm_admin.errors import NotAllowed
from crm_admin.models.personal import Share
from crm_admin.models.record import Record
from crm_admin.security.permissions import OWN_POVS_ONLY, Permission, Role, is_allowed

Found = TypeVar("Found", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person in one organisation. `address` and `request_id` go into the audit log."""

    user_id: UUID
    name: str
    role: Role
    organization_id: UUID
    email: str = ""
    address: str | None = None
    request_id: str | None = None

    def may(self, permission: Permission) -> bool:
        """Say whether this person's role holds the permission."""
        return is_allowed(self.role, permission)

    @property
    def sees_own_povs_only(self) -> bool:
        return self.role in OWN_POVS_ONLY

    # What Flask-Login asks of a user.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        return str(self.user_id)


def require(person: Person, permission: Permission) -> None:
    """Raise NotAllowed unless the person's role holds the permission."""
    if not person.may(permission):
        raise NotAllowed(permission)


def is_visible(person: Person) -> ColumnElement[bool]:
    """Return the condition on `Record` for what this person may see:
    all, or their own and shared POVs."""
    if not person.sees_own_povs_only:
        return true()
    shared = exists(
        select(Share.record_id).where(
            Share.organization_id == Record.organization_id,
            Share.record_id == Record.id,
            Share.user_id == person.user_id,
        )
    )
    return and_(Record.kind == "pov", or_(Record.owner_id == person.user_id, shared))


def visible(statement: Select[Found], person: Person) -> Select[Found]:
    """Return the statement, which selects from or joins `Record`,
    narrowed to what this person may see."""
    return statement.where(is_visible(person))
