"""What every page's frame shows: the organisation, the person's look, and what is open."""

from dataclasses import dataclass

from crm_admin.services.access import Person
from crm_admin.services.queries.needs import Need, needs
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
    work: tuple[Need, ...]

    @property
    def needs(self) -> int:
        return len(self.work)

    @property
    def conflicts(self) -> int:
        return sum(need.amount for need in self.work if need.kind == "conflict")

    @property
    def plans(self) -> int:
        return sum(1 for need in self.work if need.kind == "plan")


ROLE_WORDS = {"pov_owner": "POV owner"}


def zone_of(person: Person) -> str:
    """Return the name of the zone this person's times are shown in."""
    look = first(LOOK, organization=person.organization_id, user=person.user_id) or {}
    return look.get("own_zone") or look.get("zone") or "UTC"


def frame(person: Person) -> Frame:
    """Return the frame of this person's pages."""
    look = first(LOOK, organization=person.organization_id, user=person.user_id) or {}
    return Frame(
        organization=look.get("name") or "",
        zone=look.get("own_zone") or look.get("zone") or "UTC",
        demo=bool(look.get("demo")),
        theme=look.get("theme") or "system",
        density=look.get("density") or "compact",
        name=person.name,
        role=ROLE_WORDS.get(person.role.value, person.role.value),
        work=needs(person),
    )
