"""`flask crm connections …` as a person types it."""

import json
import logging
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from click.testing import Result
from flask import Flask

from crm_admin import config, database, tenancy
from crm_admin.app import create_app
from crm_admin.security.permissions import Role
from crm_admin.services.sql import transaction
from crm_admin.simulators.server import start_in_thread
from tests import factories

TOKEN = "pat-na1-demo-canary-5b1f7c"
ADD = ["add", "hubspot", "--name", "HubSpot EU", "--token", TOKEN]
Run = Callable[..., Result]


@pytest.fixture
def place(app: Flask) -> UUID:
    with app.app_context():
        organization_id = factories.organization()
        factories.person(Role.ADMIN, organization_id, name="Ana Silva")
    return organization_id


@pytest.fixture
def run(app: Flask, place: UUID) -> Run:
    def invoke(*words: str) -> Result:
        return app.test_cli_runner().invoke(args=["crm", "connections", *words])

    return invoke


@pytest.fixture
def hubspot() -> Iterator[str]:
    with start_in_thread("hubspot") as running:
        yield running.url


@pytest.fixture
def added(run: Run, hubspot: str) -> Run:
    assert run(*ADD, "--endpoint", hubspot).exit_code == 0
    return run


def rows(app: Flask, place: UUID, query: str) -> list[dict[str, object]]:
    with app.app_context(), tenancy.acting_for(place), transaction() as cursor:
        return cursor.execute(query).fetchall()


def test_a_connection_whose_check_fails_is_kept_and_the_exit_code_says_so(
    run: Run, app: Flask, place: UUID, free_port: int
) -> None:
    result = run(*ADD, "--endpoint", f"http://127.0.0.1:{free_port}", "--stance", "active")

    kept = rows(app, place, "SELECT name, stance FROM connection")
    assert result.exit_code == 1
    assert "was added and only observes, but its check failed" in result.output
    assert kept == [{"name": "HubSpot EU", "stance": "observe"}]
    assert TOKEN not in result.output


def test_show_rename_and_stance_end_with_the_connection(added: Run) -> None:
    renamed = json.loads(added("rename", "HubSpot EU", "HubSpot Nord", "--json").output)
    paused = json.loads(added("stance", "hubspot nord", "paused", "--json").output)
    shown = json.loads(added("show", "HubSpot Nord", "--json").output)

    assert renamed["name"] == "HubSpot Nord"
    assert paused["stance"] == "paused"
    assert shown["id"] == renamed["id"]
    assert {line["ok"] for line in shown["checks"]} == {True}


def test_settings_are_changed_one_by_one(added: Run, app: Flask, place: UUID) -> None:
    result = added(
        *("set", "HubSpot EU", "--every", "30", "--quiet", "22:00-06:00"),
        *("--zone", "Europe/Paris", "--daily-calls", "5000"),
    )

    row = rows(app, place, "SELECT settings, limits FROM connection")[0]
    every = rows(app, place, "SELECT every_seconds FROM schedule WHERE job = 'delta-sync'")
    assert result.exit_code == 0
    assert row["settings"]["quiet_hours"]["zone"] == "Europe/Paris"
    assert row["limits"] == {"daily_calls": 5000}
    assert every == [{"every_seconds": 1800}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--token", "not-accepted-by-anybody"), "The present one stays"),
        (("--endpoint", "http://127.0.0.1:9"), "The former address stays"),
        (("--quiet", "ten-eleven"), "a time like 22:00"),
        (("--every", "soon"), "whole number, or off"),
    ],
)
def test_a_setting_that_does_not_work_is_not_kept(
    added: Run, app: Flask, place: UUID, words: tuple[str, ...], said: str
) -> None:
    state = "SELECT endpoint, credentials, settings, limits FROM connection"
    before = rows(app, place, state)

    result = added("set", "HubSpot EU", *words)

    assert result.exit_code == 2
    assert said in result.output
    assert rows(app, place, state) == before


def test_deleting_says_what_goes_before_it_does_it(added: Run, app: Flask, place: UUID) -> None:
    asked = added("delete", "HubSpot EU")
    wrong = added("delete", "HubSpot EU", "--yes", "HubSpot")
    done = added("delete", "HubSpot EU", "--yes", "HubSpot EU")

    assert (asked.exit_code, wrong.exit_code, done.exit_code) == (2, 2, 0)
    assert "No record is touched" in asked.output
    assert rows(app, place, "SELECT id FROM connection") == []


def test_disconnecting_forgets_the_key(added: Run, app: Flask, place: UUID) -> None:
    shown = json.loads(added("disconnect", "HubSpot EU", "--json").output)

    row = rows(app, place, "SELECT credentials, credential_hints FROM connection")[0]
    assert shown["health"] == "disconnected"
    assert row == {"credentials": {}, "credential_hints": {}}


def test_a_sync_of_an_address_where_nobody_answers_starts_nothing(
    added: Run, app: Flask, place: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm_admin.outward.transport import Transport

    monkeypatch.setattr(Transport, "pause", lambda *_: None)
    with app.app_context(), tenancy.acting_for(place), transaction() as cursor:
        cursor.execute("UPDATE connection SET endpoint = 'http://127.0.0.1:9'")

    result = app.test_cli_runner().invoke(
        args=["crm", "sync", "plan", "--connection", "HubSpot EU"]
    )

    assert result.exit_code == 1
    assert "cannot be reached. Nothing was started." in result.output
    assert rows(app, place, "SELECT id FROM sync_run") == []


def test_help_without_a_server_warns_of_nothing(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = {**environ, "DATABASE_URL": "postgresql+psycopg://crm_login@/crm_admin"}

    with caplog.at_level(logging.WARNING):
        app = create_app(config.load(nowhere))
        result = app.test_cli_runner().invoke(args=["crm", "connections", "--help"])
        database.dispose(app)

    assert result.exit_code == 0
    assert "rename" in result.output
    assert caplog.records == []
