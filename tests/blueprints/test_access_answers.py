"""Headers of every answer, and error pages that say enough and no more."""

import logging
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, abort
from sqlalchemy.exc import OperationalError

from crm_admin.blueprints import access, rendering
from crm_admin.errors import (
    BadInput,
    NotAllowed,
    NotFound,
    ProviderBroken,
    RetryLater,
    Stale,
    Unavailable,
)
from crm_admin.security.permissions import Permission, Role
from tests import factories
from tests.pages import Browser, parsed, text_of

LEAKS = re.compile(
    r"Traceback|site-packages|/crm_admin/|\.py\b|SELECT |psycopg|sqlalchemy|Werkzeug", re.I
)
SECRET = "canary-8d1f in SELECT secret FROM vault"


@pytest.fixture
def browser(app: Flask) -> Browser:
    with app.app_context():
        person = factories.person(Role.ADMIN, factories.organization())
    return Browser(app).sign_in(person)


@pytest.fixture
def broken(app: Flask, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[Exception], None]]:
    """Make Home fail with an error, answered as in production."""
    caplog.set_level(logging.CRITICAL)
    view, app.testing = app.view_functions["overview.home"], False

    def fail_with(error: Exception) -> None:
        def failing() -> str:
            raise error

        app.view_functions["overview.home"] = access.requires(Permission.RECORD_READ)(failing)

    yield fail_with
    app.view_functions["overview.home"] = view
    app.testing = True


ERRORS = [
    (BadInput("name", "Enter a name."), 422),
    (NotFound("This run is not there."), 404),
    (NotAllowed(Permission.PLAN_APPROVE), 403),
    (Stale("Someone saved this before you."), 409),
    (RetryLater(40, "HubSpot asks to wait."), 429),
    (Unavailable("The queue does not answer."), 503),
    (ProviderBroken(SECRET), 500),
    (ZeroDivisionError(SECRET), 500),
    (OperationalError(SECRET, {}, Exception(SECRET)), 503),
]


@pytest.mark.parametrize(("error", "status"), ERRORS, ids=lambda value: type(value).__name__)
def test_an_error_is_a_page_with_the_request_and_no_insides(
    browser: Browser, broken: Callable[[Exception], None], error: Exception, status: int
) -> None:
    broken(error)

    answer = browser.get("/admin/crm")

    page = parsed(answer)
    assert answer.status_code == status
    assert len(page.select("h1")) == 1
    assert page.title is not None
    assert str(page.title.string).startswith("Error:")
    assert answer.headers["X-Request-Id"] in text_of(answer)
    assert not LEAKS.search(page.get_text())
    assert "canary" not in answer.text


@pytest.mark.parametrize(("error", "status"), ERRORS, ids=lambda value: type(value).__name__)
def test_htmx_gets_the_error_as_a_part_of_its_page(
    browser: Browser, broken: Callable[[Exception], None], error: Exception, status: int
) -> None:
    broken(error)

    answer = browser.get("/admin/crm", htmx=True)

    assert answer.status_code == status
    assert parsed(answer).html is None
    assert parsed(answer).select_one("#trouble") is not None
    assert "canary" not in answer.text


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 415, 418, 422, 429, 500, 503])
def test_every_status_has_words(
    app: Flask, browser: Browser, broken: Callable[[Exception], None], status: int
) -> None:
    broken(_abort(status))

    answer = browser.get("/admin/crm")

    assert answer.status_code == status
    assert len(parsed(answer).select("h1")) == 1


def _abort(status: int) -> Exception:
    try:
        abort(status)
    except Exception as error:  # noqa: BLE001 -- whatever abort makes is what is wanted
        return error
    raise RuntimeError(status)


def test_a_wait_is_said_to_programs_too(
    browser: Browser, broken: Callable[[Exception], None]
) -> None:
    broken(RetryLater(40, "HubSpot asks to wait."))

    assert browser.get("/admin/crm").headers["Retry-After"] == "40"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing/here", 404), ("DELETE", "/povs", 405), ("GET", "/povs/not-an-id", 404)],
)
def test_addresses_that_do_not_exist(browser: Browser, method: str, path: str, status: int) -> None:
    answer = browser.client.open(path, method=method)

    assert answer.status_code == status
    assert not LEAKS.search(text_of(answer))


def test_a_form_larger_than_allowed_is_too_large(browser: Browser) -> None:
    answer = browser.post("/sign-in", {"email": "a" * (3 * 1024 * 1024)})

    assert answer.status_code == 413


def test_a_visitor_cannot_send_a_large_file(app: Flask) -> None:
    start = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'

    answer = app.test_client().post(
        "/sign-in",
        data=start + b"a" * (3 * 1024 * 1024) + b"\r\n--edge--\r\n",
        content_type="multipart/form-data; boundary=edge",
    )

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/sign-in", "/povs", "/nothing", "/healthz", "/admin/crm", "/assets/x/app.css"]
)
def test_every_answer_has_its_headers(browser: Browser, path: str) -> None:
    answer = browser.get(path)

    for name, value in rendering.HEADERS.items():
        assert answer.headers[name] == value
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    assert "HX-Request" in answer.headers["Vary"]
    assert answer.headers["X-Request-Id"].startswith("req_")


@pytest.mark.parametrize("path", ["/povs", "/admin/crm/_running", "/nothing", "/sign-in"])
def test_nobody_may_keep_a_page(browser: Browser, path: str) -> None:
    assert browser.get(path).headers["Cache-Control"] == "no-store"


def test_htmx_goes_to_a_page_as_a_whole_instead_of_being_redirected(browser: Browser) -> None:
    answer = browser.get("/", htmx=True)

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/admin/crm")
    assert "Location" not in answer.headers


def test_notices_for_the_script_are_plain_ascii(app: Flask) -> None:
    with app.test_request_context():
        response = rendering.toast(app.response_class(), "Gespeichert: Müller 🚤", undo_url="/undo")
        rendering.announce(response, "Done")

    header = response.headers["HX-Trigger"]
    assert header.isascii()
    assert '"announce"' in header
    assert "M\\u00fcller \\ud83d\\udea4" in header
