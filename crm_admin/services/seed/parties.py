"""Invents the demo's companies and the people who work there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.services.seed.draws import Draws, latin, native, shouted
from crm_admin.services.seed.made import Made, canonical_data, euros
from crm_admin.services.seed.places import PLACES, Place
from crm_admin.services.seed.register import Register
from crm_admin.services.seed.words import (
    FIRST_WORDS,
    HOSTILE,
    INDUSTRIES,
    LIFECYCLES,
    STREETS,
    TITLES,
    TRADES,
)

NAMELESS: Final = 2
"""Companies somebody noted by their web address alone; no CRM takes them like that."""
WITHOUT_DOMAIN: Final = 18


@dataclass(frozen=True, slots=True)
class Site:
    """Where a company is, and its domain even where its record does not say it."""

    place: Place
    domain: str


def name_companies(draws: Draws, count: int) -> Iterator[tuple[Place, str, str]]:
    """Yield (place, name, domain) of companies no two of which are called alike."""
    pairs = draws.shuffled([(first, trade) for first in FIRST_WORDS for trade in TRADES])
    weighted = [place for place in PLACES for _ in range(place.weight)]
    for first, trade in pairs[:count]:
        place = draws.pick(weighted)
        domain = f"{latin(first)}-{latin(trade)}.example"
        yield place, f"{first} {trade} {draws.pick(place.forms)}", domain


def company_values(register: Register, place: Place, name: str, domain: str) -> dict[str, Json]:
    """Return a company as a careful person would write it down."""
    draws = register.draws
    return {
        "name": name,
        "domain": domain,
        "website": f"https://www.{domain}" if draws.chance(0.6) else None,
        "phone": register.numbers.next(place.phone),
        "industry": draws.pick(INDUSTRIES)[1],
        "address": f"{draws.pick(STREETS)} {draws.number(1, 140)}",
        "city": native(draws.pick(place.cities)),
        "postal_code": draws.digits("#####"),
        "country": place.country,
        "employees": draws.number(8, 4200),
        "annual_revenue": euros(draws.number(4, 900) * 100_000) if draws.chance(0.8) else None,
        "lifecycle_stage": draws.pick(LIFECYCLES),
    }


def make_companies(
    register: Register, names: Sequence[tuple[Place, str, str]]
) -> tuple[list[Made], list[Site]]:
    """Return a company per name; the last ones lack their domain, and the very last their name."""
    draws = register.draws
    made: list[Made] = []
    sites: list[Site] = []
    for number, (place, name, domain) in enumerate(names):
        values = _untidy_company(draws, company_values(register, place, name, domain))
        left = len(names) - number
        if left <= NAMELESS:
            values = {"domain": domain}
        elif left <= NAMELESS + WITHOUT_DOMAIN:
            values |= {"domain": None, "website": None}
        owner = draws.number(0, 2) if draws.chance(0.5) else None
        made.append(
            Made(
                "company",
                f"company-{number + 1:04}",
                canonical_data("company", values),
                owner=owner,
            )
        )
        sites.append(Site(place, domain))
    return made, sites


def _untidy_company(draws: Draws, values: dict[str, Json]) -> dict[str, Json]:
    if draws.chance(0.05):
        values["name"] = shouted(str(values["name"]))
    if draws.chance(0.04):
        values["city"] = f"{values['city']}  "
    if draws.chance(0.15):
        values["industry"] = None
    if draws.chance(0.02):
        values["description"] = draws.pick(HOSTILE)
    return values


def contact_values(register: Register, site: Site, company: str) -> dict[str, Json]:
    """Return a person of a company as a careful person would write them down."""
    draws = register.draws
    place = site.place if draws.chance(0.85) else draws.pick(PLACES)
    given, family = register.names.next(place)
    return {
        "first_name": native(given),
        "last_name": native(family),
        "email": register.addresses.next(given, family, site.domain),
        "phone": register.numbers.next(place.phone),
        "mobile": register.numbers.next(place.mobile) if draws.chance(0.3) else None,
        "job_title": draws.pick(TITLES)[0],
        "company_name": company,
        "city": native(draws.pick(place.cities)),
        "postal_code": draws.digits("#####") if draws.chance(0.6) else None,
        "country": place.country,
        "lifecycle_stage": draws.pick(LIFECYCLES),
    }


def untidy_contact(draws: Draws, values: dict[str, Json]) -> dict[str, Json]:
    """Return the values as some people leave them: shouted, blanks at the end, fields missing."""
    if draws.chance(0.04):
        values["last_name"] = shouted(str(values["last_name"]))
    if draws.chance(0.04):
        values["first_name"] = f"{values['first_name']} "
    for name, share in (("phone", 0.1), ("job_title", 0.12), ("city", 0.08), ("country", 0.05)):
        if draws.chance(share):
            values[name] = None
    if draws.chance(0.01):
        values["job_title"] = draws.pick(HOSTILE)
    return values
