"""Invents the demo's companies and the people who work there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.records.names import person_name
from crm_admin.services.seed.draws import Draws, latin, native, shouted
from crm_admin.services.seed.made import Made, canonical_data, euros
from crm_admin.services.seed.places import PLACES, Place
from crm_admin.services.seed.words import (
    FIRST_WORDS,
    FREE_MAIL,
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


def company_values(draws: Draws, place: Place, name: str, domain: str) -> dict[str, Json]:
    """Return a company as a careful person would write it down."""
    return {
        "name": name,
        "domain": domain,
        "website": f"https://www.{domain}" if draws.chance(0.6) else None,
        "phone": draws.digits(place.phone),
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
    draws: Draws, names: list[tuple[Place, str, str]]
) -> tuple[list[Made], list[Site]]:
    """Return a company per name; the last ones lack their domain, and the very last their name."""
    made: list[Made] = []
    sites: list[Site] = []
    for number, (place, name, domain) in enumerate(names):
        values = _untidy_company(draws, company_values(draws, place, name, domain))
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


class Names:
    """Full names by country, none of them given twice whatever the order of its parts."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        self._left: dict[str, Iterator[tuple[str, str]]] = {}
        self._given: set[str] = set()

    def next(self, place: Place) -> tuple[str, str]:
        """Return (given, family) as the places write them; another country's when all are given."""
        if place.code not in self._left:
            pairs = [(given, family) for given in place.given for family in place.family]
            self._left[place.code] = iter(self._draws.shuffled(pairs))
        for given, family in self._left[place.code]:
            key = person_name(f"{native(given)} {native(family)}")
            if key not in self._given:
                self._given.add(key)
                return given, family
        return self.next(PLACES[(PLACES.index(place) + 1) % len(PLACES)])


class Addresses:
    """E-mail addresses, none of them given twice."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        self._given: set[str] = set()

    def next(self, given: str, family: str, domain: str) -> str:
        """Return an address of this person at a company, now and then at a free mail host."""
        host = self._draws.pick(FREE_MAIL) if self._draws.chance(0.08) else domain
        local = f"{latin(given)}.{latin(family)}"
        address, number = f"{local}@{host}", 1
        while address in self._given:
            number += 1
            address = f"{local}{number}@{host}"
        self._given.add(address)
        return address


def contact_values(
    draws: Draws, site: Site, names: Names, addresses: Addresses, company: str
) -> dict[str, Json]:
    """Return a person of a company as a careful person would write them down."""
    place = site.place if draws.chance(0.85) else draws.pick(PLACES)
    given, family = names.next(place)
    return {
        "first_name": native(given),
        "last_name": native(family),
        "email": addresses.next(given, family, site.domain),
        "phone": draws.digits(place.phone),
        "mobile": draws.digits(place.mobile) if draws.chance(0.3) else None,
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
