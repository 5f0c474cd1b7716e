from collections.abc import Iterator
from contextlib import contextmanager, suppress

from crm_admin import crashpoints
from crm_admin.crashpoints import Crashed
from crm_admin.simulators.hubspot.settings import DEMO_TOKEN
from tests.services.engine.conftest import Desk, HubSpot

# The marker needs the right to make fields; without it creates are found by look-up.
WITHOUT_MARKER = [
    f"crm.{area}.{name}.{right}"
    for area in ("objects", "schemas")
    for name in ("contacts", "companies", "deals")
    for right in ("read", "write")
    if (area, right) != ("schemas", "write")
]


@contextmanager
def dying_at(point: str) -> Iterator[None]:
    """The worker dies at the first pass of a point; its lease is over when the block ends."""

    def act(name: str) -> None:
        if name == point:
            raise Crashed(name)

    crashpoints.install(act)
    try:
        with suppress(Crashed):
            yield
    finally:
        crashpoints.install(None)


def let_time_pass(desk: Desk) -> None:
    desk.rows(
        "UPDATE sync_run SET lease_until = now() - interval '1 s', wake_at = now() RETURNING 1"
    )
    desk.rows(
        "UPDATE effect SET not_before = now(), sent_at = now() - interval '1 min' RETURNING 1"
    )


def go_on(desk: Desk) -> str:
    run_id = desk.rows("SELECT id FROM sync_run ORDER BY created_at DESC LIMIT 1")[0]["id"]
    state = desk.work(run_id).state
    if state == "waiting":
        let_time_pass(desk)
        state = desk.work(run_id).state
    return state


def test_an_edit_made_before_an_unanswered_create_is_settled_survives(
    desk: Desk, hubspot: HubSpot
) -> None:
    record = desk.add("company", name="Harbour", city="Porto")
    with dying_at("intent.after_send"):
        desk.sync()
    remote = next(iter(hubspot.all("companies")))
    hubspot.edit("companies", remote, city="Lisboa")
    let_time_pass(desk)

    go_on(desk)
    desk.sync("full")

    assert hubspot.all("companies")[remote]["city"] == "Lisboa"
    assert desk.record(record)["data"]["city"] == "Lisboa"


def test_an_edited_record_of_an_unanswered_create_is_found_without_marker(
    desk: Desk, hubspot: HubSpot
) -> None:
    hubspot.post("/_sim/config", {"tokens": {DEMO_TOKEN: {"scopes": WITHOUT_MARKER}}})
    desk.add("company", name="Harbour", city="Porto")
    with dying_at("intent.after_send"):
        desk.sync()
    remote = next(iter(hubspot.all("companies")))
    hubspot.edit("companies", remote, city="Lisboa")
    let_time_pass(desk)

    go_on(desk)

    assert list(hubspot.all("companies")) == [remote]
    assert desk.rows("SELECT remote_id FROM link")[0]["remote_id"] == remote


def test_a_namesake_that_was_there_before_is_not_taken_for_ours(
    desk: Desk, hubspot: HubSpot
) -> None:
    """The create never arrived; a person had made one of that name minutes before."""
    hubspot.post("/_sim/config", {"tokens": {DEMO_TOKEN: {"scopes": WITHOUT_MARKER}}})
    desk.sync("full")
    hubspot.post("/_sim/config", {"clock_offset": -600})
    namesake = hubspot.add("companies", name="Harbour", city="Porto")
    hubspot.post("/_sim/config", {"clock_offset": 0})
    desk.change("UPDATE stream SET watermark = now() + interval '1 hour'")
    desk.add("company", name="Harbour", city="Porto")
    with dying_at("intent.before_send"):
        desk.sync()
    let_time_pass(desk)

    go_on(desk)

    companies = hubspot.all("companies")
    [link] = desk.rows("SELECT remote_id FROM link")
    assert (len(companies), link["remote_id"] != namesake) == (2, True)


def test_two_fresh_records_of_one_name_go_to_a_person(desk: Desk, hubspot: HubSpot) -> None:
    hubspot.post("/_sim/config", {"tokens": {DEMO_TOKEN: {"scopes": WITHOUT_MARKER}}})
    desk.add("company", name="Harbour", city="Porto")
    with dying_at("intent.after_send"):
        desk.sync()
    hubspot.add("companies", name="Harbour", city="Faro")
    let_time_pass(desk)

    go_on(desk)

    [operation] = desk.rows("SELECT state, error_code FROM operation WHERE action = 'create'")
    assert operation == {"state": "failed", "error_code": "duplicate_suspected"}
    assert len(hubspot.all("companies")) == 2


