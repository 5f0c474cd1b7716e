"""Organisations: whose data it is. Work that goes over all of them asks here for their ids."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from crm_admin.errors import BadInput
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.models.world import Organization


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


def _ref(organization: Organization) -> OrganizationRef:
    return OrganizationRef(organization.id, organization.name, organization.slug, organization.demo)
