"""What somebody sends who reads the source: every parameter, every column, on every route."""

import base64
import json
import re
from pathlib import Path
from typing import Final

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin import tenancy
from crm_admin.blueprints import access
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from tests.blueprints.test_access import ENDS_THE_SESSION, Route, _routes
from tests.demo_rows import World, full_world
from tests.pages import Browser, text_of

CODE: Final = Path(access.__file__).resolve().parent
PARAMETER: Final = re.compile(r'(?:argument|one_of|args\.get|getlist|number)\(\s*"([a-z_]+)"')
PAYLOADS: Final = (
    "' OR 1=1 --",
    "1); DROP TABLE record; --",
    "%_\\",
    "\x00\x1b",
    "../../etc/passwd",
    "{{7*7}}${7*7}",
    "-1",
    "9" * 40,
    "\U0001f525\u202e",
    "a" * 5_000,
)


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def _parameters() -> list[str]:
    """Every name a view reads from the address, found in the doors' own code."""
    found: set[str] = {"sort", "after", "q", "page", "next"}
    for path in sorted(CODE.rglob("*.py")):
        found.update(PARAMETER.findall(path.read_text()))
    return sorted(found)


def _reads(app: Flask, world: World) -> list[Route]:
    return [route for route in _routes(app, world) if route.method == "GET"]


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_parameter_breaks_a_page(app: Flask, world: World, payload: str) -> None:
    browser = Browser(app).sign_in(world.person(Role.ADMIN))
    query = dict.fromkeys(_parameters(), payload)

    answers = {
        str(route): browser.client.get(route.path, query_string=query).status_code
        for route in _reads(app, world)
    }

    assert {name: code for name, code in answers.items() if code >= 500} == {}


@pytest.mark.parametrize("field", ["email", "password", "next"])
def test_a_form_with_a_nul_is_refused_before_anything_reads_it(app: Flask, field: str) -> None:
    browser = Browser(app)
    form = {"email": "ana@demo.test", "password": "long enough to be one", field: "a\x00b"}

    answer = browser.post("/sign-in", form)

    assert answer.status_code == 400
    assert "not complete" in text_of(answer)


@pytest.mark.parametrize(
    "value", ["abc", "", "9" * 400, "2026-13-45T99:99", "\ud83d", "1e999", "infinity"], ids=repr
)
def test_a_made_up_place_in_a_list_is_not_found(app: Flask, world: World, value: str) -> None:
    browser = Browser(app).sign_in(world.person(Role.ADMIN))
    text_form = json.dumps([value, str(world.company)]).encode()
    place = base64.urlsafe_b64encode(text_form).decode().rstrip("=")

    answers = {
        str(route): browser.client.get(route.path, query_string={"after": place}).status_code
        for route in _reads(app, world)
    }

    assert {name: code for name, code in answers.items() if code >= 500} == {}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_no_zone_can_hold_is_answered_with_a_sentence(
    app: Flask, world: World, moment: str
) -> None:
    browser = Browser(app).sign_in(world.person(Role.ADMIN))

    answer = browser.get(f"/povs/{world.own}", query_string={"as_of": moment})

    assert answer.status_code == 422
    assert "Enter a date like" in text_of(answer)


def test_numbers_of_other_scripts_and_line_ends_break_no_form(app: Flask, world: World) -> None:
    browser = Browser(app).sign_in(world.person(Role.ADMIN))
    odd = dict.fromkeys(
        ("version", "minutes", "seen_version", "place", "next", "more", "shown_at"), "\u00b2\r\n/x"
    )

    answers = {
        str(route): browser.post(route.path, odd).status_code
        for route in _routes(app, world)
        if route.method == "POST" and route.endpoint not in ENDS_THE_SESSION
    }

    assert {name: code for name, code in answers.items() if code >= 500} == {}


def test_columns_sent_with_a_form_are_not_written(app: Flask, world: World) -> None:
    browser = Browser(app).sign_in(world.person(Role.OPERATOR))
    forged = {
        "organization_id": str(new_id()),
        "id": str(new_id()),
        "owner_id": str(new_id()),
        "role": "admin",
        "state": "succeeded",
        "lease_epoch": "99",
        "hub_only": "true",
        "merged_into": str(world.company),
        "created_run": str(new_id()),
        "external_id": "forged",
        "credentials": "{}",
        "health": "ok",
    }
    before = _guarded(app, world)

    for route in _routes(app, world):
        if route.method == "POST" and route.endpoint not in ENDS_THE_SESSION:
            assert browser.post(route.path, forged).status_code < 500, str(route)

    assert _guarded(app, world) == before


def _guarded(app: Flask, world: World) -> list[object]:
    """What no form may write: who owns what, where it belongs, what people may do."""
    with app.app_context(), tenancy.acting_for(world.organization):
        found = db.session.execute(
            text(
                "SELECT (SELECT jsonb_agg(jsonb_build_array(id, owner_id, hub_only, merged_into,"
                "   created_run, external_id) ORDER BY id) FROM record WHERE id = ANY(:known)),"
                " (SELECT jsonb_agg(jsonb_build_array(id, provider, credentials) ORDER BY id)"
                "   FROM connection),"
                " (SELECT jsonb_agg(jsonb_build_array(user_id, role) ORDER BY user_id)"
                "   FROM membership WHERE organization_id = :place)"
            ),
            {"known": [world.own, world.others, world.company], "place": world.organization},
        ).one()
        db.session.rollback()
    return list(found)


def test_the_twentieth_refusal_in_five_minutes_is_told_to_the_admins(
    app: Flask, world: World
) -> None:
    viewer = Browser(app).sign_in(world.person(Role.VIEWER))

    for _ in range(19):
        viewer.get("/admin/users")
    early = _refusal_items(app, world)
    viewer.get("/admin/users")

    assert early == []
    [sentence] = _refusal_items(app, world)
    assert world.person(Role.VIEWER).name in sentence


def _refusal_items(app: Flask, world: World) -> list[str]:
    with app.app_context(), tenancy.acting_for(world.organization):
        found = db.session.scalars(
            text("SELECT sentence FROM attention WHERE kind = 'refusals' AND state = 'open'")
        ).all()
        db.session.rollback()
    return list(found)
