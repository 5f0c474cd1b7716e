"""Records that are archived, deleted, missing or restored on one side."""

from uuid import UUID

import pytest

from crm_admin.services import record_life
from tests.services.engine.conftest import Desk, HubSpot


@pytest.fixture
def ann(desk: Desk, hubspot: HubSpot) -> tuple[str, UUID]:
    """A linked contact: its id there and here."""
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann", city="Porto")
    desk.sync("full")
    return remote, desk.by_title("Ann")["id"]


def policy(desk: Desk, **columns: str) -> None:
    for name, value in columns.items():
        desk.change(f"UPDATE stream SET {name} = %s", value)


def link(desk: Desk, record: UUID) -> tuple[str, str | None]:
    row = desk.rows("SELECT status, error FROM link WHERE record_id = %s", record)[0]
    return row["status"], row["error"]


def is_deleted(desk: Desk, record: UUID) -> bool:
    return desk.record(record)["deleted_at"] is not None


@pytest.mark.parametrize("mode", ["delta", "full"])
def test_a_record_archived_there_stays_here_and_says_so(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID], mode: str
) -> None:
    remote, record = ann

    hubspot.archive("contacts", remote)
    run = desk.sync(mode)
    desk.edit(record, city="Lisboa")
    after = desk.sync("delta")

    assert (run.ours["deleted"], is_deleted(desk, record)) == (0, False)
    assert link(desk, record) == ("remote_gone", "Archived in HubSpot.")
    assert (after.state, after.writes_theirs, hubspot.all("contacts")) == ("succeeded", 0, {})


def test_a_record_restored_there_is_linked_again_with_what_was_agreed(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID]
) -> None:
    remote, record = ann
    hubspot.archive("contacts", remote)
    desk.sync("delta")
    desk.edit(record, job_title="Director")

    hubspot.archive("contacts", remote, archived=False)
    hubspot.edit("contacts", remote, city="Lisboa")
    desk.sync("delta")

    assert link(desk, record) == ("linked", None)
    assert desk.record(record)["data"]["city"] == "Lisboa"
    assert hubspot.all("contacts")[remote]["jobtitle"] == "Director"
    assert desk.sync("full").writes_theirs == 0
    assert len(desk.rows("SELECT 1 FROM conflict")) == 0


def test_a_stale_page_does_not_bring_an_archived_record_back(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID]
) -> None:
    remote, record = ann
    hubspot.post("/_sim/config", {"index_lag": 600})
    hubspot.archive("contacts", remote)
    policy(desk, gone_there="delete")

    runs = [desk.sync("delta") for _ in range(3)]

    assert [run.ours["created"] for run in runs] == [0, 0, 0]
    assert (link(desk, record)[0], is_deleted(desk, record)) == ("remote_gone", True)
    assert len(desk.rows("SELECT 1 FROM record WHERE kind = 'contact'")) == 1


def test_by_policy_our_record_goes_with_theirs_and_comes_back_with_it(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID]
) -> None:
    remote, record = ann
    policy(desk, gone_there="delete")

    hubspot.archive("contacts", remote)
    gone = desk.sync("delta")
    deleted = is_deleted(desk, record)
    hubspot.archive("contacts", remote, archived=False)
    hubspot.edit("contacts", remote, city="Lisboa")
    desk.sync("delta")

    assert (gone.ours["deleted"], deleted) == (1, True)
    assert (is_deleted(desk, record), link(desk, record)) == (False, ("linked", None))
    assert desk.record(record)["data"]["city"] == "Lisboa"
    assert desk.sync("full").ours == {"created": 0, "updated": 0, "deleted": 0}


def test_a_record_edited_here_does_not_go_with_theirs(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID]
) -> None:
    remote, record = ann
    policy(desk, gone_there="delete")
    desk.edit(record, city="Lisboa")

    hubspot.archive("contacts", remote)
    run = desk.sync("full")

    assert (run.ours["deleted"], is_deleted(desk, record)) == (0, False)
    [operation] = desk.rows("SELECT reason FROM operation WHERE action = 'delete'")
    assert operation["reason"] == "Edited in CRM Admin since, and kept: city."


def test_an_undone_removal_is_there_again_and_stays(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID]
) -> None:
    remote, record = ann
    policy(desk, gone_there="delete")
    hubspot.archive("contacts", remote)
    run = desk.sync("delta")

    desk.undo(run.run)
    desk.sync("full")

    assert not is_deleted(desk, record)


def test_a_mass_archive_there_waits_for_a_person_who_releases_exactly_it(
    desk: Desk, hubspot: HubSpot
) -> None:
    ids = [hubspot.add("contacts", email=f"a{n}@example.test") for n in range(30)]
    desk.sync("full")
    policy(desk, gone_there="delete")

    for remote in ids[:25]:
        hubspot.archive("contacts", remote)
    run = desk.sync("full")
    hubspot.archive("contacts", ids[25])
    hubspot.archive("contacts", ids[0], archived=False)
    again = [desk.sync("delta"), desk.sync("full")]

    assert (run.state, run.ours["deleted"]) == ("succeeded", 0)
    [plan] = desk.rows("SELECT id, reason FROM sync_run WHERE reason_code = 'guard'")
    assert "25 deletes" in plan["reason"]
    assert [one.ours["deleted"] for one in again] == [1, 0]
    assert desk.approve_run(plan["id"]).ours["deleted"] == 24
    assert len(desk.rows("SELECT 1 FROM record WHERE deleted_at IS NULL")) == 5


