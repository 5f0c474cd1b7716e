"""What is costly may be asked for so often; then a person waits, and is told how long."""

from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from crm_admin import tenancy
from crm_admin.blueprints import access
from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from crm_admin.services.rates import ALLOWANCES, Costly
from tests.demo_rows import full_world
from tests.pages import Browser, text_of

FILES = (".csv", ".json")


def export(browser: Browser) -> TestResponse:
    """Fetch an export to its end, as a browser does."""
    answer = browser.get("/admin/crm/sync/history.csv")
    answer.get_data()
    return answer


def test_every_export_is_counted(app: Flask) -> None:
    uncounted = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.endswith(FILES)
        and getattr(app.view_functions[rule.endpoint], access.COSTS, None) is not Costly.EXPORT
    ]

    assert uncounted == []


def test_after_many_exports_the_next_one_waits_and_says_so(app: Flask) -> None:
    browser = Browser(app).sign_in(full_world(app).person(Role.ADMIN))
    times = ALLOWANCES[Costly.EXPORT].times

    answers = [export(browser) for _ in range(times + 3)]

    assert [one.status_code for one in answers[:times]] == [200] * times
    refused = answers[-1]
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert "The next one works in" in text_of(refused)


def test_one_person_does_not_use_up_what_another_may_do(app: Flask) -> None:
    world = full_world(app)
    busy = Browser(app).sign_in(world.person(Role.ADMIN))
    other = Browser(app).sign_in(world.person(Role.OPERATOR))
    for _ in range(ALLOWANCES[Costly.EXPORT].times + 3):
        last = export(busy)

    assert last.status_code == 429
    assert export(other).status_code == 200


def test_checks_of_a_connection_are_counted_too(app: Flask) -> None:
    world = full_world(app)
    browser = Browser(app).sign_in(world.person(Role.ADMIN))
    address = f"/admin/crm/settings/{world.connection}/check"

    answers = [browser.post(address).status_code for _ in range(ALLOWANCES[Costly.CHECK].times + 3)]

    assert answers[0] == 303
    assert answers[-1] == 429


def test_every_export_stands_in_the_audit_log(app: Flask) -> None:
    world = full_world(app)
    browser = Browser(app).sign_in(world.person(Role.ADMIN))

    export(browser)

    with app.app_context(), tenancy.acting_for(world.organization):
        noted = db.session.execute(
            text("SELECT object_type, object_id FROM audit_event WHERE action = 'export'")
        ).all()
        db.session.rollback()
    assert [tuple(row) for row in noted] == [("csv", "/admin/crm/sync/history.csv")]
