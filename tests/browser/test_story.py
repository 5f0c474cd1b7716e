"""The product's story as one person lives it, on real parts: app, worker, simulated HubSpot."""

import re

from playwright.sync_api import Page, expect

from tests.browser.demo import Demo
from tests.browser.walker import Walker


def test_a_person_brings_hubspot_into_agreement_and_settles_conflicts(
    demo: Demo, demo_page: Page, violations
) -> None:
    me = Walker(demo_page, violations)

    _sign_in_and_connect(me)
    _plan(me)
    _decide_and_ask_why(me)
    run = _apply(me)
    deal = _open_a_pov(me)
    hubspot = demo_page.context.new_page()
    hubspot.goto(demo.deal(deal))
    _change_both_sides(me, hubspot)
    _settle_a_conflict(me, hubspot)
    _practise_on_a_conflict(me)
    _sync_again_and_change_nothing(me, hubspot, demo)
    _look_at_an_undo(me, run)

    demo_page.get_by_text("Ana Silva").first.click()
    me.press("Sign out")
    me.reads("^Sign in")
    expect(demo_page.get_by_text("You are signed out.")).to_be_visible()


def _sign_in_and_connect(me: Walker) -> None:
    me.page.goto("/")
    me.sees("^Sign in to Demo$")
    me.press("Sign in")
    me.sees("^Welcome, Ana. Nothing is connected yet")
    start = me.page.get_by_role("region", name="Getting started")
    expect(start).to_contain_text("1 of 8 done")
    expect(start.locator("[aria-current=step]")).to_contain_text("Connect a CRM")
    start.get_by_role("link", name="Add a connection").click()
    me.sees("^Which CRM")
    me.follow("Connect HubSpot")
    me.sees("^Connect HubSpot.")
    me.press("Connect with HubSpot (simulator)")
    me.page.get_by_role("button", name="Connect app").click()
    expect(me.page.get_by_text("Signed in to HubSpot demo.")).to_be_visible()
    me.sees("HubSpot demo works. Choose what to sync next.$")
    checks = me.page.locator("#connection-checks")
    expect(checks.get_by_text("All good")).to_be_visible()
    assert checks.get_by_role("listitem").count() == checks.get_by_text("Passed").count() >= 6
    expect(me.page.get_by_text("Observe", exact=False).first).to_be_visible()


def _plan(me: Walker) -> None:
    me.page.get_by_role("link", name="Choose what to sync").first.click()
    me.sees("^Choose what CRM Admin and HubSpot demo share.$")
    boxes = me.page.get_by_role("checkbox")
    assert boxes.count() >= 4
    for box in boxes.all():
        box.check()
    me.press("Save what to sync")
    me.sees("^Check your answers. HubSpot demo only observes: nothing is written until")
    me.press("Plan a sync")
    me.sees("changes are ready to apply. Nothing has been written yet.$")

    assert me.tally("link") >= 40
    assert me.tally("look-alikes") >= 5
    assert me.tally("skipped") >= 2
    questions = me.page.locator("#questions")
    expect(questions.get_by_role("heading", level=2)).to_have_text(re.compile("fields differ"))
    assert questions.get_by_role("heading", level=3).count() >= 10
    created = me.page.get_by_role("region", name="Where they go").get_by_role("row")
    for side in ("HubSpot demo", "CRM Admin"):
        cells = created.filter(has=me.page.get_by_role("rowheader", name=side)).get_by_role("cell")
        assert int(re.sub(r"\D", "", cells.first.inner_text())) > 0, f"creates in {side}"
    skipped = me.page.get_by_role("region", name=re.compile("skipped$")).get_by_role("listitem")
    assert all(re.search(r"\w+.*\.", line) for line in skipped.all_inner_texts())


def _decide_and_ask_why(me: Walker) -> None:
    for field in ("Revenue", "Forecast date"):
        line = me.page.locator("#questions li").filter(
            has=me.page.get_by_role("heading", name=re.compile(f"^{field} of .* POVs$"))
        )
        line.get_by_role("button", name=re.compile("^CRM Admin for")).click()
        expect(line).to_contain_text("Chosen: CRM Admin.")
    me.page.get_by_label("Field", exact=True).select_option(index=1)
    me.reads("Nothing has been written yet.$")
    reasons = me.page.locator("#plan-rows .op-fields td:last-child").all_inner_texts()
    assert reasons
    assert all(len(reason.split()) >= 4 for reason in reasons), reasons


def _apply(me: Walker) -> str:
    """Apply the plan; return the address of its run."""
    me.follow("Clear filters")
    asked = me.page.get_by_label(re.compile(r"^Type [\d\s]+ to apply$"))
    label = me.page.locator("#plan-apply label").inner_text()
    asked.fill(re.sub(r"\D", "", label))
    me.page.get_by_role("button", name=re.compile(r"^Apply .* changes and your choices$")).click()
    me.sees("^(The sync of HubSpot demo waits|Syncing HubSpot demo now)")
    me.sees(r"^Done: .* changes were written")
    run = me.page.url
    me.go("Home")
    me.sees("Everything else is in sync as of")
    return run


