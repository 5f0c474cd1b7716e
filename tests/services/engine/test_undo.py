"""Taking a run back: both sides as before, what changed since stays, and nothing fights it."""

from uuid import UUID

import pytest

from crm_admin.services import conflicts, plans, undo
from crm_admin.services.runs import Report
from tests.services.engine.conftest import Desk, HubSpot

QUIET = {"created": 0, "updated": 0, "deleted": 0}


def planned(desk: Desk, run_id: UUID) -> Report:
    reference = undo.start(person=desk.person, run_id=run_id, staged=True, wake=False)
    return desk.work(reference.id)


def operations(desk: Desk, run_id: UUID, state: str = "") -> list[dict[str, object]]:
    return desk.rows(
        "SELECT * FROM operation WHERE run_id = %s AND (%s = '' OR state = %s) ORDER BY id",
        run_id,
        state,
        state,
    )


def both(desk: Desk, hubspot: HubSpot) -> tuple[dict[str, object], dict[str, object]]:
    """The values of both sides, without what moves by itself."""
    ours = {
        str(row["id"]): row["data"]
        for row in desk.rows("SELECT id, data FROM record WHERE deleted_at IS NULL")
    }
    theirs = {
        remote: {
            name: value
            for name, value in values.items()
            if value not in (None, "") and not name.startswith(("hs_", "crm_admin", "lastmod"))
        }
        for kind in ("contacts", "companies", "deals")
        for remote, values in hubspot.all(kind).items()
    }
    return ours, theirs


def is_quiet(desk: Desk) -> bool:
    after = desk.sync("full")
    return (after.state, after.ours, after.theirs) == ("succeeded", QUIET, QUIET)


@pytest.fixture
def edited(desk: Desk, hubspot: HubSpot) -> tuple[UUID, str, UUID]:
    """A contact of both sides whose run took a city and sent a job title; its run comes last."""
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann", city="Porto")
    desk.sync("full")
    record = desk.rows("SELECT id FROM record")[0]["id"]
    desk.edit(record, job_title="Director")
    hubspot.edit("contacts", remote, city="Lisboa")
    return record, remote, desk.sync("delta").run


def test_a_plan_of_an_undo_writes_nothing_and_names_what_goes_back(
    desk: Desk, hubspot: HubSpot, edited: tuple[UUID, str, UUID]
) -> None:
    before = both(desk, hubspot)

    plan = planned(desk, edited[2])

    assert plan.state == "planned"
    assert both(desk, hubspot) == before
    found = operations(desk, plan.run)
    assert {(one["side"], one["action"], one["state"]) for one in found} == {
        ("theirs", "update", "planned"),
        ("ours", "update", "planned"),
    }


def test_an_approved_undo_carries_out_its_plan_and_is_not_fought(
    desk: Desk, hubspot: HubSpot, edited: tuple[UUID, str, UUID]
) -> None:
    record, remote, run = edited
    plan = planned(desk, run)

    done = desk.approve(plan)

    assert (done.state, done.ours["updated"], done.theirs["updated"]) == ("succeeded", 1, 1)
    assert desk.record(record)["data"]["city"] == "Porto"
    assert not hubspot.all("contacts")[remote].get("jobtitle")
    assert {one["state"] for one in operations(desk, plan.run)} == {"done"}
    assert {one["state"] for one in operations(desk, run)} == {"undone"}
    assert is_quiet(desk)


def test_an_undo_of_an_undo_brings_everything_back_and_is_quiet(
    desk: Desk, hubspot: HubSpot, edited: tuple[UUID, str, UUID]
) -> None:
    before = both(desk, hubspot)
    first = desk.undo(edited[2])

    desk.undo(first.run)

    assert both(desk, hubspot) == before
    assert is_quiet(desk)


def test_their_edit_back_to_a_value_undone_twice_is_taken(
    desk: Desk, hubspot: HubSpot, edited: tuple[UUID, str, UUID]
) -> None:
    record, remote, run = edited
    desk.undo(desk.undo(run).run)

    hubspot.edit("contacts", remote, city="Porto")
    desk.sync("delta")

    assert desk.record(record)["data"]["city"] == "Porto"


