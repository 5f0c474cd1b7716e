"""One token for forms and htmx headers, and a look at where a form comes from."""

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import Forbidden

from crm_admin.blueprints.browser import browser_session, settings
from crm_admin.blueprints.rendering import invalid, is_htmx
from crm_admin.ids import new_id
from crm_admin.security.signing import BadSignature, Signer
from crm_admin.services.sessions import LONGEST

View = TypeVar("View", bound=Callable[..., Any])
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD: Final = "csrf_token"
HEADER: Final = "X-CSRFToken"
EXEMPT: Final = "_crm_without_csrf"
# Never written into a page again: secrets, and what belongs to one sending only.
UNREPEATED: Final = ("password", "secret", "token", "setting-", "key")


class ForeignForm(Forbidden):
    """A form that another site sent."""

    description = "This form was sent from another site, so nothing was done."


def without_csrf(view: View) -> View:
    """Mark a view that programs call with a signature or a token of their own, never a browser."""
    setattr(view, EXEMPT, True)
    return view


def csrf_token() -> str:
    """Return this browser's token, fresh in its looks for every page."""
    if "csrf_token" not in g:
        g.csrf_token = _signer().sign(new_id().hex)
    found: str = g.csrf_token
    return found


def install(app: Flask) -> None:
    """Check every request that may change something."""
    app.jinja_env.globals["csrf_token"] = csrf_token
    app.before_request(_check)


def _check() -> Response | None:
    if request.method in SAFE or request.endpoint is None:
        return None
    if g.get("person") is None or request.mimetype == "application/x-www-form-urlencoded":
        # Only files of people who are signed in may be large, and this comes before any reading.
        request.max_content_length = current_app.config["MAX_FORM_MEMORY_SIZE"]
    if getattr(current_app.view_functions[request.endpoint], EXEMPT, False):
        return None
    is_own = _comes_from_here()
    if is_own is False:
        raise ForeignForm
    sent = request.headers.get(HEADER) or request.form.get(FIELD) or ""
    if sent and _is_ours(sent):
        return None
    if not sent or is_own is None:
        raise ForeignForm
    return _fresh_form()


def _comes_from_here() -> bool | None:
    """Return what the browser says about the page that sent this; None when it says nothing."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    if origin is None or origin == "null":
        # Our pages send no referrer, and then some browsers hide the origin as well.
        return None
    return origin in {_origin(settings().public_url), _origin(request.host_url)}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _signer() -> Signer:
    return Signer(settings().secret_key, f"csrf:{browser_session().visitor_token()}")


def _is_ours(token: str) -> bool:
    if not browser_session().token:
        return False
    try:
        _signer().unsign(token, max_age_seconds=LONGEST.total_seconds())
    except (BadSignature, ValueError):
        return False
    return True


def _fresh_form() -> Response:
    """The token is of an older session: show what was sent under a fresh one, to be sent again."""
    if is_htmx():
        return Response(status=422, headers={"HX-Refresh": "true"})
    kept = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if not any(word in name.lower() for word in UNREPEATED)
    ]
    lost = bool(request.files) or len(kept) < len(list(request.form.items(multi=True))) - 1
    return invalid("errors/stale_form.html", action=request.path, kept=() if lost else kept)
