"""`flask crm conflicts`, `schedules` and `attention` as a person types them."""

import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.services import schedules
from crm_admin.services.sql import transaction
from tests.demo_rows import World, acting, full_world


@pytest.fixture
def world(app: Flask) -> World:
    made = full_world(app)
    with acting(app, made):
        with transaction() as cursor:
            schedules.add_built_in(cursor, made.organization, made.connection)
        db.session.execute(
            text('UPDATE conflict SET ours = \'{"v": {"amount": "12400", "currency": "EUR"}}\'')
        )
        db.session.commit()
    return made


def run(app: Flask, *words: object) -> Result:
    return app.test_cli_runner().invoke(args=["crm", *(str(word) for word in words)])


def said(app: Flask, *words: object) -> Any:
    result = run(app, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output.splitlines()[-1])


def test_a_conflict_is_found_shown_and_settled(app: Flask, world: World) -> None:
    (listed,) = said(app, "conflicts", "list")
    shown = run(app, "conflicts", "show", world.conflict)
    refused = run(app, "conflicts", "resolve", world.conflict, "--choice", "typed", "--value", "x")
    settled = said(
        app, "conflicts", "resolve", world.conflict, "--choice", "typed", "--value", "99 EUR"
    )
    late = run(app, "conflicts", "resolve", world.conflict, "--choice", "ours")

    assert (listed["id"], listed["field"]) == (str(world.conflict), "revenue")
    assert "12400 EUR" in shown.output
    assert (refused.exit_code, late.exit_code) == (2, 1)
    assert settled["state"] == "settled"
    assert said(app, "conflicts", "list") == []
    assert len(said(app, "conflicts", "list", "--settled")) == 1
    assert run(app, "conflicts", "reopen", world.conflict).exit_code == 0
    assert run(app, "conflicts", "show", new_id()).exit_code == 2


def test_schedules_are_listed_paused_switched_and_asked_for(app: Flask, world: World) -> None:
    found = said(app, "schedules", "list")
    delta = next(one for one in found if one["job"] == "delta-sync")

    codes = [
        run(app, "schedules", verb, delta["id"]).exit_code
        for verb in ("run", "off", "on", "pause", "show")
    ]

    assert delta["words"] == "Every 15 minutes"
    assert codes == [0] * 5
    assert said(app, "schedules", "show", delta["id"])["enabled"]
    assert run(app, "schedules", "run", new_id()).exit_code == 2


def test_work_is_listed_snoozed_muted_and_put_back(app: Flask, world: World) -> None:
    before = said(app, "attention", "list")

    run(app, "attention", "snooze", "conflicts", "--until", "worse")
    run(app, "attention", "mute", f"plan:{world.plan}", "--reason", "Known.")
    hidden = said(app, "attention", "list", "--snoozed")
    run(app, "attention", "wake", "conflicts")

    assert {one["key"] for one in hidden} == {"conflicts", f"plan:{world.plan}"}
    assert len(said(app, "attention", "list")) == len(before) - 1
    assert run(app, "attention", "snooze", "nothing").exit_code == 2
