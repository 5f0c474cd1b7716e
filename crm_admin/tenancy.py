"""Whose rows the present work may see: one organisation at a time, in every transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

_organization: ContextVar[UUID | None] = ContextVar("organization_id", default=None)
_listeners: list[Callable[[], None]] = []


def current() -> UUID | None:
    """Return the organisation the present work is for; None means that tenant tables look empty."""
    return _organization.get()


def organization() -> UUID:
    """Return the organisation the present work is for; LookupError outside of `acting_for`."""
    found = _organization.get()
    if found is None:
        raise LookupError("This work belongs to no organisation.")
    return found


def on_change(listener: Callable[[], None]) -> None:
    """Call `listener` whenever the organisation changes, so that an open transaction can follow."""
    if listener not in _listeners:
        _listeners.append(listener)


@contextmanager
def acting_for(organization_id: UUID | None) -> Iterator[None]:
    """Work for the organisation inside the block; of nested blocks the inner one counts."""
    token = _organization.set(organization_id)
    try:
        _announce()
        yield
    finally:
        _organization.reset(token)
        _announce()


def _announce() -> None:
    for listener in _listeners:
        listener()
