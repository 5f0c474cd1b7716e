"""The first five minutes without JavaScript: connect, check, choose, plan, apply, and ask why."""

import json
from collections.abc import Iterator
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
from flask import Flask

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
        body = json.dumps({"contacts": 12, "companies": 5, "deals": 4, "seed": 1}).encode()
        headers = {"Content-Type": "application/json"}
        urlopen(Request(f"{simulator.url}/_sim/seed", data=body, headers=headers)).close()
        yield simulator.url


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


def test_a_newcomer_connects_plans_applies_and_asks_why(app: Flask, hubspot: str) -> None:
    world = empty_world(app)
    browser = Browser(app, world.person(Role.ADMIN))

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
    assert plan.sentence == "24 changes are ready to apply. Nothing has been written yet."

    browser.send(plan.form(f"/admin/crm/sync/plans/{run_id}/apply"))
    work(app, world, run_id)
    done = browser.follow(f"/admin/crm/sync/runs/{run_id}")
    assert done.sentence == "Done: 21 changes were written."
    assert "in sync as of" in browser.get("/admin/crm").sentence

    contacts = browser.get("/records/contact")
    assert contacts.sentence.startswith("All 12 contacts are in a CRM.")
    contact = browser.get(contacts.soup.select_one("tbody th a")["href"])
    why = contact.soup.find("a", string="Why?")["href"].partition("#")[0]
    reasoning = browser.get(why).soup.select_one(".why").get_text(" ", strip=True)
    assert "It came with the record when that was taken from HubSpot EU." in reasoning
