"""Makes the demo organisation and fills the simulated CRM, once; or makes both anew."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

from flask import current_app
from sqlalchemy import text

from crm_admin import tenancy
from crm_admin.database import Role, engine_for
from crm_admin.errors import BadInput
from crm_admin.models import Base
from crm_admin.services import organizations
from crm_admin.services.organizations import OrganizationRef
from crm_admin.services.seed import simulator
from crm_admin.services.seed.people import PEOPLE, add_people
from crm_admin.services.seed.theirs import make_theirs
from crm_admin.services.seed.world import make_world
from crm_admin.services.seed.writing import write_world
from crm_admin.services.sql import transaction

NAME: Final = "Demo"
ZONE: Final = "Europe/Lisbon"

REMOVE: Final = text("DELETE FROM organization WHERE id = :id AND demo")
FORGET: Final = text(
    "DELETE FROM app_user u WHERE email_key = ANY(:emails)"
    " AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.user_id = u.id)"
)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a seed added; empty counts mean that it was there already."""

    organization: UUID
    people: int
    records: Mapping[str, int]
    remote: Mapping[str, int]

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        if not (self.people or self.records or self.remote):
            return "The demo organisation is there already; nothing was changed."
        parts = [f"{self.people:,} people"] if self.people else []
        parts += [f"{sum(self.records.values()):,} records"] if self.records else []
        if self.remote:
            parts.append(f"{sum(self.remote.values()):,} records in the simulated HubSpot")
        return f"Made for the demo organisation: {', '.join(parts)}."

    def as_json(self) -> dict[str, object]:
        """Return the counts for the command line."""
        return asdict(self)


def seed(*, reset: bool = False) -> Seeded:
    """Leave the demo organisation with its people and records, and an empty simulator filled.

    What is there already stays as it is. With `reset` the organisation, all its connections and
    runs, and the simulator's records are made anew. Without SIMULATOR_URL there is no other side.
    """
    config = current_app.config["CRM"]
    if reset:
        _remove(_find(), config.simulator_url)
    found = _find()
    organization_id = found.id if found else organizations.create(name=NAME, zone=ZONE, demo=True)
    world = make_world()
    with tenancy.acting_for(organization_id):
        people, added = add_people(organization_id, config.demo_password)
        with transaction() as cursor:
            records = write_world(cursor, organization_id, world, people)
    remote: Mapping[str, int] = {}
    if config.simulator_url:
        remote = simulator.load(config.simulator_url, make_theirs(world))
    return Seeded(organization_id, added, records, remote)


def _find() -> OrganizationRef | None:
    found = organizations.find(NAME)
    if found is not None and not found.demo:
        raise BadInput(
            "", f"There is an organisation called {NAME} that is a real one. Rename it first."
        )
    return found


def _remove(found: OrganizationRef | None, simulator_url: str | None) -> None:
    """Operations and calls hang on nothing, so every table is emptied, children before parents."""
    if found is not None:
        with engine_for(Role.OWNER).begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                if "organization_id" in table.c:
                    mine = table.c.organization_id == found.id
                    connection.execute(table.delete().where(mine))
            connection.execute(REMOVE, {"id": found.id})
            connection.execute(FORGET, {"emails": [email for email, _, _ in PEOPLE]})
    if simulator_url:
        simulator.reset(simulator_url)
