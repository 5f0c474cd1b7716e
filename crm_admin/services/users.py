"""People: accounts, passwords, and what each may do in which organisation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_admin import clock
from crm_admin.errors import BadInput, NotFound
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.models.world import AppUser, Membership, Organization, Session
from crm_admin.security.passwords import Passwords, check_rules
from crm_admin.security.permissions import Role
from crm_admin.services import audit
from crm_admin.services.access import Person

EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LONGEST_EMAIL: Final = 254
LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Who is to be able to sign in, and as what."""

    email: str
    name: str
    password: str
    role: Role
    organization_id: UUID


@dataclass(frozen=True, slots=True)
class Account:
    """A person who proved to be who they say."""

    user_id: UUID
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Place:
    """An organisation that a person belongs to."""

    organization_id: UUID
    name: str
    role: Role


@cache
def passwords() -> Passwords:
    """Return this process's hasher; making one costs a hash."""
    return Passwords()


def email_key(email: str) -> str:
    """Return the one spelling under which an address signs in."""
    return email.strip().casefold()


def create(*, new: NewPerson, by: Person | None = None, hasher: Passwords | None = None) -> UUID:
    """Make an account with its membership and return the person's id.

    An address that has an account already is added to the organisation as it is: its password
    stays. BadInput names the field that cannot be used.
    """
    email, name = new.email.strip(), new.name.strip()
    if not EMAIL.fullmatch(email) or len(email) > LONGEST_EMAIL:
        raise BadInput("email", "Enter an e-mail address like ana@example.com.")
    if not name or len(name) > LONGEST_NAME:
        raise BadInput("name", f"Enter a name of at most {LONGEST_NAME} characters.")
    known = db.session.scalar(select(AppUser.id).where(AppUser.email_key == email_key(email)))
    user_id = known or _add(email, name, new.password, hasher or passwords())
    added = db.session.scalar(
        insert(Membership)
        .values(organization_id=new.organization_id, user_id=user_id, role=new.role.value)
        .on_conflict_do_nothing()
        .returning(Membership.user_id)
    )
    if added is None:
        db.session.rollback()
        raise BadInput("email", f"{email} belongs to this organisation already.")
    if by is not None:
        _note(by, "person.add", user_id, after={"email": email, "role": new.role.value})
    db.session.commit()
    return user_id


def _add(email: str, name: str, password: str, hasher: Passwords) -> UUID:
    problem = check_rules(password, avoid=(name, email))
    if problem:
        raise BadInput("password", problem)
    user_id = new_id()
    db.session.execute(
        insert(AppUser).values(
            id=user_id,
            email=email,
            email_key=email_key(email),
            name=name,
            password_hash=hasher.hash(password),
        )
    )
    return user_id


def authenticate(*, email: str, password: str) -> Account | None:
    """Return who this is, None for a wrong password, an unknown or a disabled person.

    All three take equally long. A hash of an older profile is renewed.
    """
    user = db.session.scalar(select(AppUser).where(AppUser.email_key == email_key(email)))
    stored = user.password_hash if user is not None and user.disabled_at is None else None
    if not passwords().verify(stored, password) or user is None or stored is None:
        db.session.rollback()
        return None
    if passwords().needs_rehash(stored):
        user.password_hash = passwords().hash(password)
    user.last_seen_at = clock.now()
    account = Account(user.id, user.name, user.email)
    db.session.commit()
    return account


def find(email: str) -> UUID:
    """Return the id of the person with this address; NotFound when there is none."""
    found = db.session.scalar(select(AppUser.id).where(AppUser.email_key == email_key(email)))
    if found is None:
        raise NotFound(f"Nobody signs in as {email}.")
    return found


def places_of(user_id: UUID) -> Sequence[Place]:
    """Return the organisations of a person by name."""
    rows = db.session.execute(
        select(Organization.id, Organization.name, Membership.role)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id)
        .order_by(Organization.name, Organization.id)
    )
    return [Place(row.id, row.name, Role(row.role)) for row in rows]


def set_role(*, by: Person, user_id: UUID, role: Role) -> None:
    """Change what a person is in this organisation; they sign in again to go on."""
    before = db.session.scalar(
        select(Membership.role)
        .where(Membership.organization_id == by.organization_id, Membership.user_id == user_id)
        .with_for_update()
    )
    if before is None:
        raise NotFound("There is no such person in this organisation.")
    if before == Role.ADMIN and role is not Role.ADMIN:
        _keep_an_admin(by, user_id)
    db.session.execute(
        update(Membership)
        .where(Membership.organization_id == by.organization_id, Membership.user_id == user_id)
        .values(role=role.value)
    )
    _end_sessions(user_id, by.organization_id)
    _note(by, "person.role", user_id, before={"role": before}, after={"role": role.value})
    db.session.commit()


def remove(*, by: Person, user_id: UUID) -> None:
    """Take a person out of this organisation and end their sessions in it at once."""
    gone = db.session.scalar(
        select(Membership.role).where(
            Membership.organization_id == by.organization_id, Membership.user_id == user_id
        )
    )
    if gone is None:
        raise NotFound("There is no such person in this organisation.")
    if gone == Role.ADMIN:
        _keep_an_admin(by, user_id)
    db.session.execute(
        delete(Membership).where(
            Membership.organization_id == by.organization_id, Membership.user_id == user_id
        )
    )
    _end_sessions(user_id, by.organization_id)
    _note(by, "person.remove", user_id, before={"role": gone})
    db.session.commit()


def disable(*, user_id: UUID, by: Person | None = None) -> None:
    """Keep an account from signing in anywhere, and end all its sessions at once."""
    db.session.execute(update(AppUser).where(AppUser.id == user_id).values(disabled_at=clock.now()))
    db.session.execute(delete(Session).where(Session.user_id == user_id))
    if by is not None:
        _note(by, "person.disable", user_id)
    db.session.commit()


def change_password(*, user_id: UUID, password: str, by: Person | None = None) -> None:
    """Give an account a new password; every session of it ends."""
    user = db.session.get(AppUser, user_id)
    if user is None:
        raise NotFound("There is no such person.")
    problem = check_rules(password, avoid=(user.name, user.email))
    if problem:
        raise BadInput("password", problem)
    user.password_hash = passwords().hash(password)
    db.session.execute(delete(Session).where(Session.user_id == user_id))
    if by is not None:
        _note(by, "person.password", user_id)
    db.session.commit()


def _keep_an_admin(by: Person, user_id: UUID) -> None:
    """Two admins who demote each other at once wait for the same rows, and one of them stays."""
    admins = db.session.scalars(
        select(Membership.user_id)
        .where(
            Membership.organization_id == by.organization_id, Membership.role == Role.ADMIN.value
        )
        .order_by(Membership.user_id)
        .with_for_update()
    ).all()
    if set(admins) == {user_id}:
        db.session.rollback()
        raise BadInput("role", "This is the only admin. Make somebody else an admin first.")


def _end_sessions(user_id: UUID, organization_id: UUID) -> None:
    db.session.execute(
        delete(Session).where(
            Session.user_id == user_id, Session.organization_id == organization_id
        )
    )


def _note(
    by: Person,
    action: str,
    user_id: UUID,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    audit.write_here(by, action, "person", user_id, before=before, after=after)
