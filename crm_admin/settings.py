"""Reads settings out of text and collects what is wrong, so that a start reports all at once."""

import base64
import binascii
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Final

KEY_BYTES: Final = 32
SECRET_LENGTH: Final = 32
WELL_KNOWN: Final = (
    "change",
    "default",
    "example",
    "secret-key",
    "insecure",
    "password",
    "replace",
)
YES: Final = frozenset({"1", "true", "yes", "on"})
NO: Final = frozenset({"0", "false", "no", "off"})


class Reader:
    """Takes settings from an environment; `problems` grows by a sentence per unusable setting."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            self.problems.append(f"{name} is not set.")
        return value or ""

    def secret(self, name: str) -> str:
        value = self.required(name)
        if value and (len(value) < SECRET_LENGTH or _is_well_known(value)):
            self.problems.append(
                f"{name} is a known default or shorter than {SECRET_LENGTH} characters:"
                " set a long random text of your own."
            )
        return value

    def keys(self, name: str) -> tuple[tuple[str, str], ...]:
        """Read `id:base64,…`; the first key is the one new secrets are written with."""
        found: dict[str, str] = {}
        for part in filter(None, (piece.strip() for piece in self.required(name).split(","))):
            key_id, _, encoded = part.partition(":")
            key = _decoded(encoded)
            if not key_id or key is None or len(key) != KEY_BYTES or len(set(key)) == 1:
                self.problems.append(
                    f"{name} needs entries like id:key, the key being {KEY_BYTES} random bytes in"
                    f" base64; the entry {key_id!r} is not one."
                )
            elif key_id in found:
                self.problems.append(f"{name} holds the id {key_id!r} twice.")
            else:
                found[key_id] = encoded
        return tuple(found.items())

    def flag(self, name: str, *, default: bool) -> bool:
        value = (self.text(name) or "").lower()
        if value and value not in YES | NO:
            self.problems.append(f"{name} is {value!r}: use true or false.")
        return value in YES if value in YES | NO else default

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            self.problems.append(f"{name} is {value!r}: use a whole number from {least} to {most}.")
            return default
        return int(value)

    def seconds(self, name: str, default: float) -> float:
        value = self.text(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = -1
        if not 0 < number <= 86_400:
            self.problems.append(
                f"{name} is {value!r}: use a number of seconds above 0, at most a day."
            )
            return default
        return number

    def networks(self, name: str) -> tuple[str, ...]:
        found = []
        for part in filter(None, (piece.strip() for piece in (self.text(name) or "").split(","))):
            try:
                found.append(str(ip_network(part)))
            except ValueError:
                self.problems.append(f"{name} holds {part!r}: use networks like 10.1.0.0/16.")
        return tuple(found)

    def starting_with(self, prefixes: tuple[str, ...]) -> dict[str, str]:
        return {
            name: value
            for name, value in sorted(self._environ.items())
            if name.startswith(prefixes) and value
        }


def _is_well_known(value: str) -> bool:
    return len(set(value)) < SECRET_LENGTH // 4 or any(word in value.lower() for word in WELL_KNOWN)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError):
        return None
