"""Invents what the simulated HubSpot holds: mostly the same world, kept by other people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import CompiledRule, compile_rules
from crm_admin.mapping.rules import Direction
from crm_admin.packs.registry import default_mapping, kinds
from crm_admin.services.seed.differences import (
    COMPANIES,
    CONTACTS,
    INDUSTRIES_THERE,
    POVS,
    Properties,
    kept_elsewhere,
)
from crm_admin.services.seed.draws import SEED, Draws
from crm_admin.services.seed.made import Made, World, canonical_data
from crm_admin.services.seed.parties import WITHOUT_DOMAIN
from crm_admin.services.seed.words import HOSTILE, POV_STAGES, POV_THINGS, TITLES
from crm_admin.services.seed.world import (
    KNOWN_THERE,
    LINKED_POVS,
    OURS_ALONE,
    WITHOUT_EMAIL,
    deal_values,
    pov_values,
    title_of,
)

TYPES: Final = {"closedate": "datetime", "numberofemployees": "decimal", "amount": "decimal"}

MONEY: Final = "amount_and_currency"

TWINS: Final = (5, 9)
"""Companies that the CRM holds twice under the same domain."""
ALIKE_COMPANIES: Final = 3
ALIKE_CONTACTS: Final = 5
ALIKE_DEALS: Final = 2
NEW_POVS: Final = 5
NEW_DEALS: Final = 45


@dataclass(frozen=True, slots=True)
class Item:
    """A record to load; associations name the place of their target as `companies#3`."""

    properties: Properties
    associations: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        linked: dict[str, Json] = {name: list(ends) for name, ends in self.associations.items()}
        return {"properties": dict(self.properties), "associations": linked}


@dataclass(slots=True)
class _Places:
    """Where a record of ours stands among theirs."""

    companies: dict[int, int] = field(default_factory=dict)
    contacts: dict[int, int] = field(default_factory=dict)
    strange_companies: int = 0
    strange_contacts: int = 0


def make_theirs(world: World) -> dict[str, list[Item]]:
    """Return what the simulated HubSpot is loaded with, by object."""
    draws = Draws(SEED + 1)
    places = _Places()
    return {
        "companies": _companies(draws, world, places),
        "contacts": _contacts(draws, world, places),
        "deals": _deals(draws, world, places),
    }


@lru_cache(maxsize=8)
def _rules(remote_object: str, kind: str) -> tuple[CompiledRule, ...]:
    mapping = default_mapping("hubspot", remote_object, kind)
    if mapping is None:
        raise LookupError(f"No pack maps {remote_object} to {kind}.")
    return compile_rules(mapping.rules, kinds()[kind], TYPES).rules


def wire(remote_object: str, kind: str, data: Mapping[str, Json]) -> Properties:
    """Return what the default mapping would send for these values, references left out."""
    properties: Properties = {}
    for compiled in _rules(remote_object, kind):
        rule = compiled.rule
        if rule.association or rule.direction is Direction.FROM_CRM:
            continue
        value = str(compiled.to_crm(data.get(rule.ours)))
        if value and rule.theirs == MONEY:
            # The demo's account has one currency, which its deals do not name.
            properties["amount"] = value.partition(" ")[0]
        elif value:
            properties[rule.theirs] = value
    return properties


def _company(draws: Draws, data: Mapping[str, Json]) -> Properties:
    properties = wire("companies", "company", data)
    industry = INDUSTRIES_THERE.get(str(data.get("industry")))
    if industry and draws.chance(0.4):
        properties["industry"] = industry
    return properties


def _companies(draws: Draws, world: World, places: _Places) -> list[Item]:
    items: list[Item] = []
    for place in range(KNOWN_THERE):
        places.companies[place] = len(items)
        kept = kept_elsewhere(draws, COMPANIES, _company(draws, world.companies[place].data))
        items.append(Item(kept))
    for place in TWINS:
        data = world.companies[place].data
        twin = {"name": f"{title_of(world.companies[place])} (old)", "domain": str(data["domain"])}
        items.append(Item({**twin, "description": "Kept after the move to the new system."}))
    first_alike = len(world.companies) - 2 - WITHOUT_DOMAIN
    for place in range(first_alike, first_alike + ALIKE_COMPANIES):
        alike = _company(draws, world.companies[place].data)
        items.append(Item({**alike, "phone": "+44 20 7946 0999"}))
    places.strange_companies = len(items)
    items += [Item(_company(draws, data)) for data in world.strangers.companies]
    items[-1] = Item({**items[-1].properties, "description": HOSTILE[1]})
    return items


def _contacts(draws: Draws, world: World, places: _Places) -> list[Item]:
    items: list[Item] = []
    nameless = len(world.contacts) - WITHOUT_EMAIL
    for place, contact in enumerate(world.contacts[: nameless - OURS_ALONE]):
        places.contacts[place] = len(items)
        kept = kept_elsewhere(draws, CONTACTS, _contact(contact.data))
        _fill(draws, kept)
        items.append(Item(kept, _at_company(contact, places)))
    alike = world.contacts[nameless : nameless + ALIKE_CONTACTS]
    items += [_look_alike(contact, places) for contact in alike]
    places.strange_contacts = len(items)
    for at, data in world.strangers.contacts:
        linked = {"companies": [f"companies#{places.strange_companies + at}"]}
        items.append(Item(_contact(data), linked))
    for offset, text in enumerate(HOSTILE, start=1):
        item = items[-offset]
        items[-offset] = Item({**item.properties, "jobtitle": text}, item.associations)
    return items


def _contact(data: Mapping[str, Json]) -> Properties:
    return wire("contacts", "contact", data)


def _fill(draws: Draws, kept: Properties) -> None:
    """Somebody there knows what nobody here wrote down."""
    if "jobtitle" not in kept and draws.chance(0.4):
        kept["jobtitle"] = draws.pick(TITLES)[0]
    if "country" not in kept and draws.chance(0.3):
        kept["country"] = "Portugal"


def _look_alike(contact: Made, places: _Places) -> Item:
    """The same name and job at another number: one person or two of one name."""
    properties = {**_contact(contact.data), "phone": "+44 20 7946 0998"}
    properties.pop("mobilephone", None)
    return Item(properties, _at_company(contact, places))


def _at_company(made: Made, places: _Places, name: str = "company") -> dict[str, list[str]]:
    place = places.companies.get(made.references.get(name, -1))
    return {} if place is None else {"companies": [f"companies#{place}"]}


def _with_contact(deal: Made, places: _Places) -> dict[str, list[str]]:
    place = places.contacts.get(deal.references.get("contact", -1))
    return {} if place is None else {"contacts": [f"contacts#{place}"]}


def _deals(draws: Draws, world: World, places: _Places) -> list[Item]:
    """POVs first and in our order: their records note the ids that they are loaded under."""
    items = [_pov(draws, pov, places) for pov in world.povs[:LINKED_POVS]]
    items += [
        Item(wire("deals", "pov", pov.data), _at_company(pov, places, "customer"))
        for pov in world.povs[LINKED_POVS:]
    ]
    items += [_new_pov(draws, world, places, number) for number in range(NEW_POVS)]
    for deal in world.deals[:ALIKE_DEALS]:
        properties = {**wire("deals", "deal", deal.data), "dealtype": "existingbusiness"}
        items.append(Item(properties, {**_at_company(deal, places), **_with_contact(deal, places)}))
    items += [_new_deal(draws, world, places) for _ in range(NEW_DEALS)]
    items[-1] = Item({**items[-1].properties, "dealname": HOSTILE[3]}, items[-1].associations)
    return items


def _pov(draws: Draws, pov: Made, places: _Places) -> Item:
    properties = kept_elsewhere(draws, POVS, wire("deals", "pov", pov.data))
    if draws.chance(0.3):
        properties["dealstage"] = draws.other(
            tuple(dict.fromkeys(POV_STAGES)), properties["dealstage"]
        )
    return Item(properties, _at_company(pov, places, "customer"))


def _new_pov(draws: Draws, world: World, places: _Places, number: int) -> Item:
    at = draws.number(0, len(world.strangers.companies) - 1)
    customer = str(world.strangers.companies[at]["name"])
    values = pov_values(draws, POV_THINGS[number], customer)
    linked = {"companies": [f"companies#{places.strange_companies + at}"]}
    return Item(wire("deals", "pov", canonical_data("pov", values)), linked)


def _new_deal(draws: Draws, world: World, places: _Places) -> Item:
    """Deals with people only the CRM knows, so that none is called like one of ours."""
    who = draws.number(0, len(world.strangers.contacts) - 1)
    at, _ = world.strangers.contacts[who]
    customer = str(world.strangers.companies[at]["name"])
    values = canonical_data("deal", deal_values(draws, customer))
    linked = {
        "companies": [f"companies#{places.strange_companies + at}"],
        "contacts": [f"contacts#{places.strange_contacts + who}"],
    }
    return Item(wire("deals", "deal", values), linked)
