"""Pages whose forms lead to a CRM's consent page: only these name its origin in their policy."""

from collections.abc import Sequence

from flask import make_response
from werkzeug.wrappers import Response

from crm_admin.blueprints.rendering import POLICY
from crm_admin.errors import BadInput
from crm_admin.services.oauth_apps import consent_origin
from crm_admin.services.remote import check_endpoint

OURS = "form-action 'self'"


def may_leave(page: str, provider: str, endpoints: Sequence[str], *, status: int = 200) -> Response:
    """Return a page from which a form may lead to the consent pages of these endpoints.

    A browser holds the redirect that follows a form against the same rule as the form.
    """
    response = make_response(page, status)
    allowed = [one for one in dict.fromkeys(endpoints) if provider and may_call(one, provider)]
    found = (consent_origin(provider, endpoint) for endpoint in allowed)
    origins = " ".join(dict.fromkeys(origin for origin in found if _is_plain(origin)))
    if origins:
        response.headers["Content-Security-Policy"] = POLICY.replace(OURS, f"{OURS} {origins}")
    return response


def may_call(endpoint: str, provider: str) -> bool:
    """Say whether an endpoint is the provider's own or one in the exempt networks."""
    try:
        check_endpoint(endpoint, provider)
    except BadInput:
        return False
    return True


def _is_plain(origin: str) -> bool:
    """An endpoint was typed by a person: nothing in it may add a rule to the policy."""
    return bool(origin) and origin.isascii() and not set(origin) & set(";, '\"")
