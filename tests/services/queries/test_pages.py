"""What the pages ask the database: what they find, for whom, and how few questions it takes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event

from crm_admin.errors import NotFound
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from crm_admin.services.queries import (
    conflicts,
    connections,
    errors,
    frame,
    history,
    home,
    listing,
    mapping,
    needs,
    people,
    plan,
    record,
    records,
    run,
    schedules,
    settling,
)
from crm_admin.services.queries.timeline import timeline
from crm_admin.services.queries.why import why
from tests.demo_rows import HOSTILE, World, acting, empty_world, full_world

MOST_QUERIES = 12


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


@contextmanager
def counting() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _k: object, statement: str, *_rest: object) -> None:
        if "set_config" not in statement:
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


LISTS: dict[str, Callable[[World], object]] = {
    "home": lambda world: (
        home.home(world.person(Role.ADMIN)),
        frame.frame(world.person(Role.ADMIN)),
    ),
    "connections": lambda world: connections.cards(),
    "connection": lambda world: connections.detail(world.connection),
    "history": lambda world: history.history(world.person(Role.ADMIN), history.Filters()),
    "run": lambda world: (
        found := run.run(world.partial),
        errors.groups(world.person(Role.ADMIN), run_id=found.id),
        run.records(found.line),
    ),
    "plan": lambda world: (
        found := plan.plan(world.plan),
        plan.plan_rows(found.line, plan.Filters()),
    ),
    "povs": lambda world: records.record_list(world.person(Role.ADMIN), "pov", listing.Filters()),
    "pov": lambda world: (
        found := record.record(world.person(Role.ADMIN), "pov", world.own),
        timeline(found),
    ),
    "conflicts": lambda world: (
        conflicts.queue(world.person(Role.ADMIN), conflicts.Filter()),
        settling.subject(world.person(Role.ADMIN), world.conflict),
    ),
    "needs": lambda world: needs.needs(world.person(Role.ADMIN)),
    "schedules": lambda world: schedules.page(),
    "mapping": lambda world: mapping.mappings(),
    "people": lambda world: people.people(world.person(Role.ADMIN)),
}


@pytest.mark.parametrize("page", LISTS)
def test_a_page_asks_few_questions(app: Flask, world: World, page: str) -> None:
    with acting(app, world), counting() as asked:
        LISTS[page](world)

    assert 0 < len(asked) <= MOST_QUERIES


def test_the_work_list_names_what_waits_worst_first(app: Flask, world: World) -> None:
    with acting(app, world):
        found = needs.needs(world.person(Role.ADMIN))

    assert [need.kind for need in found] == ["error", "connection", "conflict", "plan"]


def test_a_pov_owner_is_told_only_of_own_povs(app: Flask, world: World) -> None:
    with acting(app, world):
        found = needs.needs(world.person(Role.POV_OWNER))

    assert [need.kind for need in found] == ["conflict"]


def test_a_pov_owner_lists_and_counts_only_own_povs(app: Flask, world: World) -> None:
    with acting(app, world):
        found = records.record_list(world.person(Role.POV_OWNER), "pov", listing.Filters())

    assert [line.id for line in found.lines] == [world.own]
    assert (found.totals.total, found.totals.failed) == (1, 0)


def test_a_pov_owner_does_not_find_another_ones_pov(app: Flask, world: World) -> None:
    with acting(app, world), pytest.raises(NotFound):
        record.record(world.person(Role.POV_OWNER), "pov", world.others)


def test_a_shared_pov_is_seen(app: Flask, world: World) -> None:
    from tests.demo_rows import insert

    owner = world.person(Role.POV_OWNER)
    with acting(app, world):
        insert("share", world, record_id=world.others, user_id=owner.user_id)
        db.session.commit()

        found = record.record(owner, "pov", world.others)

    assert found.id == world.others


def test_another_organisation_finds_nothing(app: Flask, world: World) -> None:
    stranger = empty_world(app)

    with acting(app, stranger):
        found = records.record_list(stranger.person(Role.ADMIN), "pov", listing.Filters())

        assert found.totals.total == 0
        with pytest.raises(NotFound):
            record.record(stranger.person(Role.ADMIN), "pov", world.own)
        with pytest.raises(NotFound):
            plan.plan(world.plan)
        with pytest.raises(NotFound):
            run.run(world.partial)
        with pytest.raises(NotFound):
            connections.detail(world.connection)


def test_a_plan_tells_what_it_applies_and_what_it_asks(app: Flask, world: World) -> None:
    with acting(app, world):
        found = plan.plan(world.plan)

    assert found.applies == 3
    assert (found.to_theirs.update, found.to_ours.create) == (1, 1)
    assert [question.key for question in found.questions] == [f"{world.stream}:r4"]
    assert [(group.reason, group.amount) for group in found.skipped] == [
        ("Forecast date is empty.", 1)
    ]


@pytest.mark.parametrize(
    ("filters", "actions"),
    [
        (plan.Filters(mark="update"), ["update"]),
        (plan.Filters(side="theirs"), ["update"]),
        (plan.Filters(field="title"), ["create"]),
        (plan.Filters(mark="skip"), ["skip"]),
        (plan.Filters(field="' OR 1=1 --"), []),
    ],
)
def test_a_plan_is_narrowed_by_mark_side_and_field(
    app: Flask, world: World, filters: plan.Filters, actions: list[str]
) -> None:
    with acting(app, world):
        found = plan.plan_rows(plan.plan(world.plan).line, filters)

    assert [operation.action for operation in found.operations] == actions


def test_a_run_groups_its_errors_by_cause(app: Flask, world: World) -> None:
    with acting(app, world):
        found = errors.groups(world.person(Role.ADMIN), run_id=world.partial)

    assert [(group.cause, group.count) for group in found] == [(HOSTILE, 1)]


def test_a_field_in_conflict_says_so_and_an_unmapped_one_stays(app: Flask, world: World) -> None:
    with acting(app, world):
        found = record.record(world.person(Role.ADMIN), "pov", world.own)

    status = {row.field.name: row.status for row in found.fields}
    assert status["revenue"] == "conflict"
    assert status["partner"] == "stays"
    assert status["title"] == "synced"


def test_why_shows_rule_bases_and_the_last_decision(app: Flask, world: World) -> None:
    with acting(app, world):
        found = why(record.record(world.person(Role.ADMIN), "pov", world.own), "title")

    assert found is not None
    part = found.parts[0]
    assert (part.rule.theirs, part.agreed, part.theirs) == ("dealname", HOSTILE, HOSTILE)
    assert part.decision is not None
    assert part.decision.run_id == world.partial


def test_why_of_an_unknown_field_is_nothing(app: Flask, world: World) -> None:
    with acting(app, world):
        found = why(record.record(world.person(Role.ADMIN), "pov", world.own), "no_such")

    assert found is None


def test_the_time_line_is_narrowed_to_a_field_and_its_partner(app: Flask, world: World) -> None:
    with acting(app, world):
        found = record.record(world.person(Role.ADMIN), "pov", world.own)
        of_title = timeline(found, field="title")
        of_stage = timeline(found, field="stage")

    assert len(of_title.entries) == 1
    assert not of_stage.entries


def test_settled_and_open_conflicts_are_apart(app: Flask, world: World) -> None:
    with acting(app, world):
        chosen = conflicts.Filter()
        opened = conflicts.open_ones(world.person(Role.ADMIN), chosen, amount=50)
        settled = conflicts.settled(world.person(Role.ADMIN), chosen)

    assert [conflict.id for conflict in opened] == [world.conflict]
    assert not settled.conflicts


@pytest.mark.parametrize("sort", ["updated", "title", "amount", "due"])
def test_every_order_pages_through_all_records_once(app: Flask, world: World, sort: str) -> None:
    from tests.demo_rows import insert

    with acting(app, world):
        for number in range(60):
            insert(
                "record",
                world,
                id=new_id(),
                kind="pov",
                data={},
                title=f"POV {number % 7}" if number % 9 else None,
                amount=number % 5,
            )
        db.session.commit()
        person = world.person(Role.ADMIN)
        filters = listing.Filters(sort=sort)

        one = records.record_list(person, "pov", filters)
        two = records.record_list(person, "pov", filters, one.after)

    assert len(one.lines) == 50
    assert two.after == ""
    assert len({line.id for line in (*one.lines, *two.lines)}) == 62


@pytest.mark.parametrize("after", ["nonsense", "WzFd", "%%%"])
def test_a_made_up_place_in_a_list_is_not_found(app: Flask, world: World, after: str) -> None:
    with acting(app, world), pytest.raises(NotFound):
        history.history(world.person(Role.ADMIN), history.Filters(), after)


def test_a_search_finds_by_word_external_id_and_id_in_the_crm(app: Flask, world: World) -> None:
    remote_id = f"91-{world.others.hex[-6:]}"

    with acting(app, world):
        person = world.person(Role.ADMIN)
        by = {
            text: records.record_list(person, "pov", listing.Filters(query=text)).lines
            for text in ("fjord", remote_id, "nothing like it", "' OR 1=1 --")
        }

    assert [line.id for line in by["fjord"]] == [world.others]
    assert [line.id for line in by[remote_id]] == [world.others]
    assert not by["nothing like it"]
    assert not by["' OR 1=1 --"]


def test_a_pov_owner_finds_no_other_pov_by_its_id_in_the_crm(app: Flask, world: World) -> None:
    remote_id = f"91-{world.others.hex[-6:]}"

    with acting(app, world):
        person = world.person(Role.POV_OWNER)
        found = records.record_list(person, "pov", listing.Filters(query=remote_id))

    assert not found.lines
