"""A connection in a real browser: one press signs in at the simulated HubSpot, and every tab is
usable by everyone.
"""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched
from tests.browser.demo import Demo
from tests.browser.walker import Walker


def test_a_person_signs_in_by_one_press_and_walks_all_tabs(
    chromium: Browser, demo: Demo, violations
) -> None:
    with watched(chromium, demo.url) as page:
        me = Walker(page, violations)
        _connect(me)
        _check_answers(me)
        for tab, sentence in (
            ("Credentials", "is signed in, and the sign-in renews itself.$"),
            ("Objects and filters", "^Choose what CRM Admin and HubSpot demo share.$"),
            ("Auto-sync", "does not sync by itself: it is not active.$"),
            ("Limits", "becomes a plan and waits for a person.$"),
            ("Danger", "^Nothing here deletes a record"),
        ):
            me.follow(tab)
            me.sees(sentence)
        _count_while_typing(me)
        _hear_of_a_mistake_at_once(me)


def _connect(me: Walker) -> None:
    me.sign_in()
    me.go("Connections")
    me.page.get_by_role("link", name="Add a connection").first.click()
    me.follow("Connect HubSpot")
    me.sees("^Connect HubSpot.")
    me.press("Connect with HubSpot (simulator)")
    me.page.get_by_role("button", name="Connect app").click()
    expect(me.page.get_by_text("Signed in to HubSpot demo.")).to_be_visible()
    me.sees("HubSpot demo works. Choose what to sync next.$")


def _check_answers(me: Walker) -> None:
    me.page.get_by_role("link", name="Choose what to sync").first.click()
    me.press("Save what to sync")
    me.sees("^Check your answers.")
    me.press("Finish without a plan")
    me.sees("only observes: nothing is written until a plan is approved.$")


def _count_while_typing(me: Walker) -> None:
    me.follow("Objects and filters")
    me.page.get_by_role("link", name=re.compile("^all records of Contacts")).click()
    me.sees("^Contacts of HubSpot demo become")
    me.page.get_by_label("Field").first.select_option("email")
    me.page.get_by_label("Compare").first.select_option("HAS")
    expect(me.page.locator("#filter-count")).to_have_text(
        re.compile(r"^Would include [\d\s]+ of [\d\s]+ records; asked at \d\d:\d\d\.$")
    )


def _hear_of_a_mistake_at_once(me: Walker) -> None:
    me.follow("Limits")
    field: Page = me.page
    field.locator("#f-deletes_percent").fill("many")
    field.locator("#f-deletes_most").focus()
    expect(field.locator("#f-deletes_percent-e")).to_have_text(
        "Enter a whole number from 0 to 100."
    )
    expect(field.locator("#f-deletes_percent")).to_have_attribute("aria-invalid", "true")
