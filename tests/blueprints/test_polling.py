"""A poll is answered with what changed, and with nothing when nothing did."""

from flask import Flask

from crm_admin.security.permissions import Role
from tests.browsing import Browser
from tests.demo_rows import empty_world, full_world

HTMX = {"HX-Request": "true"}
RUNNING = "/admin/crm/sync/_active"


def test_a_poll_that_would_bring_the_same_again_brings_nothing(app: Flask) -> None:
    browser = Browser(app, empty_world(app).people[Role.ADMIN])
    shown = browser.client.get(RUNNING, headers=HTMX)

    again = browser.client.get(RUNNING, headers={**HTMX, "If-None-Match": shown.headers["ETag"]})

    assert shown.status_code == 200
    assert again.status_code == 204
    assert again.data == b""


def test_a_poll_brings_what_changed(app: Flask) -> None:
    browser = Browser(app, empty_world(app).people[Role.ADMIN])
    shown = browser.client.get(RUNNING, headers=HTMX)

    again = browser.client.get(RUNNING, headers={**HTMX, "If-None-Match": '"of-another-answer"'})

    assert again.status_code == 200
    assert again.data == shown.data


def test_a_whole_page_is_always_sent_whole(app: Flask) -> None:
    browser = Browser(app, full_world(app).people[Role.ADMIN])

    page = browser.client.get("/admin/crm/sync", headers=HTMX)

    assert "ETag" not in page.headers
