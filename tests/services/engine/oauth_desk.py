"""A connection that somebody signed in to at the simulated HubSpot, and what happens there."""

from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from uuid import UUID

from crm_admin.services import oauth
from crm_admin.services.access import Person
from tests.services.engine.conftest import Desk

SESSION = "hash-of-a-session"
CLIENT = {"client_id": "app-of-tests", "client_secret": "hush-hush-of-the-application"}


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def consent(url: str, decision: str = "allow") -> dict[str, str]:
    """What a CRM sends back after a person decided on its consent page."""
    request = Request(url, data=urlencode({"decision": decision}).encode())
    try:
        answer = build_opener(_Stay).open(request)
    except HTTPError as redirected:
        answer = redirected
    with answer:
        found = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in found.items()}


def come_back(
    person: Person,
    query: Mapping[str, str],
    came_to: str,
    session: str = SESSION,
) -> oauth.Back:
    return oauth.finish(
        person=person,
        session_hash=session,
        came_to=came_to,
        state=query.get("state", ""),
        code=query.get("code", ""),
        error=query.get("error", ""),
    )


def sign_in(desk: Desk, came_to: str, **more: Any) -> oauth.Back:
    url = oauth.start(
        person=desk.person, connection_id=desk.connection_id, session_hash=SESSION, **more
    )
    return come_back(desk.person, consent(url), came_to)


def token_calls(desk: Desk) -> list[dict[str, Any]]:
    """Our calls to the sign-in, as the call log has them."""
    return desk.rows(
        "SELECT method, path, status, request_body, answer_body FROM api_call"
        " WHERE path LIKE '/oauth/%%' ORDER BY at"
    )


def held(desk: Desk, connection_id: UUID | None = None) -> dict[str, Any]:
    return desk.rows(
        "SELECT * FROM oauth_token WHERE connection_id = %s", connection_id or desk.connection_id
    )[0]


def health(desk: Desk) -> tuple[str, str | None]:
    row = desk.rows(
        "SELECT health, health_reason FROM connection WHERE id = %s", desk.connection_id
    )[0]
    return row["health"], row["health_reason"]
