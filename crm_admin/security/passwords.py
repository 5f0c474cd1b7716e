"""Password rules and argon2id hashes."""

import re
import unicodedata
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import Type

SHORTEST = 12
LONGEST = 128


@dataclass(frozen=True, slots=True)
class Profile:
    """What a hash costs; memory in KiB."""

    memory: int
    passes: int
    lanes: int


STRONG = Profile(memory=47_104, passes=2, lanes=1)
FOR_TESTS = Profile(memory=64, passes=1, lanes=1)

STEMS = """
password passwort passphrase letmein welcome qwerty qwertz azerty iloveyou admin administrator
root superuser changeme default secret login monkey dragon football baseball sunshine princess
master shadow trustno starwars whatever freedom computer internet summer winter spring autumn
company office business manager service support test testing guest user demo sample example
january february march april may june july august september october november december
monday tuesday wednesday thursday friday saturday sunday crmadmin crm hubspot salesforce
"""
COMMON_STEMS = frozenset(STEMS.split())
KEYBOARD_ROWS = (
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "!@#$%^&*()",
)
SWAPPED = str.maketrans("@4380!1$5+7", "aaebolisstt")
FEWEST_DIFFERENT = 5


def check_rules(password: str, *, avoid: tuple[str, ...] = ()) -> str | None:
    """Return the sentence that says why the password cannot be used, None when it can.

    `avoid` holds words of the person (name, e-mail): a password that is little more than one of
    them is refused. There are no rules about kinds of characters.
    """
    text = normal(password)
    if len(text) < SHORTEST:
        return f"Use at least {SHORTEST} characters. Several words in a row work well."
    if len(text) > LONGEST:
        return f"Use at most {LONGEST} characters."
    if len(set(text)) < FEWEST_DIFFERENT:
        return "This repeats a few characters. Use several different words."
    if is_common(text, avoid):
        return "This is easily guessed. Use several words that do not belong together."
    return None


def is_common(text: str, avoid: tuple[str, ...] = ()) -> bool:
    """Say whether it holds nothing but known words, words to avoid, rows of keys and digits."""
    parts = (word for entry in avoid for word in re.split(r"[^\w]+", entry.lower()))
    words = COMMON_STEMS | {word for word in parts if len(word) > 2}
    lowered = _without_runs(text.lower())
    spellings = (lowered, lowered.translate(SWAPPED))
    left = min((_letters_beside(spelling, words) for spelling in spellings), key=len)
    return len(set(left)) < FEWEST_DIFFERENT - 1


def _without_runs(text: str) -> str:
    """The text without runs of four or more neighbouring keys, letters or digits."""
    for row in (*KEYBOARD_ROWS, *(row[::-1] for row in KEYBOARD_ROWS)):
        for size in range(len(row), 3, -1):
            for start in range(len(row) - size + 1):
                text = text.replace(row[start : start + size], " ")
    return text


def _letters_beside(text: str, words: frozenset[str]) -> str:
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, " ")
    return "".join(letter for letter in text if letter.isalpha())


def normal(password: str) -> str:
    """Return the one spelling of a password, whatever keyboard composed its accents."""
    return unicodedata.normalize("NFC", password)


class Passwords:
    """Hashes and verifies under one profile; tests hand in the cheap one on purpose."""

    def __init__(self, profile: Profile = STRONG) -> None:
        self._hasher = PasswordHasher(
            time_cost=profile.passes,
            memory_cost=profile.memory,
            parallelism=profile.lanes,
            type=Type.ID,
        )
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Return the hash to store; the rules are checked by `check_rules`, not here."""
        return self._hasher.hash(normal(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Say whether the password is the stored one; as slow for an unknown person (None).

        A password longer than allowed is refused without hashing it, a damaged hash never matches.
        """
        if len(password) > LONGEST:
            return False
        try:
            known = self._nobody if stored is None else stored
            self._hasher.verify(known, normal(password))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
        return stored is not None

    def needs_rehash(self, stored: str) -> bool:
        """Say whether a hash was made under another profile and should be renewed at sign-in."""
        return self._hasher.check_needs_rehash(stored)
