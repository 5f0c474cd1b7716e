"""Doors of OAuth: leave for a CRM's consent page, come back from it, renew a sign-in now."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, requires_sign_in, signed_in
from crm_admin.blueprints.browser import browser_session, settings
from crm_admin.blueprints.forms import argument, attempt
from crm_admin.errors import BadInput, NotFound
from crm_admin.providers.registry import ENTRIES
from crm_admin.security.permissions import Permission
from crm_admin.services import connections, oauth_tokens
from crm_admin.services import oauth as service

oauth = Blueprint("oauth", __name__, url_prefix="/api/crm")
LONGEST = 4000


@oauth.post("/oauth/<provider>/start")
@requires(Permission.CONNECTION_EDIT)
def start(provider: str) -> Response:
    return _leave(provider, _connection(request.form.get("connection", "")))


@oauth.get("/oauth/<provider>/authorize")
@requires(Permission.CONNECTION_EDIT)
def authorize(provider: str) -> Response:
    connection_id = _connection(argument("connection"))
    if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        return redirect(url_for("settings.credentials", connection_id=connection_id), 303)
    return _leave(provider, connection_id)


@oauth.get("/oauth/<provider>/callback")
@requires_sign_in
def callback(provider: str) -> Response:
    if provider not in ENTRIES:
        abort(404)
    return _come_back()


@oauth.get("/connect/callback")
@requires_sign_in
def callback_of_any() -> Response:
    return _come_back()


def _come_back() -> Response:
    back = service.finish(
        person=signed_in(),
        session_hash=_session_hash(),
        came_to=settings().public_url + request.path,
        state=argument("state", longest=LONGEST),
        code=argument("code", longest=LONGEST),
        error=argument("error"),
    )
    if not back.connected:
        flash(back.sentence, "error")
    if back.connection_id is None:
        return redirect(url_for("settings.connections"), 303)
    if not back.connected:
        other = back.other_account or None
        return redirect(
            url_for("settings.credentials", connection_id=back.connection_id, other=other), 303
        )
    connections.start_check(person=signed_in(), connection_id=back.connection_id)
    flash(back.sentence, "success")
    return redirect(url_for("settings.detail", connection_id=back.connection_id), 303)


@oauth.post("/oauth/<provider>/refresh")
@requires(Permission.CONNECTION_EDIT)
def refresh(provider: str) -> Response:
    connection_id = _connection(request.form.get("connection", ""))
    _require_provider(provider, connection_id)
    word = oauth_tokens.renew_now(connection_id)
    if word == "done":
        flash(_("Renewed the sign-in."), "success")
    else:
        flash(word, "error")
    return redirect(url_for("settings.credentials", connection_id=connection_id), 303)


def leave(connection_id: UUID, *, reset_links: bool = False) -> Response:
    """Send the browser to the consent page of a connection, or back with why that cannot be."""
    url = attempt(
        lambda: service.start(
            person=signed_in(),
            connection_id=connection_id,
            session_hash=_session_hash(),
            reset_links=reset_links,
        )
    )
    if url is None:
        return redirect(url_for("settings.credentials", connection_id=connection_id), 303)
    return redirect(url, 303)


def _leave(provider: str, connection_id: UUID) -> Response:
    _require_provider(provider, connection_id)
    return leave(connection_id)


def _require_provider(provider: str, connection_id: UUID) -> None:
    if provider not in ENTRIES:
        abort(404)
    if connections.show(connection_id).provider != provider:
        raise BadInput("provider", _("This connection is of another CRM."))


def _connection(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error


def _session_hash() -> str:
    found = browser_session().found
    return found.id_hash if found else ""
