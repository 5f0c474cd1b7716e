"""Organisations: whose data it is. Work that goes over all of them asks here for their ids."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from crm_admin.errors import BadInput, NotFound
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.models.world import AppUser, Membership, Organization
from crm_admin.security.permissions import Role
from crm_admin.services.access import Person


@dataclass(frozen=True, slots=True)
class OrganizationRef:
    """An organisation by id and name."""

    id: UUID
    name: str
    slug: str
    demo: bool


def create(*, name: str, zone: str = "UTC", demo: bool = False) -> UUID:
    """Add an organisation and return its id; its slug is made of the name and must be free."""
    name = name.strip()
    if not name:
        raise BadInput("name", "Give the organisation a name.")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput("zone", "Choose a time zone like Europe/Berlin.") from error
    organization = Organization(id=new_id(), name=name, slug=slug_of(name), zone=zone, demo=demo)
    db.session.add(organization)
    try:
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        sentence = f"There is already an organisation called {name}. Choose another name."
        raise BadInput("name", sentence) from error
    return organization.id


def slug_of(name: str) -> str:
    """Return the name as it stands in commands: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "organisation"


def all_ids() -> Sequence[UUID]:
    """Return the ids of every organisation, for work that is done for each in turn."""
    return db.session.scalars(select(Organization.id).order_by(Organization.id)).all()


def find(name_or_slug: str) -> OrganizationRef | None:
    """Return the organisation of this name or slug, None when there is none."""
    found = db.session.scalar(
        select(Organization).where(Organization.slug == slug_of(name_or_slug))
    )
    return _ref(found) if found else None


def only_one() -> OrganizationRef | None:
    """Return the organisation when there is exactly one, so that commands and pages may name it."""
    found = db.session.scalars(select(Organization).order_by(Organization.id).limit(2)).all()
    return _ref(found[0]) if len(found) == 1 else None


def command_line_person(name_or_slug: str | None = None) -> Person:
    """Return who acts on the command line: the first admin of the organisation named.

    Without a name it must be the only organisation. BadInput says what to add to the command.
    """
    found = find(name_or_slug) if name_or_slug else only_one()
    if found is None and name_or_slug:
        raise NotFound(f"There is no organisation called {name_or_slug}.")
    if found is None:
        raise BadInput("organization", _which())
    admin = db.session.execute(
        select(AppUser.id, AppUser.name, AppUser.email)
        .join(Membership, Membership.user_id == AppUser.id)
        .where(
            Membership.organization_id == found.id,
            Membership.role == Role.ADMIN.value,
            AppUser.disabled_at.is_(None),
        )
        .order_by(AppUser.created_at, AppUser.id)
        .limit(1)
    ).first()
    if admin is None:
        sentence = f"{found.name} has no admin. Make one: flask crm user create --role admin."
        raise BadInput("organization", sentence)
    name = f"{admin.name} (command line)"
    return Person(admin.id, name, Role.ADMIN, found.id, admin.email, address="command line")


def _which() -> str:
    slugs = db.session.scalars(
        select(Organization.slug).order_by(Organization.slug).limit(20)
    ).all()
    if not slugs:
        return "There is no organisation yet. Make one: flask crm user create --organization NAME."
    return f"There are several organisations. Add --organization with one of: {', '.join(slugs)}."


def _ref(organization: Organization) -> OrganizationRef:
    return OrganizationRef(organization.id, organization.name, organization.slug, organization.demo)
