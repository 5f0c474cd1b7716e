"""Encryption of credentials at rest, bound to the place where they are stored."""

import base64
import binascii
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
FORMAT = "v1"
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
FEWEST_BYTES_IN_A_KEY = 8


class SecretError(Exception):
    """A secret cannot be read: unknown key, changed text, or a value from another place."""


class BadKey(ValueError):
    """A key in the settings cannot be used; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret is stored; a value copied to another place does not open there."""

    organization: str
    table: str
    row: str
    field: str

    def bound(self) -> bytes:
        """Return the place as the bytes a sealed value is bound to."""
        parts = (self.organization, self.table, self.row, self.field)
        return "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts).encode()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys by id; `current` encrypts, all of them decrypt."""

    current: str
    _ciphers: Mapping[str, AESGCM] = field(repr=False)

    @classmethod
    def from_keys(cls, keys: Iterable[tuple[str, str]]) -> Self:
        """Return a ring of (id, base64 of 32 bytes), the first being current.

        BadKey for an empty list, a repeated id, a key of another length or one that is plainly a
        placeholder (fewer than eight different bytes).
        """
        ciphers: dict[str, AESGCM] = {}
        for key_id, text in keys:
            if not KEY_ID.match(key_id) or key_id in ciphers:
                raise BadKey(f"The key id {key_id!r} is not usable or given twice.")
            ciphers[key_id] = AESGCM(decode_key(key_id, text))
        if not ciphers:
            raise BadKey("There is no encryption key.")
        return cls(next(iter(ciphers)), ciphers)

    def encrypt(self, text: str, place: Place) -> str:
        """Return the text sealed under the current key, to be stored at the place."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self.current].encrypt(nonce, text.encode(), place.bound())
        return f"{FORMAT}.{self.current}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, stored: str, place: Place) -> str:
        """Return the text that was sealed for this place; SecretError otherwise."""
        key_id, sealed = split(stored)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SecretError(f"The key {key_id} of a stored secret is not in the settings.")
        try:
            opened = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.bound())
        except InvalidTag as error:
            raise SecretError("A stored secret was changed or belongs to another place.") from error
        return opened.decode()

    def rotated(self, stored: str, place: Place) -> str | None:
        """Return the secret sealed under the current key, None when it already is.

        Calling it again after a crash in the middle of a table does only what is left.
        """
        if split(stored)[0] == self.current:
            return None
        return self.encrypt(self.decrypt(stored, place), place)


def new_key() -> str:
    """Return a fresh random key as it stands in the settings."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def decode_key(key_id: str, text: str) -> bytes:
    """Return the 32 bytes of a key; BadKey when it cannot be one."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKey(f"The key {key_id} is not base64.") from error
    if len(key) != KEY_BYTES:
        raise BadKey(f"The key {key_id} has {len(key)} bytes instead of {KEY_BYTES}.")
    if len(set(key)) < FEWEST_BYTES_IN_A_KEY:
        raise BadKey(f"The key {key_id} is a placeholder, not a random key.")
    return key


def split(stored: str) -> tuple[str, bytes]:
    """Return (key id, nonce and sealed bytes) of a stored secret; SecretError when it is none."""
    parts = stored.split(".")
    if len(parts) != 3 or parts[0] != FORMAT:
        raise SecretError("A stored secret has an unknown form.")
    try:
        sealed = base64.b64decode(parts[2], altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SecretError("A stored secret is damaged.") from error
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise SecretError("A stored secret is damaged.")
    return parts[1], sealed


def key_id_of(stored: str) -> str:
    """Return which key a stored secret needs, so that a key no longer needed can be told."""
    return split(stored)[0]


def hint_of(secret: str) -> str:
    """Return what pages may show of a secret: its last four characters, nothing of a short one."""
    return secret[-4:] if len(secret) >= 12 else ""