def test_a_record_that_is_not_found_is_gone_only_at_the_second_look(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID]
) -> None:
    remote, record = ann
    hubspot.post("/_sim/config", {"index_lag": 0})
    hubspot.archive("contacts", remote)
    desk.edit(record, city="Lisboa")

    desk.sync_record(record)
    first = link(desk, record)[0]
    waits = desk.rows("SELECT not_before > now() + interval '9 minutes' AS later FROM outbox")
    desk.sync_record(record)
    soon = link(desk, record)[0]
    desk.change("UPDATE link SET missing_at = missing_at - interval '11 minutes'")
    desk.sync_record(record)

    assert (first, soon, waits) == ("linked", "linked", [{"later": True}])
    assert link(desk, record) == ("remote_gone", "HubSpot no longer has this record.")


def test_a_record_that_is_found_again_was_never_gone(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID]
) -> None:
    remote, record = ann
    hubspot.archive("contacts", remote)
    desk.sync_record(record)
    hubspot.archive("contacts", remote, archived=False)

    desk.sync_record(record)

    assert desk.rows("SELECT status, missing_at FROM link") == [
        {"status": "linked", "missing_at": None}
    ]


def test_deleting_ours_leaves_theirs_unless_the_policy_says_otherwise(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID]
) -> None:
    remote, record = ann

    record_life.archive(person=desk.person, record_id=record)
    kept = desk.sync("delta")
    hubspot.edit("contacts", remote, city="Braga")
    again = desk.sync("full")

    assert (kept.writes_theirs, again.writes_theirs, again.ours["created"]) == (0, 0, 0)
    assert (link(desk, record)[0], list(hubspot.all("contacts"))) == ("local_gone", [remote])
    record_life.restore(person=desk.person, record_id=record)
    desk.sync("delta")
    assert link(desk, record)[0] == "linked"
    assert desk.record(record)["data"]["city"] == "Braga"


def test_by_policy_theirs_is_archived_and_neither_is_made_again(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID]
) -> None:
    _, record = ann
    policy(desk, deleted_here="archive")

    record_life.archive(person=desk.person, record_id=record)
    run = desk.sync("delta")

    assert (run.theirs["deleted"], hubspot.all("contacts")) == (1, {})
    assert link(desk, record)[0] == "remote_gone"
    quiet = [desk.sync("delta"), desk.sync("full")]
    assert [(one.writes_theirs, one.ours["created"]) for one in quiet] == [(0, 0), (0, 0)]
    assert is_deleted(desk, record)


def test_theirs_is_not_archived_when_it_was_edited_since(
    desk: Desk, hubspot: HubSpot, ann: tuple[str, UUID]
) -> None:
    remote, record = ann
    policy(desk, deleted_here="archive")
    record_life.archive(person=desk.person, record_id=record)

    hubspot.edit("contacts", remote, city="Braga")
    run = desk.sync("delta")

    assert (run.theirs["deleted"], list(hubspot.all("contacts"))) == (0, [remote])
    [operation] = desk.rows(
        "SELECT reason FROM operation WHERE action = 'delete' AND run_id = %s", run.run
    )
    assert operation["reason"] == "Edited in HubSpot since, and kept: city."


def test_many_deletes_of_ours_wait_for_a_person(desk: Desk, hubspot: HubSpot) -> None:
    for number in range(25):
        hubspot.add("contacts", email=f"a{number}@example.test")
    desk.sync("full")
    policy(desk, deleted_here="archive")

    for row in desk.rows("SELECT id FROM record"):
        record_life.archive(person=desk.person, record_id=row["id"])
    run = desk.sync("delta")

    [plan] = desk.rows("SELECT id, reason FROM sync_run WHERE reason_code = 'guard'")
    assert (run.theirs["deleted"], len(hubspot.all("contacts"))) == (0, 25)
    assert "25 deletes" in plan["reason"]
    assert [desk.sync(mode).theirs["deleted"] for mode in ("delta", "full")] == [0, 0]
    assert desk.approve_run(plan["id"]).theirs["deleted"] == 25
    assert hubspot.all("contacts") == {}


def test_a_plan_names_what_would_go_and_changes_nothing(observer: Desk, hubspot: HubSpot) -> None:
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    observer.approve(observer.sync("full", staged=True))
    record = observer.by_title("Ann")["id"]
    policy(observer, gone_there="delete")
    hubspot.archive("contacts", remote)

    plan = observer.sync("full", staged=True)

    assert (plan.state, link(observer, record)[0]) == ("planned", "linked")
    assert observer.approve(plan).ours["deleted"] == 1
    assert (link(observer, record)[0], is_deleted(observer, record)) == ("remote_gone", True)
