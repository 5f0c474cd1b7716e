"""Repeatable choices, and the ways in which people write one thing differently."""

from collections.abc import Sequence
from random import Random
from typing import Final, TypeVar

from crm_admin.records.names import plain_words

SEED: Final = 20_261_120

Thing = TypeVar("Thing")


class Draws:
    """Every choice follows from the seed and the calls before it, on every machine."""

    def __init__(self, seed: int = SEED) -> None:
        self._random = Random(seed)  # noqa: S311  (repeatable, not secret)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def number(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, things: Sequence[Thing]) -> Thing:
        return things[int(self._random.random() * len(things))]

    def other(self, things: Sequence[Thing], than: Thing) -> Thing:
        """Return one of the things that is not `than`."""
        return self.pick([thing for thing in things if thing != than])

    def shuffled(self, things: Sequence[Thing]) -> list[Thing]:
        keyed = [(self._random.random(), place) for place in range(len(things))]
        return [things[place] for _, place in sorted(keyed)]

    def digits(self, pattern: str) -> str:
        return "".join(str(self.number(0, 9)) if mark == "#" else mark for mark in pattern)


def native(word: str) -> str:
    """Return a word of the places as it is written there."""
    return word.partition("=")[0]


def latin(word: str) -> str:
    """Return a word of the places in plain Latin letters, as in an e-mail address."""
    before, _, after = word.partition("=")
    return "-".join(plain_words(after or before))


def national(phone: str, trunk: str) -> str:
    """Return an international number as it is dialled inside its country."""
    _, _, rest = phone.partition(" ")
    return f"({trunk}{rest.partition(' ')[0]}) {rest.partition(' ')[2]}" if trunk else rest


def respelt_phone(draws: Draws, phone: str, trunk: str) -> str:
    """Return the same number in another format."""
    forms = (
        national(phone, trunk),
        phone.replace(" ", ""),
        phone.replace(" ", "-").replace("+", "00", 1),
        phone.replace(" ", " (0) ", 1) if trunk == "0" else phone.replace(" ", "."),
    )
    return draws.other(forms, phone)


def shouted(text: str) -> str:
    """Return a text as it was typed with the capitals key down; scripts without capitals stay."""
    return text.upper()


def without_accents(text: str) -> str:
    """Return a Latin text without its accents, capitals kept at the beginnings."""
    words = plain_words(text)
    return " ".join(word.capitalize() for word in words) if "".join(words).isascii() else text
