"""The page of a run: progress without controls in it, its tabs, its fixes, and who may do what."""

import csv
import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from tests.browsing import Browser, Seen
from tests.demo_rows import HOSTILE, World, acting, ago, full_world, insert


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def admin(app: Flask, world: World) -> Browser:
    return Browser(app, world.person(Role.ADMIN))


def run_url(world: World, more: str = "") -> str:
    return f"/admin/crm/sync/runs/{world.partial}{more}"


def live_url(world: World, more: str = "") -> str:
    return f"/admin/crm/sync/runs/{world.running}{more}"


def change(app: Flask, world: World, statement: str, **bound: object) -> None:
    with acting(app, world):
        db.session.execute(text(statement), bound)
        db.session.commit()


def value(app: Flask, world: World, statement: str, **bound: object) -> Any:
    with acting(app, world):
        return db.session.execute(text(statement), bound).scalar_one_or_none()


def card(app: Flask, world: World) -> Seen:
    return admin(app, world).get(live_url(world, "/_card"), htmx=True)


def test_progress_is_said_in_numbers_pace_and_what_is_left(app: Flask, world: World) -> None:
    change(
        app,
        world,
        'UPDATE sync_run SET counts = \'{"read": 450, "failed": 30, "skipped": 20}\','
        " started_at = now() - interval '150 seconds' WHERE id = :id",
        id=world.running,
    )

    seen = card(app, world)

    assert "450 of 1 000 · 400 ok, 30 failed, 20 skipped" in seen.text
    assert "records a second" in seen.text
    assert "about 3 min left" in seen.text
    bar = seen.soup.select_one("progress")
    assert (bar["max"], bar["value"]) == ("1000", "450")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            "state = 'waiting', wake_at = now() + interval '40 s', reason = 'HubSpot''s limit.'",
            "HubSpot's limit.",
        ),
        ("state = 'queued'", "Waiting for a worker to take it."),
        (
            "attempt = 2, reason = 'Attempt 2: the worker before stopped answering.'",
            "Attempt 2: the worker before stopped answering.",
        ),
        ("state = 'waiting', wake_at = NULL, pause_by = 'Ana'", "Paused by Ana."),
        ("pause_by = 'Ana'", "It pauses after this batch."),
    ],
)
def test_a_wait_is_said_aloud(app: Flask, world: World, columns: str, words: str) -> None:
    change(app, world, f"UPDATE sync_run SET {columns} WHERE id = :id", id=world.running)

    seen = card(app, world)

    assert words in seen.text


def test_the_polled_part_never_holds_a_control(app: Flask, world: World) -> None:
    part = card(app, world).soup
    active = admin(app, world).get("/admin/crm/sync/_active", htmx=True).soup
    queue = admin(app, world).get("/admin/crm/sync/_queue", htmx=True).soup

    assert part.select_one("[hx-trigger]")
    assert not [
        soup for soup in (part, active, queue) if soup.select("button, input, select, form")
    ]


def test_pausing_and_resuming_from_the_page(app: Flask, world: World) -> None:
    browser = admin(app, world)

    asked = browser.send(browser.get(live_url(world)).form(live_url(world, "/pause")))
    resumed = browser.send(asked.form(live_url(world, "/resume")))

    assert "pausing after this batch" in asked.text
    assert not asked.has_form(live_url(world, "/pause"))
    assert resumed.has_form(live_url(world, "/pause"))
    assert value(app, world, "SELECT pause_by FROM sync_run WHERE id = :i", i=world.running) is None


