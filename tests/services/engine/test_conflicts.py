"""Collisions: kept on both sides, settled by a person or by rule, never lost."""

from uuid import UUID

import pytest

from crm_admin.services import conflicts
from tests.services.engine.conftest import Desk, HubSpot


@pytest.fixture
def collision(desk: Desk, hubspot: HubSpot) -> tuple[UUID, str]:
    """A POV whose revenue was changed on both sides after they had agreed."""
    remote = hubspot.add(
        "deals", dealname="Cold chain", pipeline="pov", amount="1000", dealstage="planned"
    )
    desk.sync("full")
    record = desk.by_title("Cold chain")
    assert record["kind"] == "pov"
    desk.edit(record["id"], revenue={"amount": "1200", "currency": "EUR"})
    hubspot.edit("deals", remote, amount="1500")
    return record["id"], remote


def test_a_manual_collision_keeps_both_values(
    desk: Desk, hubspot: HubSpot, collision: tuple[UUID, str]
) -> None:
    record, remote = collision

    report = desk.sync("delta")

    assert report.conflicts == 1
    assert desk.record(record)["amount"] == 120_000
    assert hubspot.all("deals")[remote]["amount"] == "1500"
    again = desk.sync("full")
    assert (again.conflicts, again.writes_theirs) == (0, 0)
    assert len(desk.rows("SELECT 1 FROM conflict WHERE state = 'open'")) == 1


@pytest.mark.parametrize(
    ("choice", "minor", "wire"), [("ours", 120_000, "1200"), ("theirs", 150_000, "1500")]
)
def test_a_person_settles_it_and_both_sides_agree(
    desk: Desk, hubspot: HubSpot, collision: tuple[UUID, str], choice: str, minor: int, wire: str
) -> None:
    record, remote = collision
    desk.sync("delta")
    row = desk.rows("SELECT * FROM conflict")[0]

    result = conflicts.resolve(
        person=desk.person, conflict_id=row["id"], choice=choice, seen=conflicts.seen_of(row)
    )
    run = desk.rows("SELECT id FROM sync_run WHERE state = 'queued'")[0]
    desk.work(run["id"])

    assert not result.reopened
    assert desk.record(record)["amount"] == minor
    assert float(hubspot.all("deals")[remote]["amount"]) == float(wire)
    quiet = desk.sync("full")
    assert (quiet.writes_theirs, quiet.ours["updated"], quiet.conflicts) == (0, 0, 0)


def test_a_side_that_moved_since_it_was_seen_reopens_the_conflict(
    desk: Desk, hubspot: HubSpot, collision: tuple[UUID, str]
) -> None:
    record, _ = collision
    desk.sync("delta")
    row = desk.rows("SELECT * FROM conflict")[0]
    desk.edit(record, revenue={"amount": "1300", "currency": "EUR"})

    result = conflicts.resolve(
        person=desk.person, conflict_id=row["id"], choice="ours", seen=conflicts.seen_of(row)
    )

    assert result.reopened
    assert desk.rows("SELECT state FROM conflict")[0]["state"] == "open"


def test_the_decision_of_every_operation_can_be_made_again_from_what_it_stored(
    desk: Desk, hubspot: HubSpot, collision: tuple[UUID, str]
) -> None:
    from crm_admin.services.engine.streams import load_streams
    from crm_admin.services.engine.unit import transaction
    from crm_admin.sync.merge import from_json, merge_field

    record, remote = collision
    hubspot.edit("deals", remote, closedate="2026-12-18")
    desk.edit(record, notes="Runs in Nordkap")
    desk.sync("delta")
    with transaction() as cursor:
        objects = load_streams(cursor, desk.connection_id, {})
    uses = {
        (stream.id, use.rule.id): use
        for remote_object in objects
        for stream in remote_object.streams
        for use in stream.facts.rules
    }

    made = 0
    for row in desk.rows("SELECT stream_id, fields, inputs FROM operation WHERE inputs <> '{}'"):
        for values in row["fields"].values():
            use = uses[row["stream_id"], values[3]]
            facts, inputs = from_json(row["inputs"][values[3]])
            decision = merge_field(facts, inputs, use.to_crm, use.from_crm)
            assert decision.reason.value == values[2]
            made += 1
    assert made >= 3


def test_a_write_of_ours_is_no_look_at_what_they_hold(desk: Desk, hubspot: HubSpot) -> None:
    stamps = "SELECT remote_updated_at, remote_read_at FROM link"
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    desk.sync("full")
    [read] = desk.rows(stamps)
    desk.edit(desk.by_title("Ann")["id"], city="Porto")

    desk.sync_record(desk.by_title("Ann")["id"])
    [wrote] = desk.rows(stamps)
    desk.sync("full")
    [again] = desk.rows(stamps)

    assert wrote["remote_updated_at"] > read["remote_updated_at"]
    assert wrote["remote_read_at"] == read["remote_updated_at"]
    assert again == {"remote_updated_at": wrote["remote_updated_at"], "remote_read_at": None}