def test_what_changed_after_the_run_stays_and_is_listed_with_its_field(
    desk: Desk, hubspot: HubSpot, edited: tuple[UUID, str, UUID]
) -> None:
    record, remote, run = edited
    desk.edit(record, city="Faro")
    hubspot.edit("contacts", remote, jobtitle="Chair")

    undone = desk.undo(run)

    stayed = operations(desk, undone.run, "skipped")
    assert {one["reason"] for one in stayed} == {
        "Changed since in CRM Admin and kept: city.",
        "Changed since in HubSpot and kept: jobtitle.",
    }
    assert desk.record(record)["data"]["city"] == "Faro"
    assert hubspot.all("contacts")[remote]["jobtitle"] == "Chair"


def test_what_moves_between_plan_and_approval_is_left_alone(
    desk: Desk, hubspot: HubSpot, edited: tuple[UUID, str, UUID]
) -> None:
    record, _, run = edited
    plan = planned(desk, run)
    desk.edit(record, city="Faro")

    desk.approve(plan)

    assert desk.record(record)["data"]["city"] == "Faro"
    assert [one["side"] for one in operations(desk, plan.run, "skipped")] == ["ours"]


def test_an_edit_that_waits_to_be_sent_is_not_swallowed_by_the_undo(
    desk: Desk, hubspot: HubSpot, edited: tuple[UUID, str, UUID]
) -> None:
    record, remote, run = edited
    desk.edit(record, job_title="Chair")

    desk.undo(run)
    desk.sync("delta")

    assert hubspot.all("contacts")[remote]["jobtitle"] == "Chair"


def test_a_line_left_out_of_an_undo_stays(
    desk: Desk, hubspot: HubSpot, edited: tuple[UUID, str, UUID]
) -> None:
    record, remote, run = edited
    plan = planned(desk, run)
    ours = next(one for one in operations(desk, plan.run) if one["side"] == "ours")
    plans.exclude(
        person=desk.person, run_id=plan.run, operation_ids=[UUID(str(ours["id"]))], excluded=True
    )

    desk.approve(plan)

    assert desk.record(record)["data"]["city"] == "Lisboa"
    assert not hubspot.all("contacts")[remote].get("jobtitle")


def test_records_made_here_are_removed_unless_somebody_changed_them(
    desk: Desk, hubspot: HubSpot
) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    hubspot.add("contacts", email="bo@example.test", firstname="Bo")
    run = desk.sync("full")
    desk.edit(desk.by_title("Bo")["id"], city="Faro")

    plan = planned(desk, run.run)
    done = desk.approve(plan)

    assert done.ours["deleted"] == 1
    assert [row["title"] for row in desk.rows("SELECT title FROM record WHERE deleted_at IS NULL")]
    assert [one["reason"] for one in operations(desk, plan.run, "skipped")] == [
        "Changed since and stays: city."
    ]
    desk.sync("delta")
    assert is_quiet(desk)


def test_records_made_and_changed_by_one_run_are_removed_with_it(
    desk: Desk, hubspot: HubSpot
) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    run = desk.sync("full")
    desk.change(
        "UPDATE record SET version = 2, origin = jsonb_build_object('city',"
        " jsonb_build_object('by', 'HubSpot', 'run', %s::text, 'at', now()))",
        str(run.run),
    )

    done = desk.undo(run.run)

    assert done.ours["deleted"] == 1


def test_removed_records_come_back_with_the_undo_of_the_undo(desk: Desk, hubspot: HubSpot) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    run = desk.sync("full")
    before = both(desk, hubspot)
    first = desk.undo(run.run)

    second = desk.undo(first.run)

    assert (both(desk, hubspot), second.ours["created"]) == (before, 1)
    assert is_quiet(desk)
    third = desk.undo(second.run)
    assert third.ours["deleted"] == 1
    assert is_quiet(desk)


@pytest.mark.parametrize("staged", [False, True])
def test_a_record_archived_by_an_undo_is_made_anew_when_that_is_undone(
    desk: Desk, hubspot: HubSpot, staged: bool
) -> None:
    desk.add("contact", first_name="Bo", last_name="Ek", email="bo@example.test")
    run = desk.sync("full")
    first = desk.undo(run.run)
    assert hubspot.all("contacts") == {}

    second = desk.approve(planned(desk, first.run)) if staged else desk.undo(first.run)

    assert (second.state, second.theirs["created"]) == ("succeeded", 1)
    assert [one["email"] for one in hubspot.all("contacts").values()] == ["bo@example.test"]
    assert is_quiet(desk)
    assert desk.undo(second.run).theirs["deleted"] == 1
    assert hubspot.all("contacts") == {}
    assert is_quiet(desk)


