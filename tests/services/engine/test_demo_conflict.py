"""The button that makes a conflict to practise on."""

import pytest

from crm_admin.errors import BadInput
from crm_admin.services import demo_conflict
from tests.services.engine.conftest import Desk, HubSpot


def test_one_deal_is_changed_on_both_sides_and_becomes_a_conflict(
    desk: Desk, hubspot: HubSpot
) -> None:
    remote = hubspot.add(
        "deals", dealname="Cold chain", pipeline="pov", amount="1000", dealstage="planned"
    )
    desk.sync("full")
    desk.change("UPDATE organization SET demo = true")

    title, run = demo_conflict.make(person=desk.person)
    report = desk.work(run.id)

    assert (title, report.conflicts) == ("Cold chain", 1)
    assert desk.by_title("Cold chain")["amount"] == 200_000
    assert hubspot.all("deals")[remote]["amount"] == "3500"
    assert [row["state"] for row in desk.rows("SELECT state FROM conflict")] == ["open"]
    with pytest.raises(BadInput, match="practise"):
        demo_conflict.make(person=desk.person)


def test_outside_of_a_demo_nothing_is_changed(desk: Desk, hubspot: HubSpot) -> None:
    hubspot.add("deals", dealname="Cold chain", pipeline="pov", amount="1000", dealstage="planned")
    desk.sync("full")
    before = hubspot.all("deals")

    with pytest.raises(BadInput):
        demo_conflict.make(person=desk.person)

    assert hubspot.all("deals") == before
