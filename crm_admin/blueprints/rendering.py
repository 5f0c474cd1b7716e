"""The rules of answers to browsers and to htmx, in one place:
headers, notices, ways on, and what is kept."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from flask import Flask, Response, flash, g, make_response, render_template, request

from crm_admin.blueprints.browser import is_https, settings
from crm_admin.ids import new_id

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}
A_YEAR: Final = "max-age=31536000; includeSubDomains"


def is_htmx() -> bool:
    """Say whether htmx asks. It decides how we answer, never what may be seen."""
    return request.headers.get("HX-Request") == "true"


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a whole page."""
    return make_response(render_template(template, **values), status)


def fragment(template: str, *, status: int = 200, push_url: str = "", **values: Any) -> Response:
    """Return a part of a page that nobody may keep; `push_url` is the page it now stands for."""
    response = make_response(render_template(template, **values), status)
    response.headers["Cache-Control"] = "no-store"
    if push_url:
        response.headers["HX-Push-Url"] = push_url
    return response


def invalid(template: str, **values: Any) -> Response:
    """Return a form with its errors and all that was typed."""
    return page(template, status=422, **values)


def last_poll(template: str, *, is_over: bool, **values: Any) -> Response:
    """Return a polled part; when it is over, the page around it loads anew: it tells of it too."""
    response = fragment(template, **values)
    if is_over:
        response.headers["HX-Refresh"] = "true"
    return response


def unchanged() -> Response:
    """Tell a poll that there is nothing new, so that nothing flickers."""
    return Response(status=204)


def see_other(url: str) -> Response:
    """Send the browser on to another page of ours; htmx is told to go there as a whole."""
    if is_htmx():
        return Response(status=200, headers={"HX-Redirect": url})
    return Response(status=303, headers={"Location": url})


def done(url: str, text: str) -> Response:
    """Say what was done, on the page the browser goes to."""
    flash(text, "success")
    return see_other(url)


def trigger(response: Response, **events: object) -> Response:
    """Add events for the page's script; those that are there already stay."""
    held = response.headers.get("HX-Trigger")
    known: Mapping[str, object] = orjson.loads(held) if held else {}
    # Header lines are ASCII, and JSON may say everything else in escapes.
    text = orjson.dumps({**known, **events}).decode()
    response.headers["HX-Trigger"] = "".join(
        letter if letter.isascii() else _escaped(letter) for letter in text
    )
    return response


def toast(response: Response, text: str, *, level: str = "success", undo_url: str = "") -> Response:
    """Show a notice that repeats what the page shows already."""
    return trigger(response, toast={"level": level, "text": text, "undo_url": undo_url})


def announce(response: Response, text: str) -> Response:
    """Say something to people who do not see the page."""
    return trigger(response, announce={"value": text})


def install(app: Flask) -> None:
    """Give every request an id and every answer its headers."""
    app.before_request(_begin)
    app.after_request(_finish)


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _begin() -> None:
    g.request_id = request_id()


def request_id() -> str:
    """Return the id under which this request stands in the logs."""
    if "request_id" not in g:
        g.request_id = f"req_{new_id().hex[-12:]}"
    found: str = g.request_id
    return found


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if is_https(settings()):
        response.headers["Strict-Transport-Security"] = A_YEAR
    response.headers["X-Request-Id"] = request_id()
    response.vary.add("HX-Request")
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if is_htmx() and response.status_code in {302, 303}:
        return _whole(response)
    if is_htmx() and request.method == "GET" and response.status_code == 200:
        return _tagged(response)
    return response


def _tagged(response: Response) -> Response:
    """A poll names the tag of the answer it shows; when nothing changed since, nothing is swapped,
    so nothing flickers and nobody loses their place."""
    if not request.path.rpartition("/")[2].startswith("_") or response.is_streamed:
        return response
    response.add_etag()
    tag, _ = response.get_etag()
    if tag is not None and request.if_none_match.contains(tag):
        response.set_data(b"")
        response.status_code = 204
    return response


def _whole(response: Response) -> Response:
    """A redirect would put a whole page into a part of one: htmx goes there instead."""
    response.headers["HX-Redirect"] = response.headers.pop("Location")
    response.status_code = 200
    response.set_data(b"")
    return response
