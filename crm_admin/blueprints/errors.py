"""What went wrong, as a page or as a part of one: a sentence and the request's id, never more."""

import logging
from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, request
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as BaseResponse

from crm_admin.blueprints.access import current_person
from crm_admin.blueprints.rendering import fragment, is_htmx, page, request_id
from crm_admin.errors import (
    BadInput,
    CrmAdminError,
    NotAllowed,
    NotFound,
    RetryLater,
    Stale,
    Unavailable,
)
from crm_admin.extensions import db
from crm_admin.security.permissions import Permission, roles_with

logger = logging.getLogger(__name__)

AWAY: Final = (InterfaceError, OperationalError, PoolTimeout, RedisError)
STATUS: Final[dict[type[CrmAdminError], int]] = {
    BadInput: 422,
    NotFound: 404,
    NotAllowed: 403,
    Stale: 409,
    RetryLater: 429,
    Unavailable: 503,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a page says: what happened, and what to do."""

    status: int
    title: str
    text: str


KNOWN: Final = {
    400: ("This request is not complete.", "Go back, load the page again and send it once more."),
    403: ("You may not do this.", "Ask an admin of your organisation for the permission."),
    404: (
        "This page is not here.",
        "It may have been removed, or the address is not complete. Nothing was changed.",
    ),
    405: ("This address does not work that way.", "Go back and use the button on the page."),
    409: ("Someone changed this meanwhile.", "Load the page again to see what it is now."),
    413: ("This is too large.", "Send a smaller file. Nothing was saved."),
    415: ("This kind of file does not work here.", "Choose a file of another kind."),
    422: ("Something needs a change.", "Go back, correct it and send it again. Nothing was saved."),
    429: ("Too many tries.", "Wait a moment, then try again."),
    500: (
        "Something broke on our side.",
        "What you sent was not saved. Runs and schedules go on in the background.",
    ),
    503: (
        "CRM Admin cannot reach its database.",
        "Nothing was saved. Try again in a minute; runs go on by themselves afterwards.",
    ),
}
OTHER: Final = ("This did not work.", "Go back and try again.")


def install(app: Flask) -> None:
    """Answer every error with a page of ours."""
    app.register_error_handler(CrmAdminError, _ours)
    app.register_error_handler(HTTPException, _http)
    for kind in AWAY:
        app.register_error_handler(kind, _away)


def answer(trouble: Trouble, *, permission: str = "", wait_seconds: float = 0) -> Response:
    """Return the trouble as a page, to htmx as a part of one."""
    _let_go()
    render = fragment if is_htmx() else page
    template = "errors/_trouble.html" if is_htmx() else "errors/trouble.html"
    response = render(
        template,
        status=trouble.status,
        trouble=trouble,
        request_id=request_id(),
        permission=permission,
        allowed=_who_may(permission),
        signed_in=current_person() is not None,
        again=request.full_path.rstrip("?") if request.method == "GET" else "",
    )
    if wait_seconds:
        response.headers["Retry-After"] = str(max(1, round(wait_seconds)))
    return response


def _let_go() -> None:
    """What a failed view left open must not be seen by the page that tells of it."""
    try:
        db.session.rollback()
    except AWAY as error:
        logger.warning("rollback after an error: %s", type(error).__name__)


def _who_may(permission: str) -> tuple[str, ...]:
    if permission not in set(Permission):
        return ()
    return tuple(role.value.replace("_", " ") for role in roles_with(Permission(permission)))


def _ours(error: CrmAdminError) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    if status >= 500:
        logger.error("request %s: %s", request_id(), type(error).__name__, exc_info=error)
    title, text = KNOWN[status]
    if status != 500:
        text = error.sentence
    permission = error.permission if isinstance(error, NotAllowed) else ""
    wait = error.after_seconds if isinstance(error, RetryLater) else 0
    return answer(Trouble(status, title, text), permission=permission, wait_seconds=wait)


def _http(error: HTTPException) -> BaseResponse:
    if error.response is not None:
        return error.get_response()
    original = getattr(error, "original_exception", None)
    if isinstance(error, InternalServerError) and isinstance(original, AWAY):
        return _away(original)
    status = error.code or 500
    title, text = KNOWN.get(status, OTHER)
    response = answer(Trouble(status, title, text))
    if status == 405 and "Allow" not in response.headers:
        response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    return response


def _away(error: Exception) -> Response:
    logger.error("request %s: %s", request_id(), type(error).__name__, exc_info=error)
    title, text = KNOWN[503]
    return answer(Trouble(503, title, text), wait_seconds=30)
