"""A first pull keeps the planner informed: statistics of empty tables make every look-up slow."""

from tests.services.engine.conftest import Desk, HubSpot


def test_a_first_pull_has_the_tables_analysed_that_it_fills(desk: Desk, hubspot: HubSpot) -> None:
    hubspot.post("/_sim/seed", {"contacts": 1200, "companies": 0, "deals": 0, "seed": 3})

    desk.sync("full")

    known = desk.rows(
        "SELECT relname FROM pg_class WHERE relname IN ('record', 'record_key', 'link')"
        " AND reltuples > 0"
    )
    assert {row["relname"] for row in known} == {"record", "record_key", "link"}
