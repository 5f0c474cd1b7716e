"""Invents the demo organisation's companies, contacts, deals and POVs, the same every time."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.records.names import company_name
from crm_admin.services.seed.draws import SEED, Draws
from crm_admin.services.seed.made import Made, Strangers, World, canonical_data, euros
from crm_admin.services.seed.parties import (
    Site,
    company_values,
    contact_values,
    make_companies,
    name_companies,
    untidy_contact,
)
from crm_admin.services.seed.places import Place
from crm_admin.services.seed.register import Register, open_register
from crm_admin.services.seed.words import (
    DEAL_STAGES,
    DEAL_THINGS,
    DEAL_TYPES,
    HOSTILE,
    PARTNERS,
    POV_STAGES,
    POV_THINGS,
    QUARTERS,
)

COMPANIES: Final = 300
CONTACTS: Final = 2_000
DEALS: Final = 400
POVS: Final = 40
STRANGE_COMPANIES: Final = 24
STRANGE_CONTACTS: Final = 70

WITHOUT_EMAIL: Final = 80
LINKED_POVS: Final = 36
"""POVs of which somebody noted the id of their deal in the CRM."""
KNOWN_THERE: Final = 270
"""Companies the CRM has too; people and deals are at these, the rest are new prospects."""
OURS_ALONE: Final = 26
"""Contacts with an e-mail address whom the CRM does not know."""
FIRST_REMOTE_ID: Final = 101
"""The id the simulated CRM gives to its first record."""
TODAY: Final = date(2026, 11, 20)
POV_OWNERS: Final = (0,) * 7 + (1,) * 15 + (2,) * 12
"""Who leads which POV, by place among the demo's people; the rest have nobody yet."""


@lru_cache(maxsize=1)
def make_world() -> World:
    """Return the demo organisation's records; every call returns the same ones."""
    draws = Draws(SEED)
    register = open_register(draws)
    named = list(name_companies(draws, COMPANIES + STRANGE_COMPANIES))
    companies, sites = make_companies(register, named[:COMPANIES])
    contacts = _make_contacts(register, companies, sites)
    deals = _make_deals(draws, companies, contacts)
    povs = _make_povs(draws, companies)
    strangers = _make_strangers(register, named[COMPANIES:])
    return World(tuple(companies), tuple(contacts), tuple(deals), tuple(povs), strangers)


def title_of(company: Made) -> str:
    """Return what people call a company."""
    return str(company.data.get("name") or company.data.get("domain"))


def _make_strangers(register: Register, named: Sequence[tuple[Place, str, str]]) -> Strangers:
    sites = [Site(place, domain) for place, _, domain in named]
    companies = tuple(
        canonical_data("company", company_values(register, place, name, domain))
        for place, name, domain in named
    )
    contacts = []
    for _ in range(STRANGE_CONTACTS):
        at = register.draws.number(0, len(sites) - 1)
        values = contact_values(register, sites[at], named[at][1])
        contacts.append((at, canonical_data("contact", values)))
    return Strangers(companies, tuple(contacts))


def _make_contacts(
    register: Register, companies: Sequence[Made], sites: Sequence[Site]
) -> list[Made]:
    draws = register.draws
    made = []
    for number in range(CONTACTS):
        at = draws.number(0, KNOWN_THERE - 1)
        values = contact_values(register, sites[at], title_of(companies[at]))
        if CONTACTS - number <= WITHOUT_EMAIL:
            values["email"] = None
        else:
            values = untidy_contact(draws, values)
        references = {"company": at} if draws.chance(0.92) else {}
        owner = draws.number(0, 2) if draws.chance(0.3) else None
        data = canonical_data("contact", values)
        made.append(Made("contact", f"contact-{number + 1:05}", data, references, owner))
    return made


def _make_deals(draws: Draws, companies: Sequence[Made], contacts: Sequence[Made]) -> list[Made]:
    staff: dict[int, list[int]] = {}
    for place, contact in enumerate(contacts[: CONTACTS - WITHOUT_EMAIL - OURS_ALONE]):
        staff.setdefault(contact.references.get("company", -1), []).append(place)
    made: list[Made] = []
    taken: set[str] = set()
    while len(made) < DEALS:
        at = draws.number(0, KNOWN_THERE - 1)
        values = deal_values(draws, title_of(companies[at]))
        key = company_name(str(values["name"]))
        if key in taken:
            continue
        taken.add(key)
        references = {"company": at}
        if at in staff and draws.chance(0.8):
            references["contact"] = draws.pick(staff[at])
        owner = draws.number(0, 2) if draws.chance(0.7) else None
        data = canonical_data("deal", values)
        made.append(Made("deal", f"deal-{len(made) + 1:04}", data, references, owner))
    return made


def deal_values(draws: Draws, company: str) -> dict[str, Json]:
    """Return a deal with a company."""
    return {
        "name": f"{company} · {draws.pick(DEAL_THINGS)} {draws.pick(QUARTERS)}",
        "amount": euros(draws.number(12, 2400) * 250) if draws.chance(0.94) else None,
        "stage": draws.pick(DEAL_STAGES),
        "pipeline": "default",
        "close_date": _day(draws, -120, 240) if draws.chance(0.9) else None,
        "deal_type": draws.pick(DEAL_TYPES) if draws.chance(0.7) else None,
        "description": draws.pick(HOSTILE) if draws.chance(0.01) else None,
    }


def _make_povs(draws: Draws, companies: Sequence[Made]) -> list[Made]:
    customers = draws.shuffled(range(KNOWN_THERE))[:POVS]
    owners = draws.shuffled([*POV_OWNERS, *[None] * (POVS - len(POV_OWNERS))])
    made = []
    for number, at in enumerate(customers):
        thing = POV_THINGS[number % len(POV_THINGS)]
        values = pov_values(draws, thing, title_of(companies[at]))
        if number < LINKED_POVS:
            values["deal_id"] = str(FIRST_REMOTE_ID + number)
        data = canonical_data("pov", values)
        made.append(Made("pov", f"POV-{number + 1:03}", data, {"customer": at}, owners[number]))
    return made


def pov_values(draws: Draws, thing: str, company: str) -> dict[str, Json]:
    """Return a POV at a company."""
    stage = draws.pick(POV_STAGES)
    running = ("on_track", "on_track", "at_risk", "on_hold")
    return {
        "title": f"{thing} at {company}",
        "revenue": euros(draws.number(8, 400) * 2_500),
        "forecast_date": _day(draws, 5, 200),
        "partner": draws.pick(PARTNERS),
        "stage": stage,
        "status": "closed" if stage in {"won", "lost"} else draws.pick(running),
        "pipeline": "pov",
        "notes": "Success means that the customer's own team runs it for two weeks."
        if draws.chance(0.4)
        else None,
    }


def _day(draws: Draws, earliest: int, latest: int) -> str:
    return (TODAY + timedelta(days=draws.number(earliest, latest))).isoformat()
