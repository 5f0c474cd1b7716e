"""Every route for every kind of person, made from the app's own list: new routes are covered."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from crm_admin import tenancy
from crm_admin.blueprints import access
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.models import Record
from crm_admin.security.permissions import Permission, Role, is_allowed
from crm_admin.services.access import Person, visible
from tests import factories
from tests.demo_rows import World, full_world
from tests.pages import Browser, text_of

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
ENDS_THE_SESSION = {"auth.sign_out", "auth.check_sign_in"}
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
REQUEST = re.compile(r"req_[0-9a-f]{12}")


@dataclass(frozen=True)
class Route:
    """One method of one rule, with the path that leads to a row of the world."""

    endpoint: str
    method: str
    path: str
    needs: str

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def _arguments(rule: Rule, world: World) -> dict[str, object]:
    """Rows of the world by the names that rules use; a name nobody knows gets a made-up id."""
    record_id = world.own if rule.endpoint.startswith("povs.") else world.company
    run_id = world.plan if rule.endpoint.startswith("plans.") else world.partial
    known = {
        "record_id": record_id,
        "kind": "csv" if rule.endpoint.startswith("plans.") else "company",
        "connection_id": world.connection,
        "run_id": run_id,
        "conflict_id": world.conflict,
        "organization_id": world.organization,
        **(rule.defaults or {}),
    }
    return {name: known.get(name, new_id()) for name in rule.arguments}


def _routes(app: Flask, world: World) -> Iterator[Route]:
    needs = access.table(app)
    adapter = app.url_map.bind("127.0.0.1")
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint, rule.rule)):
        if needs[rule.endpoint] == "public" or rule.endpoint in ENDS_THE_SESSION:
            continue
        path = adapter.build(rule.endpoint, _arguments(rule, world))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(rule.endpoint, method, path, needs[rule.endpoint])


def _ask(browser: Browser, route: Route, path: str = "") -> TestResponse:
    if route.method in WRITES:
        return browser.post(path or route.path)
    return browser.get(path or route.path)


def _expected(route: Route, role: Role) -> set[int]:
    """What a role may be answered: no refusal where it holds the permission, else only that."""
    if route.needs == access.SIGNED_IN:
        return {200, 303, 404, 422}
    if not is_allowed(role, Permission(route.needs)):
        return {403}
    allowed = {200, 302, 303, 404, 409, 422}
    return allowed | {403} if role is Role.POV_OWNER else allowed


def test_every_endpoint_asks_for_something(app: Flask) -> None:
    forgotten = [endpoint for endpoint, needs in access.table(app).items() if not needs]

    assert forgotten == []


def test_the_public_list_names_endpoints_that_exist(app: Flask) -> None:
    assert set(app.view_functions) >= access.PUBLIC


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_what_its_permissions_say(app: Flask, world: World, role: Role) -> None:
    browser = Browser(app).sign_in(world.person(role))

    answers = {
        str(route): (_ask(browser, route).status_code, _expected(route, role))
        for route in _routes(app, world)
    }

    wrong = {name: pair for name, pair in answers.items() if pair[0] not in pair[1]}
    assert wrong == {}
    assert len(answers) > 40


def test_a_pov_owner_is_kept_from_pages_about_the_organisation(app: Flask, world: World) -> None:
    browser = Browser(app).sign_in(world.person(Role.POV_OWNER))
    whole = {"overview", "settings", "sync", "plans", "mapping", "schedules"}

    seen = {
        str(route): _ask(browser, route).status_code
        for route in _routes(app, world)
        if route.endpoint.partition(".")[0] in whole and route.endpoint != "overview.index"
    }

    assert {name: status for name, status in seen.items() if status != 403} == {}


def test_nobody_is_led_to_the_sign_in(app: Flask, world: World) -> None:
    browser = Browser(app)

    answers = {}
    for route in _routes(app, world):
        answer = _ask(browser, route)
        answers[str(route)] = (answer.status_code, answer.headers.get("Location", "")[:8])

    assert set(answers.values()) == {(303, "/sign-in")}


def test_nobody_gets_no_fragment_but_the_way_to_the_sign_in(app: Flask, world: World) -> None:
    answers = [
        Browser(app).get(route.path, htmx=True)
        for route in _routes(app, world)
        if route.method == "GET"
    ]

    assert {(one.status_code, one.text) for one in answers} == {(204, "")}
    assert all(one.headers["HX-Redirect"].startswith("/sign-in?next=") for one in answers)


def test_a_row_of_another_organisation_is_like_none(app: Flask, world: World) -> None:
    with app.app_context():
        stranger = factories.person(Role.ADMIN, factories.organization("Südwind"))
    browser = Browser(app).sign_in(stranger)
    before = _rows(app, world)

    different = {}
    for route in _routes(app, world):
        unknown = _without_ids(route.path)
        if unknown == route.path:
            continue
        foreign, missing = _ask(browser, route), _ask(browser, route, unknown)
        if _plain(foreign) != _plain(missing):
            different[str(route)] = (foreign.status_code, missing.status_code)

    assert different == {}
    assert _rows(app, world) == before


def _without_ids(path: str) -> str:
    return ID.sub(lambda _: str(new_id()), path)


def _plain(answer: TestResponse) -> tuple[int, str, str]:
    """An answer without what differs between any two requests."""
    words = REQUEST.sub("REQUEST", text_of(answer))
    return answer.status_code, ID.sub("ID", words), ID.sub("ID", answer.headers.get("Location", ""))


def _rows(app: Flask, world: World) -> object:
    with app.app_context(), tenancy.acting_for(world.organization):
        found = db.session.execute(
            text(
                "SELECT (SELECT count(*) FROM sync_run), (SELECT count(*) FROM operation),"
                " (SELECT string_agg(version::text, ',' ORDER BY id) FROM record),"
                " (SELECT string_agg(stance || version, ',' ORDER BY id) FROM connection),"
                " (SELECT string_agg(state, ',' ORDER BY id) FROM conflict)"
            )
        ).one()
        db.session.rollback()
    return tuple(found)


def test_reading_changes_nothing(app: Flask, world: World) -> None:
    browser = Browser(app).sign_in(world.person(Role.ADMIN))
    before = _rows(app, world)

    for route in _routes(app, world):
        if route.method == "GET":
            _ask(browser, route)
            _ask(browser, route)

    assert _rows(app, world) == before


def test_a_refusal_names_the_permission_and_who_has_it(app: Flask, world: World) -> None:
    viewer = world.person(Role.VIEWER)

    answer = Browser(app).sign_in(viewer).get("/admin/users")

    assert answer.status_code == 403
    assert "people.edit" in text_of(answer)
    assert "role admin" in text_of(answer)
    with app.app_context(), tenancy.acting_for(world.organization):
        noted = db.session.execute(
            text("SELECT actor_id, object_id FROM audit_event WHERE action = 'refused'")
        ).all()
    assert [tuple(row) for row in noted] == [(viewer.user_id, "people.edit overview.people")]


def test_a_view_that_nobody_was_allowed_is_closed_to_admins(app: Flask, world: World) -> None:
    browser = Browser(app).sign_in(world.person(Role.ADMIN))
    view = app.view_functions["overview.home"]
    app.view_functions["overview.home"] = lambda: "open"

    answer = browser.get("/admin/crm")

    app.view_functions["overview.home"] = view
    assert answer.status_code == 403


@pytest.fixture
def povs(in_app: Flask) -> tuple[Person, dict[str, UUID]]:
    """A POV owner, and records by what they are to them."""
    place = factories.organization()
    owner = factories.person(Role.POV_OWNER, place)
    other = factories.person(Role.POV_OWNER, place)
    rows = {
        "own": factories.record(place, "pov", owner_id=owner.user_id),
        "shared": factories.record(place, "pov", owner_id=other.user_id),
        "other": factories.record(place, "pov", owner_id=other.user_id),
        "contact": factories.record(place, "contact", owner_id=owner.user_id),
    }
    factories.share(place, rows["shared"], owner.user_id)
    return owner, rows


@pytest.mark.parametrize(
    ("role", "names"),
    [
        (Role.POV_OWNER, {"own", "shared"}),
        (Role.VIEWER, {"own", "shared", "other", "contact"}),
        (Role.ADMIN, {"own", "shared", "other", "contact"}),
    ],
)
def test_a_query_shows_a_pov_owner_their_own_and_shared_povs(
    povs: tuple[Person, dict[str, UUID]], role: Role, names: set[str]
) -> None:
    owner, rows = povs
    person = Person(owner.user_id, owner.name, role, owner.organization_id)

    with tenancy.acting_for(owner.organization_id):
        found = set(db.session.scalars(visible(select(Record.id), person)))
        db.session.rollback()

    assert found == {rows[name] for name in names}