def test_a_run_that_is_over_is_not_paused(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get(live_url(world)).form(live_url(world, "/pause"))

    seen = browser.send(form, to=run_url(world, "/pause"))

    assert seen.status == 409
    assert "not going on any more" in seen.text


@pytest.mark.parametrize(("asked", "shown"), [("alert", 2), ("nothing", 0), ("own", 1)])
def test_records_are_found_by_name_and_id(app: Flask, world: World, asked: str, shown: int) -> None:
    wanted = world.own.hex[-8:] if asked == "own" else asked

    seen = admin(app, world).get(run_url(world, f"?tab=records&q={wanted}"))

    assert len(seen.soup.select("#run-records tbody th[scope=row]")) == shown


def test_records_made_here_are_named_although_they_have_no_operation(
    app: Flask, world: World
) -> None:
    change(
        app,
        world,
        "UPDATE sync_run SET counts = counts || '{\"ours_created\": 1}' WHERE id = :id",
        id=world.partial,
    )
    change(
        app,
        world,
        "UPDATE record SET created_run = :r WHERE id = :i",
        r=world.partial,
        i=world.company,
    )

    seen = admin(app, world).get(run_url(world, "?tab=records"))

    assert "1 record was made here" in seen.text
    assert seen.soup.select(f"a[href='/records/company/{world.company}']")


def test_errors_have_fixes_that_say_how_many_they_clear(app: Flask, world: World) -> None:
    change(app, world, "UPDATE connection SET stance = 'active'")
    browser = admin(app, world)
    seen = browser.get(run_url(world, "?tab=errors"))
    form = next(one for one in seen.soup.select("form") if "/errors/" in str(one.get("action")))

    done = browser.send(form, code="retry")
    twice = browser.send(form, code="retry")

    assert "Retry now (1)" in seen.text
    assert HOSTILE in seen.text
    assert "1 record is tried again now." in done.text
    assert twice.status == 200
    assert value(app, world, "SELECT count(*) FROM wanted") <= 2


def test_an_observing_connection_says_why_nothing_is_retried(app: Flask, world: World) -> None:
    browser = admin(app, world)

    seen = browser.send(browser.get(run_url(world)).form(run_url(world, "/retry")))

    assert "only observes" in seen.soup.select_one(".notice.is-bad").get_text()


def test_a_call_is_shown_with_its_bodies_and_as_a_command_without_secrets(
    app: Flask, world: World
) -> None:
    call_id = new_id()
    with acting(app, world):
        insert(
            "api_call",
            world,
            at=ago(minutes=1),
            id=call_id,
            connection_id=world.connection,
            run_id=world.partial,
            method="PATCH",
            path="/crm/v3/objects/deals/1?x='y",
            status=400,
            ms=12,
            request_body='{"a": "it\'s"}',
            answer_body=HOSTILE,
        )
        db.session.commit()

    seen = admin(app, world).get(run_url(world, f"?tab=calls&failed=1&call={call_id}"))
    missing = admin(app, world).get(run_url(world, f"?tab=calls&call={new_id()}"))

    command = seen.soup.select_one("[data-copy^=curl]")["data-copy"]
    assert '"Authorization: Bearer $TOKEN"' in command
    assert "http://127.0.0.1:8010/crm/v3/objects/deals/1" in command
    assert HOSTILE in seen.text
    assert len(seen.soup.select("#run-calls tbody tr")) == 1
    assert missing.status == 404


def test_the_log_tells_the_course_of_the_run(app: Flask, world: World) -> None:
    browser = admin(app, world)
    browser.send(browser.get(live_url(world)).form(live_url(world, "/pause")))

    seen = browser.get(live_url(world, "?tab=log"))

    lines = [line.get_text(" ", strip=True) for line in seen.soup.select("#run-log li")]
    assert "A worker took it up." in lines[1]
    assert "Person admin paused it." in lines[-1]


def test_the_settings_name_filter_and_rules(app: Flask, world: World) -> None:
    seen = admin(app, world).get(run_url(world, "?tab=settings"))

    assert "5 field rules of deals" in seen.text
    assert "pipeline EQ pov" in seen.text


def test_a_file_holds_the_records_of_the_page(app: Flask, world: World) -> None:
    got = admin(app, world).client.get(run_url(world, "/export.csv?state=failed"))

    lines = list(csv.reader(io.StringIO(got.get_data(as_text=True).lstrip("\ufeff"))))
    assert [line[7] for line in lines] == ["Status", "failed"]
    assert lines[1][8] == HOSTILE


@pytest.mark.parametrize("verb", ["pause", "resume", "stop", "retry", "front", "remove"])
def test_a_viewer_and_a_stranger_may_not(app: Flask, world: World, verb: str) -> None:
    viewer = Browser(app, world.person(Role.VIEWER))
    form = viewer.get("/povs").form("/sign-out")

    seen = viewer.send(form, to=live_url(world, f"/{verb}"), follow=False)

    assert seen.status == 403
