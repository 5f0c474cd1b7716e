"""No sign-in leads to a host that is neither the CRM's own nor one of ours."""

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from tests.browsing import Browser
from tests.demo_rows import World, acting, full_world
from tests.services.engine.oauth_desk import CLIENT

NEW = "/admin/crm/settings/new"


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


@pytest.fixture
def browser(app: Flask, world: World) -> Browser:
    return Browser(app, world.person(Role.ADMIN))


def count(app: Flask, world: World, statement: str) -> int:
    with acting(app, world):
        return int(db.session.execute(text(statement)).scalar_one())


@pytest.mark.parametrize("address", ["https://93.184.216.34", "https://api.hubapi.com.test:443"])
def test_a_sign_in_leads_to_no_host_that_is_not_the_crms(
    app: Flask, world: World, browser: Browser, address: str
) -> None:
    before = count(app, world, "SELECT count(*) FROM connection")
    form = browser.get(f"{NEW}?provider=hubspot").form(NEW)

    seen = browser.send(
        form, follow=False, name="Elsewhere", how="sign_in", endpoint=address, **CLIENT
    )

    assert seen.status == 422
    assert count(app, world, "SELECT count(*) FROM connection") == before
    assert count(app, world, "SELECT count(*) FROM oauth_state") == 0


def test_a_kept_connection_to_another_host_is_not_left_for_it(
    app: Flask, world: World, browser: Browser
) -> None:
    page = f"/admin/crm/settings/{world.connection}/credentials"
    application = f"/admin/crm/settings/{world.connection}/application"
    with acting(app, world):
        db.session.execute(
            text("UPDATE connection SET endpoint = 'https://93.184.216.34' WHERE id = :id"),
            {"id": world.connection},
        )
        db.session.commit()
    browser.send(browser.get(page).form(application), **CLIENT)
    shown = browser.get(page)

    seen = browser.send(shown.form("/api/crm/oauth/hubspot/start"), follow=False)

    assert "93.184" not in shown.response.headers["Content-Security-Policy"]
    assert "93.184" not in str(seen.response.location)
    assert count(app, world, "SELECT count(*) FROM oauth_state") == 0


@pytest.mark.parametrize("address", ["https://evil.example", "https://*", "https://93.184.216.34"])
def test_an_address_in_a_link_adds_nothing_to_the_policy(browser: Browser, address: str) -> None:
    seen = browser.get(f"{NEW}?provider=hubspot&endpoint={address}")

    assert address not in seen.response.headers["Content-Security-Policy"]
    assert seen.soup.select_one("input[name=endpoint]")["value"] == "https://api.hubapi.com"  # type: ignore[index]
