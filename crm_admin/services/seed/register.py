"""What may be given only once in the demo: names, e-mail addresses, phone numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from crm_admin.records.names import person_name
from crm_admin.services.seed.draws import Draws, latin, native
from crm_admin.services.seed.places import PLACES, Place
from crm_admin.services.seed.words import FREE_MAIL

TRIES: Final = 20


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


class Numbers:
    """Phone numbers, none of them given twice: a shared one would make strangers look alike."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        self._given: set[str] = set()

    def next(self, pattern: str) -> str | None:
        """Return a number of this pattern; None when nearly all of them are given."""
        for _ in range(TRIES):
            number = self._draws.digits(pattern)
            if number not in self._given:
                self._given.add(number)
                return number
        return None


@dataclass(frozen=True, slots=True)
class Register:
    """Everything that is given once, and the draws behind it."""

    draws: Draws
    names: Names
    addresses: Addresses
    numbers: Numbers


def open_register(draws: Draws) -> Register:
    """Return a register in which nothing is given yet."""
    return Register(draws, Names(draws), Addresses(draws), Numbers(draws))
