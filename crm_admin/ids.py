"""Ids of everything: UUIDv7, so that they sort by time and can be made before the row exists."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new id; later ones sort after earlier ones of the same process."""
    return uuid7()


def short_id(value: UUID) -> str:
    """Return what pages show of an id: its last eight characters."""
    return value.hex[-8:]
