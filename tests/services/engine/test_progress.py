"""A run says how much it has before it as soon as anybody knows, and never less than it did."""

from tests.services.engine.conftest import Desk, HubSpot


def total_of(desk: Desk, run: object) -> int | None:
    total: int | None = desk.rows("SELECT total FROM sync_run WHERE id = %s", run)[0]["total"]
    return total


def test_a_first_pull_has_no_length_and_the_next_full_pass_has(
    desk: Desk, hubspot: HubSpot
) -> None:
    hubspot.post("/_sim/seed", {"contacts": 30, "companies": 0, "deals": 0, "seed": 3})

    first, second = desk.sync("full"), desk.sync("full")

    assert total_of(desk, first.run) is None
    assert total_of(desk, second.run) == 30


def test_what_came_meanwhile_makes_the_pass_longer(desk: Desk, hubspot: HubSpot) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    desk.sync("full")
    hubspot.add("contacts", email="bob@example.test", firstname="Bob")

    report = desk.sync("full")

    assert total_of(desk, report.run) == 2


def test_a_delta_has_the_length_that_the_crm_tells(desk: Desk, hubspot: HubSpot) -> None:
    ann = hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    desk.sync("full")
    hubspot.edit("contacts", ann, firstname="Anna")

    report = desk.sync("delta")

    assert total_of(desk, report.run) == report.read
