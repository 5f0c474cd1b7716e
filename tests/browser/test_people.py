"""The demo without a script, with a keyboard alone, and in a role that may do little."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched
from tests.browser.demo import Demo
from tests.browser.walker import Walker


def reload_until(page: Page, sentence: str) -> None:
    """Load the page anew as a person without JavaScript does, until its first sentence says so."""
    heading = page.get_by_role("heading", level=1)
    for _ in range(200):
        if re.search(sentence, heading.inner_text()):
            return
        page.wait_for_timeout(150)
        page.reload()
    pytest.fail(f"The page still says: {heading.inner_text()}")


def test_a_plan_is_made_and_applied_without_javascript(chromium: Browser, demo: Demo) -> None:
    with watched(chromium, demo.url, java_script_enabled=False) as page:
        me = Walker(page, lambda _: [])
        me.sign_in()
        me.connect()
        reload_until(page, "works. Choose what to sync next.")
        page.get_by_role("link", name="Choose what to sync").first.click()
        for box in page.get_by_role("checkbox").all():
            box.set_checked(box.get_attribute("id") == "enabled-companies-company")
        me.press("Save what to sync")
        me.press("Plan a sync")
        reload_until(page, "changes are ready to apply. Nothing has been written yet.")
        asked = page.locator("#plan-apply label").inner_text()
        page.locator("#typed").fill(re.sub(r"\D", "", asked))
        page.get_by_role("button", name=re.compile(r"^Apply .* changes$")).click()
        reload_until(page, "^Done: ")
        me.go("Home")

        me.reads("Everything")


def test_an_owner_sees_their_own_povs_and_no_action_of_others(
    chromium: Browser, demo: Demo, demo_page: Page, violations
) -> None:
    me = Walker(demo_page, violations)
    with watched(chromium, demo.url) as other:
        admin = Walker(other, violations)
        admin.sign_in()
        admin.go("POVs")
        admin.reads("POVs")
        other.goto("/povs?cols=owner")
        rows = other.locator("tbody").get_by_role("row").filter(has_not_text="Priya Raman")
        foreign = rows.first.get_by_role("link").get_attribute("href")

    me.sign_in("owner@demo.test")

    me.sees("your .*POVs|No connection syncs them yet")
    expect(demo_page.get_by_text("You see the POVs you own")).to_be_visible()
    demo_page.goto("/povs?cols=owner")
    assert demo_page.locator("tbody").get_by_role("row").count() == 12
    owners = demo_page.locator('tbody td[data-label="Owner"]').all_inner_texts()
    assert set(owners) == {"Priya Raman"}
    side = demo_page.get_by_role("navigation", name="Main")
    assert side.get_by_role("link").all_inner_texts() == ["POVs", "Needs you", "Conflicts"]
    demo_page.locator("tbody").get_by_role("link").first.click()
    me.sees(".")
    main = demo_page.get_by_role("main")
    assert main.get_by_role("link", name=re.compile("^(Plan|Undo|Add|Settings)")).count() == 0
    assert foreign is not None
    for closed in (
        foreign,
        f"{foreign}/edit",
        "/admin/crm",
        "/admin/crm/sync",
        "/admin/crm/settings",
        "/records/contact",
    ):
        answer = demo_page.goto(closed)
        assert answer is not None
        assert answer.status in {403, 404}, closed


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText.trim()"))


def test_everything_is_reached_with_the_keyboard(demo: Demo, demo_page: Page, violations) -> None:
    me = Walker(demo_page, violations)
    me.sign_in()
    me.reads("^Welcome")
    keyboard = demo_page.keyboard

    keyboard.press("Tab")
    assert focused(demo_page) == "Skip to content"
    keyboard.press("Enter")
    assert demo_page.evaluate("document.activeElement.id") == "main"
    keyboard.press("Tab")
    assert demo_page.evaluate("document.activeElement.closest('main') !== null")

    keyboard.press("?")
    dialog = demo_page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    assert demo_page.evaluate("document.activeElement.closest('dialog') !== null")
    before = focused(demo_page)
    keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert before != focused(demo_page)
    assert demo_page.evaluate("document.activeElement.closest('main') !== null")

    keyboard.press("g")
    keyboard.press("c")
    me.reads("^No CRM is connected yet.")


def test_the_account_menu_closes_with_escape_and_keeps_the_focus(
    demo: Demo, demo_page: Page, violations
) -> None:
    me = Walker(demo_page, violations)
    me.sign_in()
    me.reads("^Welcome")
    menu = demo_page.locator("details.menu")
    menu.locator("summary").focus()

    demo_page.keyboard.press("Enter")
    expect(menu.get_by_role("button", name="Sign out")).to_be_visible()
    demo_page.keyboard.press("Tab")
    demo_page.keyboard.press("Escape")

    expect(menu.get_by_role("button", name="Sign out")).to_be_hidden()
    assert demo_page.evaluate("document.activeElement.tagName") == "SUMMARY"
