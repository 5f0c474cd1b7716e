"""What a page may remember for a few seconds instead of asking again, per organisation and
process."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from crm_admin import clock, tenancy
from crm_admin.services.queries import sql
from crm_admin.services.queries.sql import Row

LONGEST: Final = 30.0
NOTED: Final = 10.0
WORTH: Final = 0.025
"""Answers that come sooner are asked for anew each time."""
TIMES: Final = 100
MOST: Final = 10_000

Key = tuple[object, ...]
Found = TypeVar("Found")
_until: dict[tuple[UUID | None, Key], tuple[float, Any]] = {}


def holds(key: Key) -> bool:
    """Return whether this was noted for the organisation a few seconds ago."""
    return _held(key) is not None


def note(key: Key) -> None:
    """Take this as true for the next few seconds."""
    _keep(key, NOTED, value=True)


def remembered(key: Key, make: Callable[[], Found]) -> Found:
    """Return what `make` returns, or returned a moment ago where it takes long.

    It is kept for a hundred times as long as it took, so that it costs a hundredth at most; what a
    small organisation asks is always answered anew.
    """
    held = _held(key)
    if held is not None:
        value: Found = held[1]
        return value
    started = clock.monotonic()
    found = make()
    took = clock.monotonic() - started
    if took > WORTH:
        _keep(key, min(took * TIMES, LONGEST), value=found)
    return found


def rows(statement: str, **values: object) -> Sequence[Row]:
    """Return the rows of a statement as `sql.rows` does, remembered where it takes long."""
    key = (statement, *sorted(values.items()))
    return remembered(key, lambda: sql.rows(statement, **values))


def only(statement: str, **values: object) -> Row:
    """Return the one row of a statement that always has one, remembered where it takes long."""
    (row,) = rows(statement, **values)
    return row


def forget() -> None:
    """Ask everything of the acting organisation anew: somebody has just changed something."""
    mine = tenancy.current()
    for key in [key for key in _until if key[0] == mine]:
        _until.pop(key, None)


def _held(key: Key) -> tuple[float, Any] | None:
    held = _until.get((tenancy.current(), key))
    return held if held is not None and held[0] > clock.monotonic() else None


def _keep(key: Key, seconds: float, *, value: object) -> None:
    if len(_until) >= MOST:
        _until.clear()
    _until[tenancy.current(), key] = (clock.monotonic() + seconds, value)
