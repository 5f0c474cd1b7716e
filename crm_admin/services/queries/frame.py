"""What every page's frame shows: the organisation, the person's look, and how much is open."""

from dataclasses import dataclass

from crm_admin.services.access import Person
from crm_admin.services.queries import brief
from crm_admin.services.queries.needs import counted
from crm_admin.services.queries.sql import first

LOOK = """
SELECT o.name, o.zone, o.demo, u.zone AS own_zone, u.theme, u.density
  FROM organization o, app_user u
 WHERE o.id = :organization AND u.id = :user
"""


@dataclass(frozen=True, slots=True)
class Frame:
    organization: str
    zone: str
    demo: bool
    theme: str
    density: str
    name: str
    role: str
    needs: int
    conflicts: int
    plans: int


ROLE_WORDS = {"pov_owner": "POV owner"}


def zone_of(person: Person) -> str:
    """Return the name of the zone this person's times are shown in."""
    look = first(LOOK, organization=person.organization_id, user=person.user_id) or {}
    return look.get("own_zone") or look.get("zone") or "UTC"


def frame(person: Person) -> Frame:
    """Return the frame of this person's pages; its numbers are right up to 5,000, and where
    counting takes long, as of a few seconds ago."""
    look = first(LOOK, organization=person.organization_id, user=person.user_id) or {}
    found = brief.remembered(("open", person.user_id), lambda: counted(person))
    return Frame(
        organization=look.get("name") or "",
        zone=look.get("own_zone") or look.get("zone") or "UTC",
        demo=bool(look.get("demo")),
        theme=look.get("theme") or "system",
        density=look.get("density") or "compact",
        name=person.name,
        role=ROLE_WORDS.get(person.role.value, person.role.value),
        needs=found.needs,
        conflicts=found.conflicts,
        plans=found.plans,
    )
