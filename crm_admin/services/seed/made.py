"""What the generators hand over: records of ours before they have ids."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crm_admin.jsontypes import Json
from crm_admin.packs.registry import kinds
from crm_admin.records.values import canonicaliser, is_blank


@dataclass(frozen=True, slots=True)
class Made:
    """One record to be. `references` names per field the place of its target in that kind's list.

    `owner` is the place of a person in the demo's people, `external_id` its id in the source.
    """

    kind: str
    external_id: str
    data: Mapping[str, Json]
    references: Mapping[str, int] = field(default_factory=dict)
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Strangers:
    """Whom only the other side knows; invented with ours so that no name is given twice."""

    companies: tuple[Mapping[str, Json], ...]
    contacts: tuple[tuple[int, Mapping[str, Json]], ...]
    """Each with the place of its company among the strangers."""


@dataclass(frozen=True, slots=True)
class World:
    """All records of the demo organisation, each list in the order of its places."""

    companies: tuple[Made, ...]
    contacts: tuple[Made, ...]
    deals: tuple[Made, ...]
    povs: tuple[Made, ...]
    strangers: Strangers

    @property
    def by_kind(self) -> dict[str, tuple[Made, ...]]:
        return {
            "company": self.companies,
            "contact": self.contacts,
            "deal": self.deals,
            "pov": self.povs,
        }


def canonical_data(kind: str, values: Mapping[str, Json]) -> dict[str, Json]:
    """Return the values in canonical form, blanks left out; ValueRefused where one has none."""
    declared = kinds()[kind]
    data = {name: canonicaliser(declared.field(name))(value) for name, value in values.items()}
    return {name: value for name, value in data.items() if not is_blank(value)}


def euros(amount: int) -> dict[str, Json]:
    """Return an amount as money of the demo's currency."""
    return {"amount": str(amount), "currency": "EUR"}
