"""How their side is read: in slices, ahead of the storing, with every call in the log."""

from tests.services.engine.conftest import Desk, HubSpot


def test_every_call_to_the_crm_is_in_the_log(desk: Desk, hubspot: HubSpot) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")

    report = desk.sync("full")

    rows = desk.rows("SELECT method, path, status FROM api_call WHERE run_id = %s", report.run)
    assert report.calls <= len(rows) <= report.calls + 3
    assert ("GET", 200) in {(row["method"], row["status"]) for row in rows}


def test_many_pages_are_stored_once_each_and_the_second_pass_is_quiet(
    desk: Desk, hubspot: HubSpot
) -> None:
    hubspot.post("/_sim/seed", {"contacts": 2500, "companies": 0, "deals": 0, "seed": 3})

    first, second = desk.sync("full"), desk.sync("full")

    assert (first.read, first.ours["created"]) == (2500, 2500)
    assert (second.read, second.unchanged, second.writes_theirs) == (2500, 2500, 0)


def test_pages_read_ahead_of_a_write_of_ours_are_read_again(desk: Desk, hubspot: HubSpot) -> None:
    hubspot.post("/_sim/seed", {"contacts": 2500, "companies": 0, "deals": 0, "seed": 3})
    desk.sync("full")
    record = desk.rows(
        "SELECT record_id FROM link ORDER BY length(remote_id), remote_id LIMIT 1 OFFSET 5"
    )[0]["record_id"]
    later = desk.rows(
        "SELECT record_id FROM link ORDER BY length(remote_id), remote_id LIMIT 1 OFFSET 1500"
    )[0]["record_id"]
    desk.edit(record, job_title="Director")
    desk.edit(later, job_title="Engineer")

    report = desk.sync("full")

    assert (report.theirs["updated"], report.ours["updated"]) == (2, 0)
    quiet = desk.sync("full")
    assert (quiet.theirs["updated"], quiet.ours["updated"]) == (0, 0)
