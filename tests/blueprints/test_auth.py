"""Signing in and out, as a browser sees it."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from flask import Flask

from crm_admin.blueprints.browser import cookie_name
from crm_admin.config import Config
from crm_admin.extensions import db
from crm_admin.models import Membership
from crm_admin.security.permissions import Role
from crm_admin.services import sessions
from crm_admin.services.access import Person
from tests import factories
from tests.factories import PASSWORD
from tests.pages import Browser, parsed, text_of


@pytest.fixture
def ana(app: Flask) -> Person:
    with app.app_context():
        return factories.person(
            Role.ADMIN, factories.organization(), name="Ana Silva", email="ana@nordlicht.test"
        )


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


def _send(browser: Browser, password: str = PASSWORD, **more: str) -> tuple[int, str, str]:
    form = {"email": "ana@nordlicht.test", "password": password, **more}
    answer = browser.post("/sign-in", form)
    return answer.status_code, answer.headers.get("Location", ""), text_of(answer)


def _cookie(browser: Browser) -> str:
    found = browser.client.get_cookie(cookie_name(browser.app.config["CRM"]))
    return found.value if found else ""


def test_the_sign_in_page_names_the_only_organisation(browser: Browser, ana: Person) -> None:
    page = browser.get("/sign-in")

    assert page.status_code == 200
    assert "Sign in to Nordlicht" in text_of(page)
    assert parsed(page).select_one("#email")["autocomplete"] == "username"
    assert parsed(page).select_one("#password")["autocomplete"] == "current-password"


def test_the_right_password_leads_to_the_page_that_was_asked_for(
    browser: Browser, ana: Person
) -> None:
    asked = browser.get("/admin/crm/settings")

    status, location, _ = _send(browser, next="/admin/crm/settings")

    assert asked.headers["Location"] == "/sign-in?next=/admin/crm/settings"
    assert (status, location) == (303, "/admin/crm/settings")
    assert browser.get(location).status_code == 200


@pytest.mark.parametrize(
    "address", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", ""]
)
def test_nobody_is_sent_to_another_site_afterwards(
    browser: Browser, ana: Person, address: str
) -> None:
    assert _send(browser, next=address)[:2] == (303, "/")


def test_wrong_password_and_unknown_address_read_the_same(browser: Browser, ana: Person) -> None:
    wrong = _send(browser, "not my password")
    unknown = _send(browser, email="nobody@nordlicht.test")

    assert wrong[0] == unknown[0] == 422
    assert wrong[2] == unknown[2]
    assert "do not match" in wrong[2]


def test_the_typed_address_stays_and_the_password_does_not(browser: Browser, ana: Person) -> None:
    browser.get("/sign-in")

    answer = browser.post("/sign-in", {"email": "ana@nordlicht.test", "password": "wrong one!"})

    page = parsed(answer)
    assert page.title.string.startswith("Error:")
    assert page.select_one("#email")["value"] == "ana@nordlicht.test"
    assert "wrong one!" not in answer.text


@pytest.mark.parametrize("missing", ["email", "password"])
def test_an_empty_field_is_marked(browser: Browser, ana: Person, missing: str) -> None:
    form = {"email": "ana@nordlicht.test", "password": PASSWORD, missing: ""}

    answer = browser.post("/sign-in", form)

    assert answer.status_code == 422
    assert parsed(answer).select_one(f"#{missing}")["aria-invalid"] == "true"


def test_too_many_tries_are_told_how_long_to_wait(browser: Browser, ana: Person) -> None:
    for _ in range(8):
        _send(browser, "a wrong guess")

    answer = browser.post("/sign-in", {"email": "ana@nordlicht.test", "password": PASSWORD})

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many tries. Wait" in text_of(answer)


def test_signing_in_gives_the_browser_a_new_id(browser: Browser, ana: Person) -> None:
    browser.get("/sign-in")
    before = _cookie(browser)

    _send(browser)

    assert before
    assert _cookie(browser) not in {"", before}


def test_the_cookie_stays_out_of_scripts_and_other_sites(browser: Browser, ana: Person) -> None:
    header = browser.get("/sign-in").headers["Set-Cookie"]

    assert {part.strip() for part in header.split(";")[1:]} == {
        "HttpOnly",
        "Path=/",
        "SameSite=Lax",
    }


def test_behind_https_the_cookie_is_bound_to_the_host(app: Flask, settings: Config) -> None:
    app.config["CRM"] = replace(settings, public_url="https://crm.nordlicht.test")

    answer = app.test_client().get("/sign-in")

    app.config["CRM"] = settings
    header = answer.headers["Set-Cookie"]
    assert header.startswith("__Host-crm_session=")
    assert "Secure" in header
    assert "Domain" not in header
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_signing_out_ends_the_session_for_a_kept_cookie_too(browser: Browser, ana: Person) -> None:
    _send(browser)
    kept = _cookie(browser)
    browser.get("/")
    browser.token = ""

    answer = browser.post("/sign-out")

    browser.client.set_cookie("crm_session", kept)
    assert answer.headers["Location"] == "/sign-in?out=1"
    assert browser.get("/admin/crm").headers["Location"].startswith("/sign-in")


def test_somebody_signed_in_does_not_see_the_form(browser: Browser, ana: Person) -> None:
    browser.sign_in(ana)

    assert browser.get("/sign-in?next=/povs").headers["Location"] == "/povs"


def test_a_stale_sign_in_proves_itself_before_credentials(
    clock: time_machine.Traveller, browser: Browser, ana: Person
) -> None:
    browser.sign_in(ana)
    for _ in range(3):
        clock.shift(timedelta(minutes=21))
        browser.get("/povs")

    asked = browser.get("/admin/crm/settings/new")
    page = browser.get(asked.headers["Location"])
    proved = browser.post(
        "/sign-in/again", {"password": PASSWORD, "next": "/admin/crm/settings/new"}
    )

    assert asked.headers["Location"] == "/sign-in/again?next=/admin/crm/settings/new"
    assert "Enter your password once more" in text_of(page)
    assert proved.headers["Location"] == "/admin/crm/settings/new"
    assert browser.get("/admin/crm/settings/new").status_code == 200


def test_proving_with_a_wrong_password_leads_nowhere(browser: Browser, ana: Person) -> None:
    browser.sign_in(ana)

    answer = browser.post("/sign-in/again", {"password": "not mine", "next": "/povs"})

    assert answer.status_code == 422
    assert "not your password" in text_of(answer)


def test_a_poll_does_not_keep_a_session_alive(
    clock: time_machine.Traveller, browser: Browser, ana: Person
) -> None:
    browser.sign_in(ana)
    answers = []
    for _ in range(4):
        clock.shift(timedelta(minutes=10))
        answers.append(browser.get("/admin/crm/_running", htmx=True).status_code)

    assert answers == [200, 200, 204, 204]


def test_a_person_of_two_organisations_chooses(app: Flask, browser: Browser, ana: Person) -> None:
    with app.app_context():
        other = factories.organization("Südwind")
        _join(ana, other)

    location = _send(browser, next="/povs")[1]
    page = browser.get(location)
    chosen = browser.post(f"/organizations/{other}", {"next": "/povs"})

    assert location == "/organizations?next=/povs"
    assert "Work in Südwind as viewer" in text_of(page)
    assert chosen.headers["Location"] == "/povs"
    with app.app_context():
        found = sessions.find(_cookie(browser))
    assert found is not None
    assert (found.person.organization_id, found.person.role) == (other, Role.VIEWER)


def _join(person: Person, organization_id: UUID) -> None:

    db.session.add(
        Membership(organization_id=organization_id, user_id=person.user_id, role="viewer")
    )
    db.session.commit()


def test_a_foreign_organisation_cannot_be_chosen(app: Flask, browser: Browser, ana: Person) -> None:
    with app.app_context():
        foreign = factories.organization("Südwind")
    browser.sign_in(ana)

    assert browser.post(f"/organizations/{foreign}").status_code == 404


def test_signing_out_everywhere_ends_the_other_browsers(app: Flask, ana: Person) -> None:
    here, there = Browser(app).sign_in(ana), Browser(app).sign_in(ana)

    here.post("/sign-out/everywhere", {"next": "/povs"})

    assert here.get("/povs").status_code == 200
    assert there.get("/povs").headers["Location"].startswith("/sign-in")


def test_demo_people_are_offered_on_a_loopback_demo_only(app: Flask, settings: Config) -> None:
    demo = replace(settings, demo=True, demo_password="seven green boats")

    app.config["CRM"] = demo
    shown = app.test_client().get("/sign-in?as=viewer@demo.test")
    app.config["CRM"] = replace(demo, public_url="https://crm.nordlicht.test")
    public = app.test_client().get("/sign-in")
    app.config["CRM"] = settings
    plain = app.test_client().get("/sign-in")

    assert parsed(shown).select_one("#email")["value"] == "viewer@demo.test"
    assert parsed(shown).select_one("#password")["value"] == "seven green boats"
    assert "demo.test" not in public.text + plain.text
