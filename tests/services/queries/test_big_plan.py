"""A plan of ten thousand changes: few questions, keyset pages, and choices in one statement."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event, text

from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from crm_admin.services import plans
from crm_admin.services.queries import plan as query
from crm_admin.services.queries import plan_rows
from tests.browsing import Browser, fields_of
from tests.demo_rows import World, acting, full_world

MANY = 10_000
MOST_QUERIES = 12

FILL = """
INSERT INTO operation (organization_id, run_at, id, run_id, record_id, stream_id, remote_object,
       remote_id, side, action, fields, inputs, label, state)
SELECT q.organization_id, q.created_at, gen_random_uuid(), q.id, CAST(:record AS uuid),
       CAST(:stream AS uuid), 'deals', CAST(n AS text), 'theirs', 'update',
       CAST('{"amount": ["1", "2", "ours_changed", "r2"]}' AS jsonb), '{}', 'Deal ' || n, 'planned'
  FROM sync_run q, generate_series(1, :many) AS n WHERE q.id = :run
"""


@pytest.fixture
def world(app: Flask) -> World:
    made = full_world(app)
    with acting(app, made):
        db.session.execute(
            text(FILL),
            {"record": made.own, "stream": made.stream, "many": MANY, "run": made.plan},
        )
        db.session.commit()
    return made


@contextmanager
def counting() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _k: object, statement: str, *_rest: object) -> None:
        if "set_config" not in statement:
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def test_the_page_asks_few_questions_and_reads_fifty_rows(app: Flask, world: World) -> None:
    filters = plan_rows.filters_of(mark="update", field="amount")
    with acting(app, world), counting() as asked:
        found = query.plan(world.plan)
        page = plan_rows.plan_rows(found.line, filters)
        amount = plan_rows.shown(found.line, filters)

    assert len(asked) <= MOST_QUERIES
    assert (len(page.operations), amount.amount) == (50, MANY + 1)
    assert found.calls == 202


def test_pages_follow_each_other_without_gaps(app: Flask, world: World) -> None:
    with acting(app, world):
        found = query.plan(world.plan)

        ids = [one.id for one in plan_rows.all_rows(found.line, plan_rows.Filters())]

    assert len(ids) == len(set(ids)) == MANY + 4
    assert ids == sorted(ids)


def test_ten_thousand_are_left_out_at_once_and_one_is_taken_in(app: Flask, world: World) -> None:
    person = world.person(Role.ADMIN)
    filters = plan_rows.filters_of(side="theirs", field="amount")
    with acting(app, world):
        out = plans.exclude_all(person=person, run_id=world.plan, filters=filters, excluded=True)
        again = plans.exclude_all(person=person, run_id=world.plan, filters=filters, excluded=True)
        seen = query.plan(world.plan)
        one = plan_rows.plan_rows(seen.line, filters).operations[0]
        changed, choices = plans.tick(
            person=person, run_id=world.plan, seen=seen.choices, out=[], back=[one.id]
        )
        left = query.plan(world.plan)

    assert (out, again, changed) == (MANY + 1, 0, 1)
    assert left.left_out == MANY
    assert choices == left.choices != seen.choices


def test_the_form_of_a_large_plan_stays_small(app: Flask, world: World) -> None:
    seen = Browser(app, world.person(Role.ADMIN)).get(f"/admin/crm/sync/plans/{world.plan}")

    form = fields_of(seen.form(f"/admin/crm/sync/plans/{world.plan}/apply"))

    assert len(form["shown"]) <= 50
    assert sum(len(value) for values in form.values() for value in values) < 10_000
    assert len(seen.response.get_data()) < 200_000
