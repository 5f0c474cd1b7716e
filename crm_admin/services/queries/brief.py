"""What a page may remember for a few seconds instead of asking again, per organisation and
process."""

from typing import Final

from crm_admin import clock, tenancy

SECONDS: Final = 10.0
MOST: Final = 10_000

Key = tuple[object, ...]
_until: dict[Key, float] = {}


def holds(key: Key) -> bool:
    """Return whether this was noted for the organisation a few seconds ago."""
    return _until.get((tenancy.current(), *key), 0.0) > clock.monotonic()


def note(key: Key) -> None:
    """Take this as true for the next few seconds."""
    if len(_until) >= MOST:
        _until.clear()
    _until[tenancy.current(), *key] = clock.monotonic() + SECONDS
