"""`flask crm sync …` as a person and a program type it."""

import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from tests.demo_rows import World, acting, full_world


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def run(app: Flask, *args: object) -> Result:
    return app.test_cli_runner().invoke(args=["crm", "sync", *[str(arg) for arg in args]])


def said(result: Result) -> Any:
    return json.loads(result.output.strip().splitlines()[-1])


def change(app: Flask, world: World, statement: str, **bound: object) -> None:
    with acting(app, world):
        db.session.execute(text(statement), bound)
        db.session.commit()


def test_runs_are_listed_newest_first_and_narrowed(app: Flask, world: World) -> None:
    listed = run(app, "list", "--json")
    narrowed = run(app, "list", "--status", "partial", "--connection", "HubSpot EU")

    assert {one["run"] for one in said(listed)} == {
        str(world.plan),
        str(world.partial),
        str(world.running),
    }
    assert str(world.partial)[-8:] in narrowed.output
    assert len(narrowed.output.strip().splitlines()) == 1


def test_a_run_is_shown_with_what_failed_by_the_end_of_its_id(app: Flask, world: World) -> None:
    shown = run(app, "show", str(world.partial)[-8:])
    data = said(run(app, "show", world.partial, "--json"))

    assert "Done with errors" in shown.output
    assert (data["state"], len(data["errors"])) == ("partial", 1)


def test_a_run_is_paused_goes_on_and_is_stopped(app: Flask, world: World) -> None:
    steps = [run(app, verb, world.running) for verb in ("pause", "resume", "stop")]
    again = run(app, "pause", world.running)

    assert [step.exit_code for step in steps] == [0, 0, 0]
    assert "pauses after its batch" in steps[0].output
    assert again.exit_code == 1
    assert "stopping already" in again.output


def test_retrying_says_why_it_cannot(app: Flask, world: World) -> None:
    result = run(app, "retry", world.partial)

    assert result.exit_code == 2
    assert "only observes" in result.output


def test_what_the_guard_held_back_needs_its_number(app: Flask, world: World) -> None:
    change(
        app,
        world,
        "UPDATE sync_run SET reason_code = 'guard', reason = 'Too many.' WHERE id = :id",
        id=world.plan,
    )

    result = run(app, "apply", world.plan)

    assert result.exit_code == 2
    assert "--release 3" in result.output


def test_a_made_up_run_is_said(app: Flask, world: World) -> None:
    assert run(app, "show", "zzz").exit_code == 2
    assert run(app, "pause", "00000000").exit_code == 2
