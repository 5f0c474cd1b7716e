"""Conflicts by keyboard in a real browser: one key settles, the next record follows, `u` takes it
back.
"""

from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from crm_admin.services import sessions
from tests.blueprints.test_conflict_pages import add_alike
from tests.browser.conftest import watched
from tests.demo_rows import World, acting, full_world


def sign_in(app: Flask, world: World) -> str:
    person = world.person(Role.ADMIN)
    with app.app_context():
        return sessions.start(
            user_id=person.user_id,
            organization_id=world.organization,
            address="127.0.0.1",
            agent="tests",
        )


def test_a_queue_is_worked_through_by_keys(
    app: Flask, live_url: str, chromium: Browser, violations
) -> None:
    world = full_world(app)
    add_alike(app, world, 2)
    with acting(app, world):
        db.session.execute(text("DELETE FROM conflict WHERE id = :id"), {"id": world.conflict})
        db.session.commit()
    with watched(chromium, live_url) as page:
        page.context.add_cookies(
            [{"name": "crm_session", "value": sign_in(app, world), "url": live_url}]
        )
        page.goto(f"{live_url}/admin/crm/conflicts")
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_contain_text("Pilot 0")
        assert violations(page) == []

        page.keyboard.press("e")
        expect(page.locator("input[value=typed]").first).to_be_checked()
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("1")
        expect(heading).to_contain_text("Pilot 1")
        page.locator("#toasts").get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Open again. Nothing was written.")).to_be_visible()
        expect(heading).to_contain_text("Pilot 0")
        page.keyboard.press("2")
        expect(heading).to_contain_text("Pilot 1")
        page.keyboard.press("1")
        expect(heading).to_contain_text("No conflicts.")
