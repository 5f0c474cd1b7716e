"""Small readers of addresses and forms that several pages share."""

from collections.abc import Callable
from secrets import token_urlsafe
from typing import TypeVar
from uuid import UUID

from flask import flash, request

from crm_admin.errors import BadInput

Done = TypeVar("Done")


def text(name: str, *, longest: int = 500) -> str:
    """Return a form field without outer spaces, cut to a sane length."""
    return request.form.get(name, "").strip()[:longest]


def argument(name: str, *, longest: int = 300) -> str:
    """Return an argument of the address, cut to a sane length."""
    return request.args.get(name, "").strip()[:longest]


def one_of(name: str, allowed: tuple[str, ...]) -> str:
    """Return a form field that must be one of the listed values."""
    value = request.form.get(name, "")
    if value not in allowed:
        raise BadInput(name, "Choose one of the listed values.")
    return value


def ids(name: str) -> list[UUID]:
    """Return a repeated form field as ids."""
    try:
        return [UUID(value) for value in request.form.getlist(name)]
    except ValueError as error:
        raise BadInput(
            name, "Load the page again: one of its ids was changed on the way."
        ) from error


def attempt(action: Callable[[], Done]) -> Done | None:
    """Do what a button asks; when it cannot be done say why on the next page and return None."""
    try:
        return action()
    except BadInput as error:
        flash(error.sentence, "error")
        return None


def once_key() -> str:
    """Return a fresh key for a form that starts work, so that a second press returns the first
    run."""
    return token_urlsafe(18)