def _open_a_pov(me: Walker) -> str:
    """Look at a POV that is in HubSpot; return the id of its deal."""
    me.go("POVs")
    me.sees("POVs are in a CRM.$")
    synced = me.page.get_by_role("row").filter(has_text="Synced")
    synced.first.get_by_role("link").click()
    me.sees(r"^In HubSpot demo and up to date since \d\d:\d\d.$")
    expect(me.page.get_by_role("heading", name="Time line")).to_be_visible()
    me.page.get_by_role("link", name="Why? Revenue", exact=True).click()
    why = me.page.locator(".why")
    expect(why.get_by_role("heading")).to_have_text(re.compile("^Why is Revenue"))
    expect(why).to_contain_text("amount")
    me.page.get_by_role("dialog").get_by_role("button", name="Close").click()
    me.reads("^In HubSpot demo")
    there = me.page.get_by_role("region", name="In the CRMs").inner_text()
    found = re.search(r"Deal (\d+) in HubSpot demo", there)
    assert found is not None, there
    return found[1]


def _change(me: Walker, label: str, value: str) -> None:
    me.follow("Edit fields")
    me.sees("^Edit ")
    me.page.get_by_label(re.compile(f"^{label}")).fill(value)
    me.press("Save changes")
    me.reads("^In HubSpot demo")


def _change_there(hubspot: Page, name: str, value: str) -> None:
    hubspot.reload()
    hubspot.locator(f"#p-{name}").fill(value)
    hubspot.get_by_role("button", name="Save").click()
    expect(hubspot.locator(f"#p-{name}")).to_have_value(value)


def _change_both_sides(me: Walker, hubspot: Page) -> None:
    _change_there(hubspot, "amount", "77123")
    _change(me, "Forecast date", "2027-03-09")
    me.reads("^In HubSpot demo; your change is saved and goes out with the next sync.$")
    me.press("Sync this POV now")
    me.sees(r"^In HubSpot demo and up to date since \d\d:\d\d.$")

    me.both_have("Revenue", r"€\s*77\s123", "77123")
    me.both_have("Forecast date", "9 Mar 2027", "2027-03-09")
    hubspot.reload()
    expect(hubspot.locator("#p-closedate")).to_have_value(re.compile("^2027-03-09"))


def _settle_a_conflict(me: Walker, hubspot: Page) -> None:
    """On the record's own page."""
    _change(me, "Revenue", "88000 EUR")
    _change_there(hubspot, "amount", "99000")
    me.press("Sync this POV now")
    me.sees("^In HubSpot demo; Revenue was changed on both sides and waits for a choice.$")
    conflict = me.page.locator("#conflicts")
    expect(conflict).to_contain_text("88")
    expect(conflict).to_contain_text("99000")
    expect(conflict.get_by_role("button")).to_have_count(2)
    conflict.get_by_role("button", name=re.compile("^Keep HubSpot demo")).click()

    expect(me.page.get_by_text("Kept the value of HubSpot demo for Revenue")).to_be_visible()
    me.reads(r"^In HubSpot demo and up to date since \d\d:\d\d.$")
    me.both_have("Revenue", r"€\s*99\s000", "99000")


def _practise_on_a_conflict(me: Walker) -> None:
    """In the queue, by key, on the one that the demo makes."""
    me.go("Home")
    me.press("Make a conflict")
    me.sees("^Done: nothing was written, and 1 conflict was found.$")
    me.go("Conflicts")
    me.sees("^1 field of .* was changed on both sides.$")
    me.counts("Conflicts", 1)
    record = me.page.locator("#cmp").get_by_role("link")
    address = record.get_attribute("href")
    assert address is not None
    me.page.keyboard.press("2")
    me.reads("^No conflicts.")
    expect(me.page.locator("#toasts")).to_contain_text("Settled 1 field of")

    me.page.goto(address)
    line = me.page.locator("#timeline li").filter(has_text="settled a conflict").first
    expect(line).to_contain_text("Ana Silva settled a conflict on Revenue: kept the value of")
    changed = me.page.locator("#timeline li").filter(has_text="Changed to make a conflict")
    expect(changed.first).to_contain_text("Ana Silva")


def _sync_again_and_change_nothing(me: Walker, hubspot: Page, demo: Demo) -> None:
    me.go("Sync")
    me.reads_anew("^No sync is running.")
    me.sees("^No sync is running.")
    me.press("Sync now")
    me.reads("^Done: ")
    hubspot.goto(f"{demo.hubspot}/_sim/changes")
    last = hubspot.get_by_role("rowheader").first.inner_text()

    me.go("Sync")
    me.press("Sync now")
    me.reads("^Done: nothing had to change.$")

    hubspot.reload()
    expect(hubspot.get_by_role("rowheader").first).to_have_text(last)


def _look_at_an_undo(me: Walker, run: str) -> None:
    me.page.goto(run)
    me.page.get_by_role("link", name="Undo this run").click()
    me.sees("^Would put back .* of .* records.$")
    goes = me.page.get_by_role("region", name="What goes back")
    assert goes.get_by_role("listitem").count() >= 3
    stays = me.page.get_by_role("region", name="What stays, and why")
    assert all(len(why.split()) >= 4 for why in stays.get_by_role("listitem").all_inner_texts())
    expect(me.page.get_by_role("button", name=re.compile("^Plan to put back"))).to_be_visible()
