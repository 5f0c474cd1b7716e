"""Every page there is, over rows full of hostile text: usable by everyone, and nothing runs."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from crm_admin.blueprints.browser import cookie_name
from crm_admin.security.permissions import Role
from crm_admin.services import sessions
from tests.blueprints.test_access import _routes
from tests.browser.conftest import watched
from tests.demo_rows import World, full_world

NARROW = {"width": 320, "height": 720}
WIDE = {"width": 1280, "height": 900}


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


@pytest.fixture
def reader(chromium: Browser, app: Flask, live_url: str, world: World) -> Iterator[Page]:
    """An admin's page on those rows."""
    person = world.person(Role.ADMIN)
    with app.app_context():
        token = sessions.start(
            user_id=person.user_id,
            organization_id=person.organization_id,
            address="127.0.0.1",
            agent="tests",
        )
    cookie = {"name": cookie_name(app.config["CRM"]), "value": token, "url": live_url}
    with watched(chromium, live_url) as page:
        page.context.add_cookies([cookie])  # type: ignore[list-item]
        yield page


def pages(app: Flask, world: World, reader: Page) -> list[str]:
    """The addresses that answer with a whole page."""
    found: list[str] = []
    for route in _routes(app, world):
        if route.method != "GET" or route.path.rpartition("/")[2].startswith("_"):
            continue
        answer = reader.request.get(route.path, max_redirects=0)
        if answer.status == 200 and "text/html" in answer.headers.get("content-type", ""):
            found.append(route.path)
    return found


def too_wide(page: Page) -> str:
    """What sticks out of a narrow screen; empty when nothing does."""
    return str(
        page.evaluate(
            "() => { const wide = document.documentElement.clientWidth;"
            " if (document.documentElement.scrollWidth <= wide) return '';"
            " const all = [...document.querySelectorAll('main *')];"
            " const out = all.filter(one => one.getBoundingClientRect().right > wide + 1);"
            " return out.slice(0, 3).map(one => one.tagName + '.' + one.className).join(', ')"
            " || 'the page' }"
        )
    )


def test_every_page_is_usable_by_everyone_and_runs_nothing_it_was_given(
    app: Flask, world: World, reader: Page, violations: Callable[[Page], list[str]]
) -> None:
    addresses = pages(app, world, reader)
    dialogs: list[str] = []
    asked: list[str] = []
    reader.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    reader.on("request", lambda request: asked.append(urlsplit(request.url).netloc))
    wrong: dict[str, object] = {}

    for address in addresses:
        reader.set_viewport_size(WIDE)  # type: ignore[arg-type]
        reader.goto(address)
        found = violations(reader)
        reader.set_viewport_size(NARROW)  # type: ignore[arg-type]
        if found or (out := too_wide(reader)):
            wrong[address] = found or f"too wide at 320 px: {out}"

    assert wrong == {}
    assert dialogs == []
    assert len(set(asked)) == 1
    assert len(addresses) > 20
