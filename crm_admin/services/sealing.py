"""Secrets sealed for the row and field they stand in; clear text exists only where it is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import current_app

from crm_admin.errors import NeedsAttention
from crm_admin.security.secrets import KeyRing, Place, SecretError

UNREADABLE = "The stored credentials cannot be read with the present keys. Enter them again."


@dataclass(frozen=True, slots=True)
class Box:
    """The secrets of one row; `prefix` tells columns of the same row apart."""

    organization_id: UUID
    table: str
    row_id: UUID
    prefix: str = ""

    def place(self, field: str) -> Place:
        """Return where a secret of this row stands."""
        return Place(
            str(self.organization_id), self.table, str(self.row_id), f"{self.prefix}{field}"
        )

    def seal(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """Return the secrets as they are stored; values copied elsewhere do not open there."""
        keys = ring()
        return {field: keys.encrypt(text, self.place(field)) for field, text in secrets.items()}

    def opened(self, sealed: Mapping[str, str] | None) -> dict[str, str]:
        """Return the secrets in clear; NeedsAttention when the present keys do not open them."""
        keys = ring()
        try:
            return {
                field: keys.decrypt(text, self.place(field))
                for field, text in (sealed or {}).items()
            }
        except SecretError as error:
            raise NeedsAttention(UNREADABLE) from error


def ring() -> KeyRing:
    """Return the keys of this installation."""
    return KeyRing.from_keys(current_app.config["CRM"].encryption_keys)


def credentials_of(organization_id: UUID, connection_id: UUID) -> Box:
    """Return the box of what people typed into a connection."""
    return Box(organization_id, "connection", connection_id)


def tokens_of(organization_id: UUID, connection_id: UUID, *, former: bool = False) -> Box:
    """Return the box of what a CRM gave out for a sign-in, or of the pair before it."""
    return Box(organization_id, "oauth_token", connection_id, "previous." if former else "")