def test_an_update_that_never_arrived_is_sent_by_the_run_that_settles_it(
    desk: Desk, hubspot: HubSpot
) -> None:
    record = desk.add("company", name="Harbour", city="Porto")
    desk.sync("full")
    desk.edit(record, city="Faro")
    with dying_at("intent.sending.after_commit"):
        desk.sync()
    let_time_pass(desk)

    assert go_on(desk) == "succeeded"

    assert [one["city"] for one in hubspot.all("companies").values()] == ["Faro"]


def test_a_default_that_was_sent_is_not_blanked_again(desk: Desk, hubspot: HubSpot) -> None:
    desk.add("deal", name="Boat", stage="new")

    desk.sync("full")
    writes = len(hubspot.writes())
    desk.sync("full")

    assert [one["pipeline"] for one in hubspot.all("deals").values()] == ["default"]
    assert len(hubspot.writes()) == writes


def test_an_open_conflict_waits_for_a_person_however_often_it_is_read(
    desk: Desk, hubspot: HubSpot
) -> None:
    remote = hubspot.add("companies", name="Harbour", city="Porto")
    desk.sync("full")
    desk.edit(desk.by_title("Harbour")["id"], city="Faro")
    hubspot.edit("companies", remote, city="Lisboa")

    desk.sync()
    desk.rows(
        "UPDATE record SET origin = jsonb_set(origin, '{city,at}', to_jsonb(now() - interval"
        " '1 hour')) RETURNING 1"
    )
    desk.sync("full")

    assert [one["state"] for one in desk.rows("SELECT state FROM conflict")] == ["open"]


def test_a_reference_is_sent_once_its_target_is_linked(desk: Desk, hubspot: HubSpot) -> None:
    company = desk.add("company", name="Harbour")
    desk.rows("UPDATE record SET hub_only = true RETURNING 1")
    contact = desk.add(
        "contact", {"company": str(company)}, first_name="Bo", email="bo@x.example.com"
    )
    desk.sync("full")
    desk.rows("UPDATE record SET hub_only = false RETURNING 1")

    desk.edit(company, city="Porto")
    desk.sync()
    desk.sync()

    remote = desk.rows("SELECT remote_id FROM link WHERE record_id = %s", contact)[0]["remote_id"]
    linked = hubspot.get(f"/_sim/links?object=contacts&id={remote}")["links"]
    assert any(name.startswith("companies/") for name in linked)


def test_a_blank_decided_while_a_run_ends_meets_the_guard(desk: Desk, hubspot: HubSpot) -> None:
    remote = hubspot.add("companies", name="Harbour", city="Porto")
    desk.sync("full")
    desk.edit(desk.by_title("Harbour")["id"], city=None)
    with dying_at("intent.sending.after_commit"):
        desk.sync()
    let_time_pass(desk)

    assert go_on(desk) == "succeeded"

    assert not hubspot.all("companies")[remote].get("city")
    assert desk.rows("SELECT 1 FROM operation WHERE state IN ('planned', 'sending')") == []


def test_an_undone_collision_is_not_taken_up_by_the_next_run(desk: Desk, hubspot: HubSpot) -> None:
    remote = hubspot.add("companies", name="Harbour", city="Porto")
    desk.sync("full")
    desk.rows("UPDATE stream SET policy = 'ours_wins' RETURNING 1")
    record = desk.by_title("Harbour")["id"]
    desk.edit(record, city="Faro")
    hubspot.edit("companies", remote, city="Lisboa")
    run = desk.sync()

    desk.undo(run.run)
    desk.sync("full")

    assert hubspot.all("companies")[remote]["city"] == "Lisboa"
    assert desk.record(record)["data"]["city"] == "Faro"


def test_a_write_counts_for_the_run_that_planned_it(desk: Desk, hubspot: HubSpot) -> None:
    desk.add("company", name="Harbour", city="Porto")
    with dying_at("intent.sending.after_commit"):
        desk.sync()
    [first] = desk.rows("SELECT id FROM sync_run")
    desk.change(
        "UPDATE sync_run SET state = 'failed', finished_at = now(), lease_until = NULL,"
        " reason = 'Gave up.', reason_code = 'stalled' WHERE id = %s",
        first["id"],
    )
    let_time_pass(desk)

    second = desk.sync("delta")

    counts = desk.rows("SELECT counts FROM sync_run WHERE id = %s", first["id"])[0]["counts"]
    assert (second.writes_theirs, counts["writes_theirs"], counts["theirs_created"]) == (0, 1, 1)
    rows = desk.rows("SELECT run_id, state FROM operation WHERE action = 'create'")
    assert rows == [{"run_id": first["id"], "state": "done"}]
    assert desk.rows("SELECT state FROM sync_run WHERE id = %s", first["id"]) == [
        {"state": "failed"}
    ]
    assert len(hubspot.all("companies")) == 1
