"""Where a form comes from: its token, its site, and what happens when it is out of date."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin import tenancy
from crm_admin.blueprints import access, csrf
from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from tests.demo_rows import World, full_world
from tests.pages import Browser, parsed, text_of

OWN_SITE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


@pytest.fixture
def admin(app: Flask, world: World) -> Browser:
    browser = Browser(app).sign_in(world.person(Role.ADMIN))
    browser.get("/povs")
    return browser


def _stance(app: Flask, world: World) -> str:
    with app.app_context(), tenancy.acting_for(world.organization):
        found = db.session.execute(
            text("SELECT stance FROM connection WHERE id = :id"), {"id": world.connection}
        ).scalar_one()
        db.session.rollback()
    return str(found)


def _pause(browser: Browser, world: World, token: str, headers: dict[str, str]) -> Any:
    return browser.client.post(
        f"/admin/crm/settings/{world.connection}/stance",
        data={"csrf_token": token, "stance": "paused"} if token else {"stance": "paused"},
        headers=headers,
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "null"}, 303),
        ({}, 303),
    ],
    ids=str,
)
def test_a_form_of_another_site_is_refused_although_its_token_fits(
    app: Flask, world: World, admin: Browser, headers: dict[str, str], status: int
) -> None:
    answer = _pause(admin, world, admin.token, headers)

    assert answer.status_code == status
    assert _stance(app, world) == ("paused" if status == 303 else "observe")


@pytest.mark.parametrize("token", ["", "made.up.token", "a", "..", "\0"])
def test_without_a_token_of_ours_nothing_is_changed(
    app: Flask, world: World, admin: Browser, token: str
) -> None:
    answer = _pause(admin, world, token, {})

    assert answer.status_code == 403
    assert _stance(app, world) == "observe"


def test_every_route_that_changes_something_wants_a_token(
    app: Flask, world: World, admin: Browser
) -> None:
    adapter = app.url_map.bind("127.0.0.1")
    answers = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        methods = (rule.methods or set()) - csrf.SAFE
        if not methods or getattr(view, csrf.EXEMPT, False):
            continue
        values = {**dict.fromkeys(rule.arguments, world.own), **(rule.defaults or {})}
        path = adapter.build(rule.endpoint, values)
        for method in methods:
            answer = admin.client.open(path, method=method, headers=OWN_SITE)
            answers[f"{method} {rule.endpoint}"] = answer.status_code

    assert {name: status for name, status in answers.items() if status != 403} == {}
    assert len(answers) > 15


def test_the_token_may_come_in_a_header(app: Flask, world: World, admin: Browser) -> None:
    answer = _pause(admin, world, "", {**OWN_SITE, "X-CSRFToken": admin.token})

    assert answer.status_code == 303


def test_the_token_of_another_browser_is_stale(app: Flask, world: World, admin: Browser) -> None:
    other = Browser(app).sign_in(world.person(Role.OPERATOR))
    other.get("/povs")

    answer = _pause(admin, world, other.token, OWN_SITE)

    assert answer.status_code == 422
    assert _stance(app, world) == "observe"


def test_a_stale_form_comes_back_with_what_was_typed_and_works_then(
    app: Flask, world: World, admin: Browser
) -> None:
    old = admin.token
    admin.sign_in(world.person(Role.ADMIN))

    answer = _pause(admin, world, old, OWN_SITE)
    form = parsed(answer).select_one("main form")
    assert form is not None
    fields = {field["name"]: field["value"] for field in form.select("input")}
    again = admin.client.post(str(form["action"]), data=fields, headers=OWN_SITE)

    assert answer.status_code == 422
    assert fields["stance"] == "paused"
    assert again.status_code == 303
    assert _stance(app, world) == "paused"


def test_secrets_of_a_stale_form_are_not_written_into_a_page(
    app: Flask, world: World, admin: Browser
) -> None:
    form = {"csrf_token": admin.token, "setting-access_token": "pat-canary", "name": "HubSpot"}
    admin.sign_in(world.person(Role.ADMIN))

    answer = admin.client.post("/admin/crm/settings/new", data=form, headers=OWN_SITE)

    assert answer.status_code == 422
    assert "pat-canary" not in answer.text
    assert "fill the form in once more" in text_of(answer)


def test_htmx_loads_the_page_anew_for_a_fresh_token(
    app: Flask, world: World, admin: Browser
) -> None:
    old = admin.token
    admin.sign_in(world.person(Role.ADMIN))

    answer = _pause(admin, world, old, {**OWN_SITE, "HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Refresh"]) == (422, "true")


def test_a_form_sent_after_the_session_ended_leads_to_the_sign_in(
    app: Flask, world: World, admin: Browser
) -> None:
    with app.app_context():
        db.session.execute(text("DELETE FROM session"))
        db.session.commit()

    answer = _pause(admin, world, admin.token, OWN_SITE)

    assert answer.headers["Location"].startswith("/sign-in")
    assert _stance(app, world) == "observe"


def test_only_marked_views_do_without_a_token(app: Flask) -> None:
    exempt = {
        endpoint
        for endpoint, view in app.view_functions.items()
        if getattr(view, csrf.EXEMPT, False)
    }

    assert all(endpoint in access.PUBLIC or endpoint.startswith("api.") for endpoint in exempt)
