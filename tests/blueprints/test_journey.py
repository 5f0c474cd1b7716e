"""The first five minutes without JavaScript: connect, check, choose, plan, apply, ask why, settle a
conflict, and see what an undo would put back.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from crm_admin.services import connections, sync_runs
from crm_admin.simulators.server import start_in_thread
from tests.browsing import Browser
from tests.demo_rows import World, acting, empty_world

NEW = "/admin/crm/settings/new"
MOST_STEPS = 20


@pytest.fixture
def hubspot() -> Iterator[str]:
    with start_in_thread() as simulator:
        ask(simulator.url, "/_sim/seed", {"contacts": 12, "companies": 5, "deals": 4, "seed": 1})
        ask(simulator.url, "/_sim/config", {"index_lag": 0})
        yield simulator.url


def ask(hubspot: str, path: str, body: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json"}
    urlopen(Request(f"{hubspot}{path}", data=json.dumps(body).encode(), headers=headers)).close()


def last_id(path: str) -> UUID:
    return UUID(path.rpartition("/")[2])


def connect(browser: Browser, address: str) -> str:
    form = browser.get(f"{NEW}?provider=hubspot").form(NEW)
    token = {"setting-access_token": "pat-na1-demo-0000"}
    seen = browser.send(form, name="HubSpot EU", environment="simulator", endpoint=address, **token)
    return seen.response.request.path


def work(app: Flask, world: World, run_id: UUID) -> None:
    """What a worker does with the run until it is over or waits for a person."""
    with acting(app, world):
        for _ in range(MOST_STEPS):
            sync_runs.work(world.organization, run_id)


def apply_first_plan(app: Flask, world: World, browser: Browser, hubspot: str) -> tuple[str, str]:
    """Go from the connection's form to the applied plan; return what plan and run say."""
    settings = connect(browser, hubspot)
    with acting(app, world):
        connections.check(world.organization, last_id(settings))
    assert browser.get(settings).sentence == "HubSpot EU works. Choose what to sync next."
    objects = browser.get(f"{settings}/objects")
    detail = browser.send(objects.form(f"{settings}/objects"))
    assert "only observes" in detail.sentence
    started = browser.send(detail.form("/admin/crm/sync"))
    run_id = last_id(started.response.request.path)
    work(app, world, run_id)
    plan = browser.follow(f"/admin/crm/sync/runs/{run_id}")

    browser.send(plan.form(f"/admin/crm/sync/plans/{run_id}/apply"))
    work(app, world, run_id)
    done = browser.follow(f"/admin/crm/sync/runs/{run_id}")
    return plan.sentence, done.sentence


def test_a_newcomer_connects_plans_applies_and_asks_why(app: Flask, hubspot: str) -> None:
    world = empty_world(app)
    browser = Browser(app, world.person(Role.ADMIN))

    planned, done = apply_first_plan(app, world, browser, hubspot)

    assert planned == "24 changes are ready to apply. Nothing has been written yet."
    assert done == "Done: 21 changes were written."
    assert "in sync as of" in browser.get("/admin/crm").sentence
    contacts = browser.get("/records/contact")
    assert contacts.sentence.startswith("All 12 contacts are in a CRM.")
    contact = browser.get(contacts.soup.select_one("tbody th a")["href"])
    why = contact.soup.find("a", string="Why?")["href"].partition("#")[0]
    reasoning = browser.get(why).soup.select_one(".why").get_text(" ", strip=True)
    assert "It came with the record when that was taken from HubSpot EU." in reasoning


def test_a_newcomer_settles_a_conflict_and_sees_what_an_undo_would_do(
    app: Flask, hubspot: str
) -> None:
    world = empty_world(app)
    with acting(app, world):
        db.session.execute(text("UPDATE organization SET demo = true"))
        db.session.commit()
    deal = {"dealname": "Pilot", "amount": "1000", "pipeline": "pov", "dealstage": "won"}
    ask(hubspot, "/_sim/edit", {"object": "deals", "id": None, "properties": deal})
    browser = Browser(app, world.person(Role.ADMIN))
    apply_first_plan(app, world, browser, hubspot)
    history = browser.get("/admin/crm/sync/history")
    first = history.soup.select_one("main a[href*='/sync/runs/']")["href"]

    made = browser.send(browser.get("/admin/crm").form("/admin/crm/demo-conflict"))
    run_id = last_id(made.response.request.path)
    assert "Changed the revenue of Pilot on both sides." in made.text
    work(app, world, run_id)
    found = browser.get(f"/admin/crm/sync/runs/{run_id}")
    assert found.sentence == "Done: nothing was written, and 1 conflict was found."

    conflict = browser.get("/admin/crm/conflicts")
    assert conflict.sentence == "1 field of Pilot was changed on both sides."
    assert "Last agreed: € 1 000" in conflict.text
    form = conflict.soup.select_one("#conflict-form")
    settled = browser.send(form, whole="theirs")
    assert settled.sentence == "No conflicts."
    pov = conflict.soup.select_one("#cmp a")["href"]
    past = browser.get(pov).soup.select_one("#timeline").get_text(" ", strip=True)
    assert "Person admin settled a conflict on Revenue: kept the value of HubSpot EU" in past
    assert "Changed to make a conflict to practise on." in past

    preview = browser.get(f"{first}/undo")
    assert preview.sentence == "Would put back 21 of 22 records."
    goes = preview.soup.select_one("[aria-labelledby=goes]").get_text(" ", strip=True)
    assert "21 records made in CRM Admin are removed" in goes
    assert preview.has_form(f"{first}/undo")