def test_a_record_of_theirs_that_somebody_filled_since_is_not_archived(
    desk: Desk, hubspot: HubSpot
) -> None:
    desk.add("contact", first_name="Bo", last_name="Ek", email="bo@example.test")
    run = desk.sync("full")
    remote = next(iter(hubspot.all("contacts")))
    hubspot.edit("contacts", remote, city="Faro")

    undone = desk.undo(run.run)

    assert list(hubspot.all("contacts")) == [remote]
    assert [one["reason"] for one in operations(desk, undone.run, "skipped")] == [
        "Changed since in HubSpot and kept: city."
    ]


def test_records_removed_by_an_undo_are_not_archived_there_by_a_policy(
    desk: Desk, hubspot: HubSpot
) -> None:
    desk.change("UPDATE stream SET deleted_here = 'archive'")
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    run = desk.sync("full")

    desk.undo(run.run)

    assert is_quiet(desk)
    assert list(hubspot.all("contacts")) == [remote]


def test_a_record_deleted_by_a_policy_comes_back_and_is_not_deleted_again(
    desk: Desk, hubspot: HubSpot
) -> None:
    desk.change("UPDATE stream SET gone_there = 'delete'")
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    desk.sync("full")
    hubspot.post("/_sim/edit", {"object": "contacts", "id": remote, "archived": True})
    run = desk.sync("full")
    assert run.ours["deleted"] == 1

    desk.undo(run.run)

    assert desk.by_title("Ann")["deleted_at"] is None
    assert is_quiet(desk)
    assert desk.by_title("Ann")["deleted_at"] is None


def test_a_pairing_taken_back_stays_apart_and_is_paired_again_by_the_redo(
    desk: Desk, hubspot: HubSpot
) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann", city="Porto")
    record = desk.add("contact", first_name="Ann", email="ann@example.test")
    run = desk.sync("full")

    first = desk.undo(run.run)

    assert "city" not in desk.record(record)["data"]
    assert desk.rows("SELECT status FROM link")[0]["status"] == "detached"
    assert is_quiet(desk)
    desk.undo(first.run)
    assert desk.record(record)["data"]["city"] == "Porto"
    assert desk.rows("SELECT status FROM link")[0]["status"] == "linked"
    assert is_quiet(desk)


def test_references_and_associations_go_back(desk: Desk, hubspot: HubSpot) -> None:
    company = desk.add("company", name="Acme")
    contact = desk.add("contact", first_name="Ann", email="ann@example.test")
    desk.sync("full")
    desk.edit(contact, company=str(company))
    run = desk.sync("delta")
    ids = hubspot.get("/_sim/records?object=contacts&limit=5")["records"]
    assert ids

    undone = desk.undo(run.run)

    assert undone.theirs["updated"] == 1
    assert is_quiet(desk)
    desk.undo(undone.run)
    assert is_quiet(desk)


@pytest.mark.parametrize("choice", ["ours", "theirs"])
def test_the_run_that_carried_out_a_decision_about_a_conflict_goes_back(
    desk: Desk, hubspot: HubSpot, choice: str
) -> None:
    remote = hubspot.add("companies", name="Harbour", city="Porto")
    desk.sync("full")
    desk.change("UPDATE stream SET policy = 'manual'")
    record = desk.by_title("Harbour")["id"]
    desk.edit(record, city="Faro")
    hubspot.edit("companies", remote, city="Lisboa")
    desk.sync("delta")
    row = desk.rows("SELECT * FROM conflict WHERE state = 'open'")[0]
    seen = conflicts.seen_of(row)
    conflicts.resolve(person=desk.person, conflict_id=row["id"], choice=choice, seen=seen)
    run = desk.rows("SELECT id FROM sync_run WHERE mode = 'record'")[0]["id"]
    desk.work(run)
    agreed = {"ours": "Faro", "theirs": "Lisboa"}[choice]
    assert (desk.record(record)["data"]["city"], hubspot.all("companies")[remote]["city"]) == (
        agreed,
        agreed,
    )

    first = desk.undo(run)

    assert desk.record(record)["data"]["city"] == "Faro"
    assert hubspot.all("companies")[remote]["city"] == "Lisboa"
    assert is_quiet(desk)
    desk.undo(first.run)
    assert desk.record(record)["data"]["city"] == agreed
    assert hubspot.all("companies")[remote]["city"] == agreed
    assert is_quiet(desk)
