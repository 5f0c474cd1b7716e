"""Who may ask for what: a view names a permission, is for whoever is signed in, or is public.

Everything else is refused, so a view that was forgotten is a closed one.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request, url_for

from crm_admin import clock, tenancy
from crm_admin.blueprints.browser import browser_session
from crm_admin.blueprints.rendering import is_htmx, see_other
from crm_admin.errors import NotAllowed
from crm_admin.extensions import db, login_manager
from crm_admin.security.addresses import local_path
from crm_admin.security.permissions import FRESH_SIGN_IN, Permission
from crm_admin.services import rates, refusals, sessions
from crm_admin.services.access import Person, require
from crm_admin.services.rates import Costly

logger = logging.getLogger(__name__)

View = TypeVar("View", bound=Callable[..., Any])
NEEDS: Final = "_crm_needs"
COSTS: Final = "_crm_costs"
SIGNED_IN: Final = "signed in"

PUBLIC: Final = frozenset(
    {
        "assets.file",
        "auth.check_sign_in",
        "auth.sign_in",
        "auth.sign_out",
        "health.alive",
        "health.ready",
        "static",
    }
)
"""Endpoints for everybody, with checks of their own where they need some."""

READ_FRESH: Final = timedelta(minutes=30)
WRITE_FRESH: Final = timedelta(minutes=60)
"""A form is opened within the first and may be sent until the second,
so that nothing typed is lost."""


def requires(permission: Permission) -> Callable[[View], View]:
    """Mark a view as open to people who hold the permission."""

    def mark(view: View) -> View:
        setattr(view, NEEDS, permission)
        return view

    return mark


def limited(what: Costly) -> Callable[[View], View]:
    """Mark a view as costly: a person may ask for it so often, then waits (429)."""

    def mark(view: View) -> View:
        setattr(view, COSTS, what)
        return view

    return mark


def requires_sign_in(view: View) -> View:
    """Mark a view as open to everybody who is signed in: what concerns only themselves."""
    setattr(view, NEEDS, SIGNED_IN)
    return view


def current_person() -> Person | None:
    """Return who is signed in, None for a visitor and where the session could not be read."""
    person: Person | None = g.get("person")
    return person


def signed_in() -> Person:
    """Return who is signed in, inside views that are not public."""
    person = current_person()
    if person is None:
        raise NotAllowed(SIGNED_IN, "Sign in first.")
    return person


def table(app: Flask) -> Mapping[str, str]:
    """Return what each endpoint asks for: a permission, "signed in" or "public";
    "" was forgotten."""
    return {
        endpoint: "public" if endpoint in PUBLIC else str(getattr(view, NEEDS, ""))
        for endpoint, view in app.view_functions.items()
    }


def install(app: Flask) -> None:
    """Let nobody past whom the view is not for, and work for the person's organisation."""
    login_manager.session_protection = None
    login_manager.request_loader(lambda _request: current_person())
    app.before_request(_guard)
    app.teardown_request(_leave)


def _guard() -> Response | None:
    endpoint = request.endpoint
    if endpoint is None or endpoint in PUBLIC:
        return None
    person = current_person()
    if person is None:
        return _to_sign_in()
    _enter(person)
    view = current_app.view_functions.get(endpoint)
    needs = getattr(view, NEEDS, None)
    if needs is None:
        raise NotAllowed("none", "This address is closed: nobody has been allowed to use it yet.")
    if isinstance(needs, Permission):
        _require(person, needs)
        if needs in FRESH_SIGN_IN and not _is_fresh():
            return see_other(url_for("auth.again", next=_here()))
    costs = getattr(view, COSTS, None)
    if costs is not None:
        rates.spend(person, costs)
    return None


def _enter(person: Person) -> None:
    g.tenant = ExitStack()
    g.tenant.enter_context(tenancy.acting_for(person.organization_id))
    found = browser_session().found
    # Polls of a page nobody looks at must not keep it signed in.
    if found is not None and not request.path.rpartition("/")[2].startswith("_"):
        sessions.touch(found)


def _leave(_error: BaseException | None) -> None:
    tenant: ExitStack | None = g.pop("tenant", None)
    if tenant is not None:
        db.session.rollback()
        tenant.close()


def _require(person: Person, permission: Permission) -> None:
    try:
        require(person, permission)
    except NotAllowed:
        logger.info("person %s was refused %s at %s", person.user_id, permission, request.endpoint)
        refusals.note(person, f"{permission} {request.endpoint}")
        raise


def _is_fresh() -> bool:
    found = browser_session().found
    longest = READ_FRESH if request.method in {"GET", "HEAD"} else WRITE_FRESH
    return (
        found is not None and found.fresh_at is not None and clock.now() - found.fresh_at < longest
    )


def _to_sign_in() -> Response:
    if is_htmx():
        return Response(status=204, headers={"HX-Redirect": url_for("auth.sign_in", next=_here())})
    return see_other(url_for("auth.sign_in", next=_here()))


def _here() -> str:
    """The page to come back to: this one, or the page that sent a form or asked for a fragment."""
    if request.method in {"GET", "HEAD"} and not is_htmx():
        return local_path(request.full_path.rstrip("?"))
    shown = request.headers.get("HX-Current-URL") or request.referrer or ""
    parts = urlsplit(shown)
    return local_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)
