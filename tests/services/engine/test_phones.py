"""A phone number in two spellings is one number on both sides."""

from tests.services.engine.conftest import Desk, HubSpot

QUIET = {"created": 0, "updated": 0, "deleted": 0}


def test_spellings_are_no_difference_and_cause_no_write(desk: Desk, hubspot: HubSpot) -> None:
    there = hubspot.add("contacts", email="ann@example.test", phone="+351912345678")
    desk.add(
        "contact", email="ann@example.test", phone="912 345 678", country="Portugal", city="Porto"
    )
    hubspot.edit("contacts", there, country="Portugal", city="Porto")

    first = desk.sync("full")
    record = desk.rows("SELECT id, data FROM record")[0]
    desk.edit(record["id"], phone="+351 912 345 678")
    runs = [desk.sync("delta"), desk.sync("full")]

    assert (first.state, first.theirs, first.ours) == ("succeeded", QUIET, QUIET)
    assert desk.rows("SELECT 1 FROM operation WHERE action IN ('agree', 'conflict')") == []
    assert [(run.theirs, run.ours) for run in runs] == [(QUIET, QUIET)] * 2
    assert hubspot.all("contacts")[there]["phone"] == "+351912345678"
