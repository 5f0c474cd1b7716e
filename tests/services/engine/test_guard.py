"""The mass-change guard: what a pass may do by itself, and what waits for a person."""

import dataclasses

import pytest

from crm_admin.errors import NotAllowed
from crm_admin.security.permissions import Role
from crm_admin.services import plans, undo
from crm_admin.services.engine.unit import claim
from tests.services.engine.conftest import Desk, HubSpot


def test_more_creates_than_the_limit_become_a_plan_that_a_person_releases(
    desk: Desk, hubspot: HubSpot
) -> None:
    for number in range(205):
        desk.add("contact", first_name=f"Ann {number}", email=f"ann{number}@example.test")

    run = desk.sync("full")

    assert (run.state, run.theirs["created"]) == ("succeeded", 200)
    plan = desk.rows("SELECT id, plan_hash, reason FROM sync_run WHERE reason_code = 'guard'")[0]
    assert "205 new records" in plan["reason"]
    assert "5 changes are held back in a plan" in run.message
    assert len(hubspot.all("contacts")) == 200
    again = [desk.sync("delta"), desk.sync("full")]
    assert [one.theirs["created"] for one in again] == [0, 0]
    assert len(desk.rows("SELECT id FROM sync_run WHERE reason_code = 'guard'")) == 1
    released = desk.approve_run(plan["id"])
    assert released.theirs["created"] == 5
    assert len(hubspot.all("contacts")) == 205
    assert desk.sync("full").writes_theirs == 0


def test_many_blanks_wait_for_a_person_and_few_do_not(desk: Desk, hubspot: HubSpot) -> None:
    ids = [
        hubspot.add("contacts", email=f"ann{n}@example.test", firstname="Ann", city="Porto")
        for n in range(30)
    ]
    desk.sync("full")
    for remote in ids[:3]:
        hubspot.edit("contacts", remote, city="")
    few = desk.sync("delta")
    for remote in ids[3:28]:
        hubspot.edit("contacts", remote, city="")

    many = desk.sync("delta")

    assert few.ours["updated"] == 3
    assert many.ours["updated"] == 0
    plan = desk.rows("SELECT id, reason FROM sync_run WHERE reason_code = 'guard'")[0]
    assert "25 emptied fields" in plan["reason"]
    assert len(desk.rows("SELECT 1 FROM record WHERE data->>'city' = 'Porto'")) == 27
    assert desk.approve_run(plan["id"]).ours["updated"] == 25


def _emptied(desk: Desk, hubspot: HubSpot) -> None:
    """Agree on 25 cities, then empty them there."""
    ids = [
        hubspot.add("contacts", email=f"ann{n}@example.test", firstname="Ann", city="Porto")
        for n in range(25)
    ]
    desk.sync("full")
    for remote in ids:
        hubspot.edit("contacts", remote, city="")


def test_asking_for_a_plan_first_is_no_way_around_the_guard(desk: Desk, hubspot: HubSpot) -> None:
    _emptied(desk, hubspot)
    operator = dataclasses.replace(desk.person, role=Role.OPERATOR)

    plan = desk.sync("full", staged=True)

    assert desk.rows("SELECT reason_code FROM sync_run WHERE id = %s", plan.run)[0] == {
        "reason_code": "guard"
    }
    with pytest.raises(NotAllowed):
        plans.approve(person=operator, run_id=plan.run, plan_hash=plan.plan_hash, wake=False)
    assert desk.approve(plan).ours["updated"] == 25


@pytest.mark.parametrize("staged", [False, True])
def test_what_an_admin_released_only_an_admin_takes_back(
    desk: Desk, hubspot: HubSpot, staged: bool
) -> None:
    _emptied(desk, hubspot)
    held = desk.sync("full", staged=staged).run
    if not staged:
        held = desk.rows("SELECT id FROM sync_run WHERE reason_code = 'guard'")[0]["id"]
    desk.approve_run(held)
    operator = dataclasses.replace(desk.person, role=Role.OPERATOR)

    with pytest.raises(NotAllowed):
        undo.start(person=operator, run_id=held, staged=True, wake=False)
    back = desk.work(undo.start(person=desk.person, run_id=held, staged=True, wake=False).id)

    with pytest.raises(NotAllowed):
        plans.approve(person=operator, run_id=back.run, plan_hash=back.plan_hash, wake=False)
    assert desk.approve(back).ours["updated"] == 25


def test_an_empty_answer_while_records_are_linked_changes_nothing(
    desk: Desk, hubspot: HubSpot
) -> None:
    for number in range(25):
        hubspot.add("contacts", email=f"ann{number}@example.test", firstname="Ann")
    desk.sync("full")
    hubspot.post("/_sim/reset", {})

    run = desk.sync("full")

    assert run.state == "failed"
    assert "shows no contacts at all" in run.message
    assert len(desk.rows("SELECT 1 FROM link WHERE status = 'linked'")) == 25
    health = desk.rows("SELECT health FROM connection")[0]["health"]
    assert health == "needs_reconnect"


def test_a_run_has_one_worker_at_a_time(desk: Desk) -> None:
    from crm_admin.services import sync_runs

    run = sync_runs.start(
        person=desk.person,
        connection_id=desk.connection_id,
        mode="delta",
        staged=False,
        wake=False,
    )

    first, second = claim(run.id), claim(run.id)

    assert first is not None
    assert second is None


def test_a_second_request_is_folded_into_the_live_run(desk: Desk) -> None:
    from crm_admin.services import sync_runs

    first, second, third = (
        sync_runs.start(
            person=desk.person,
            connection_id=desk.connection_id,
            mode=mode,
            staged=False,
            wake=False,
        )
        for mode in ("delta", "full", "full")
    )

    assert (second.id, second.folded, third.id) == (first.id, True, first.id)
    assert len(desk.rows("SELECT 1 FROM wanted WHERE what = 'full'")) == 1
    desk.work(first.id)
    assert desk.rows("SELECT mode FROM sync_run WHERE state = 'queued'")[0]["mode"] == "full"
