"""What a running connection does with changes on either side."""

from tests.services.engine.conftest import Desk, HubSpot


def test_a_contact_of_the_crm_appears_here_with_its_company(desk: Desk, hubspot: HubSpot) -> None:
    hubspot.post(
        "/_sim/load",
        {
            "companies": [{"properties": {"name": "Acme", "domain": "acme.example"}}],
            "contacts": [
                {
                    "properties": {
                        "email": "ann@acme.example",
                        "firstname": "Ann",
                        "lastname": "Lee",
                    },
                    "associations": {"companies": ["companies#0"]},
                }
            ],
        },
    )

    report = desk.sync("full")

    assert (report.state, report.ours["created"]) == ("succeeded", 2)
    contact, company = desk.by_title("Ann Lee"), desk.by_title("Acme")
    assert contact["data"]["email"] == "ann@acme.example"
    target = desk.rows("SELECT target_id FROM reference WHERE record_id = %s", contact["id"])
    assert [row["target_id"] for row in target] == [company["id"]]


def test_a_record_of_ours_is_created_there_once(desk: Desk, hubspot: HubSpot) -> None:
    company = desk.add("company", name="Globex", domain="globex.example")
    desk.add(
        "contact",
        {"company": str(company)},
        first_name="Bo",
        last_name="Ek",
        email="bo@globex.example",
    )

    first, second = desk.sync("full"), desk.sync("full")

    assert first.theirs["created"] == 2
    assert [one["email"] for one in hubspot.all("contacts").values()] == ["bo@globex.example"]
    assert second.writes_theirs == 0
    contact = next(iter(hubspot.all("contacts")))
    links = hubspot.get(f"/_sim/links?object=contacts&id={contact}")
    assert str(next(iter(hubspot.all("companies")))) in str(links)


def test_an_edit_on_each_side_reaches_the_other_and_then_there_is_quiet(
    desk: Desk, hubspot: HubSpot
) -> None:
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann", lastname="Lee")
    desk.sync("full")
    record = desk.by_title("Ann Lee")
    desk.edit(record["id"], job_title="Director")
    hubspot.edit("contacts", remote, city="Porto")

    report = desk.sync("delta")

    assert (report.ours["updated"], report.theirs["updated"]) == (1, 1)
    assert hubspot.all("contacts")[remote]["jobtitle"] == "Director"
    assert desk.record(record["id"])["data"]["city"] == "Porto"
    quiet = desk.sync("full")
    assert (quiet.writes_theirs, quiet.ours["updated"]) == (0, 0)


def test_one_record_is_brought_into_agreement_at_once(desk: Desk, hubspot: HubSpot) -> None:
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann", lastname="Lee")
    desk.sync("full")
    record = desk.by_title("Ann Lee")
    desk.edit(record["id"], city="Lisboa")

    report = desk.sync_record(record["id"])

    assert (report.mode, report.theirs["updated"]) == ("record", 1)
    assert hubspot.all("contacts")[remote]["city"] == "Lisboa"


def test_an_undone_run_leaves_both_sides_as_before_and_is_not_fought(
    desk: Desk, hubspot: HubSpot
) -> None:
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann", city="Porto")
    desk.add("contact", first_name="Bo", last_name="Ek", email="bo@example.test")
    desk.sync("full")
    record = desk.rows("SELECT id FROM record WHERE data->>'email' = 'ann@example.test'")[0]["id"]
    desk.edit(record, job_title="Director")
    hubspot.edit("contacts", remote, city="Lisboa")
    run = desk.sync("delta")

    undone = desk.undo(run.run)

    assert undone.state == "succeeded"
    assert hubspot.all("contacts")[remote].get("jobtitle") in (None, "")
    assert desk.record(record)["data"]["city"] == "Porto"
    after = desk.sync("full")
    assert (after.ours, after.theirs) == (
        {"created": 0, "updated": 0, "deleted": 0},
        {"created": 0, "updated": 0, "deleted": 0},
    )
    assert hubspot.all("contacts")[remote]["city"] == "Lisboa"


def test_an_undone_create_is_archived_there_and_not_made_again(
    desk: Desk, hubspot: HubSpot
) -> None:
    desk.add("contact", first_name="Bo", last_name="Ek", email="bo@example.test")
    run = desk.sync("full")

    desk.undo(run.run)

    assert hubspot.all("contacts") == {}
    after = desk.sync("full")
    assert after.writes_theirs == 0
