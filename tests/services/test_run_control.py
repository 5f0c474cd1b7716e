"""A run that a person pauses, lets go on, puts first or takes out of the queue."""

from uuid import UUID

import pytest
from flask import Flask

from crm_admin import dispatch, tenancy
from crm_admin.errors import NotFound, Stale
from crm_admin.ids import new_id
from crm_admin.services import run_control, runs, schedules, sync_runs
from crm_admin.services.engine import run as engine
from crm_admin.services.engine.unit import claim
from tests.services.engine.conftest import Desk, HubSpot, desk, hubspot

__all__ = ["desk", "hubspot"]


def queued(desk: Desk, mode: str = "full") -> UUID:
    return sync_runs.start(
        person=desk.person,
        connection_id=desk.connection_id,
        mode=mode,
        staged=False,
        wake=False,
    ).id


def state(desk: Desk, run_id: UUID) -> tuple[str, object, object, object]:
    row = desk.rows("SELECT * FROM sync_run WHERE id = %s", run_id)[0]
    return row["state"], row["wake_at"], row["reason_code"], row["pause_by"]


def test_a_paused_run_waits_for_a_person_and_nothing_wakes_it(desk: Desk, hubspot: HubSpot) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    run_id = queued(desk)

    run_control.pause(person=desk.person, run_id=run_id)

    assert state(desk, run_id) == ("waiting", None, "paused", "Ana Silva")
    assert schedules.reconcile() == 0
    assert engine.execute(desk.person.organization_id, run_id) is None
    assert desk.rows("SELECT 1 FROM record") == []
    run_control.resume(person=desk.person, run_id=run_id)
    assert desk.work(run_id).state == "succeeded"
    assert len(desk.rows("SELECT 1 FROM record")) == 1
    actions = [row["action"] for row in desk.rows("SELECT action FROM audit_event ORDER BY at")]
    assert actions[-2:] == ["run.pause", "run.resume"]


def test_a_running_run_rests_at_the_edge_of_its_step_and_goes_on_there(
    desk: Desk, hubspot: HubSpot
) -> None:
    for number in range(3):
        hubspot.add("contacts", email=f"ann{number}@example.test", firstname="Ann")
    run_id = queued(desk)
    engine.execute(desk.person.organization_id, run_id, seconds=0)
    lease = claim(run_id)
    assert lease is not None
    run_control.pause(person=desk.person, run_id=run_id)
    assert state(desk, run_id)[0] == "running"
    desk.change("UPDATE sync_run SET lease_until = now() - interval '1 s'")

    told = engine.execute(desk.person.organization_id, run_id)

    assert told == "waiting"
    assert state(desk, run_id) == ("waiting", None, "paused", "Ana Silva")
    assert "Paused by Ana Silva." in runs.report(run_id).message
    run_control.resume(person=desk.person, run_id=run_id)
    assert desk.work(run_id).state == "succeeded"
    assert len(desk.rows("SELECT 1 FROM record")) == 3
    assert desk.sync("full").ours["created"] == 0


def test_pausing_or_resuming_twice_is_once(desk: Desk) -> None:
    run_id = queued(desk)

    for _ in range(2):
        run_control.pause(person=desk.person, run_id=run_id)
    for _ in range(2):
        run_control.resume(person=desk.person, run_id=run_id)

    told = [row["action"] for row in desk.rows("SELECT action FROM audit_event ORDER BY at")]
    assert told.count("run.pause") == told.count("run.resume") == 1


def test_a_paused_run_can_be_stopped(desk: Desk) -> None:
    run_id = queued(desk)
    run_control.pause(person=desk.person, run_id=run_id)

    sync_runs.stop(person=desk.person, run_id=run_id)

    assert desk.work(run_id).state == "cancelled"
    with pytest.raises(Stale):
        run_control.pause(person=desk.person, run_id=run_id)


def test_a_stopping_run_is_not_paused(desk: Desk) -> None:
    run_id = queued(desk)
    sync_runs.stop(person=desk.person, run_id=run_id)

    with pytest.raises(Stale):
        run_control.pause(person=desk.person, run_id=run_id)


def test_the_first_in_the_queue_is_who_was_put_there(desk: Desk, app: Flask) -> None:
    run_id = queued(desk)
    dispatch.enqueue("sync.run", desk.person.organization_id, new_id(), urgent=True)

    run_control.to_front(person=desk.person, run_id=run_id)

    assert str(run_id) in dispatch.queue(dispatch.NOW).job_ids[0]


def test_only_a_run_that_never_started_is_taken_out(desk: Desk) -> None:
    run_id = queued(desk)

    run_control.remove(person=desk.person, run_id=run_id)

    assert desk.rows("SELECT state, reason FROM sync_run")[0] == {
        "state": "cancelled",
        "reason": "Taken out of the queue by Ana Silva.",
    }
    started = queued(desk)
    engine.execute(desk.person.organization_id, started, seconds=0)
    with pytest.raises(Stale):
        run_control.remove(person=desk.person, run_id=started)


def test_a_run_of_others_is_not_there(desk: Desk) -> None:
    run_id = queued(desk)

    with tenancy.acting_for(new_id()), pytest.raises(NotFound):
        run_control.pause(person=desk.person, run_id=run_id)
