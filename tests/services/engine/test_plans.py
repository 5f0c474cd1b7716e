"""A plan: what it shows, what a person decides, and that exactly this is carried out."""

from uuid import UUID

import pytest

from crm_admin.errors import Stale
from crm_admin.services import plans
from tests.services.engine.conftest import Desk, HubSpot


def operations(desk: Desk, run: UUID, **where: str) -> list[dict[str, object]]:
    clause = "".join(f" AND {name} = %s" for name in where)
    return desk.rows(
        f"SELECT * FROM operation WHERE run_id = %s{clause} ORDER BY id", run, *where.values()
    )


def test_a_plan_writes_nothing_on_either_side(observer: Desk, hubspot: HubSpot) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    observer.add("contact", first_name="Bo", email="bo@example.test")

    plan = observer.sync("full")

    assert plan.state == "planned"
    assert (plan.ours["created"], plan.theirs["created"]) == (1, 1)
    assert hubspot.writes() == []
    assert len(observer.rows("SELECT 1 FROM record")) == 1
    assert observer.rows("SELECT 1 FROM link") == []


def test_an_approved_plan_is_carried_out_and_the_next_run_is_quiet(
    observer: Desk, hubspot: HubSpot
) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    hubspot.add("contacts", email="cy@example.test", firstname="Cy", jobtitle="Engineer")
    observer.add("contact", first_name="Bo", email="bo@example.test")
    observer.add("contact", first_name="Cy", email="cy@example.test", city="Porto")
    plan = observer.sync("full")

    done = observer.approve(plan)

    assert done.state == "succeeded"
    assert (done.ours, done.theirs) == (
        {"created": 1, "updated": 1, "deleted": 0},
        {"created": 1, "updated": 1, "deleted": 0},
    )
    cy = next(one for one in hubspot.all("contacts").values() if one["email"] == "cy@example.test")
    assert cy["city"] == "Porto"
    quiet = observer.sync("full")
    assert (quiet.state, quiet.writes_theirs, quiet.ours["updated"]) == ("succeeded", 0, 0)
    assert {o["state"] for o in operations(observer, plan.run)} == {"done"}


def test_the_marker_field_is_a_line_of_the_first_plan(observer: Desk, hubspot: HubSpot) -> None:
    observer.add("contact", first_name="Bo", email="bo@example.test")

    plan = observer.sync("full")
    names = [o["remote_object"] for o in operations(observer, plan.run, action="property")]
    observer.approve(plan)

    assert names == ["companies", "contacts", "deals"]
    contact = next(iter(hubspot.all("contacts").values()))
    assert contact["crm_admin_id"] == str(observer.rows("SELECT id FROM record")[0]["id"])


def test_what_moved_since_the_plan_is_listed_and_left_alone(
    observer: Desk, hubspot: HubSpot
) -> None:
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann", city="Porto")
    record = observer.add("contact", first_name="Ann", email="ann@example.test")
    plan = observer.sync("full")
    hubspot.edit("contacts", remote, city="Lisboa")

    observer.approve(plan)

    moved = operations(observer, plan.run, reason_code="moved")
    assert [o["state"] for o in moved] == ["skipped"]
    assert "city" not in observer.record(record)["data"]
    observer.sync("delta")
    assert observer.record(record)["data"]["city"] == "Lisboa"


def test_an_unticked_line_is_left_out(observer: Desk, hubspot: HubSpot) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    hubspot.add("contacts", email="cy@example.test", firstname="Cy")
    plan = observer.sync("full")
    first = operations(observer, plan.run, action="create")[0]

    plans.exclude(
        person=observer.person, run_id=plan.run, operation_ids=[first["id"]], excluded=True
    )
    done = observer.approve(plan)

    assert done.ours["created"] == 1
    assert operations(observer, plan.run, reason_code="left_out")[0]["id"] == first["id"]


@pytest.mark.parametrize(
    ("choice", "ours", "theirs"),
    [("ours", "Boss", "Boss"), ("theirs", "Chief", "Chief"), (None, "Boss", "Chief")],
)
def test_first_differences_are_decided_once_per_field(
    observer: Desk, hubspot: HubSpot, choice: str | None, ours: str, theirs: str
) -> None:
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann", jobtitle="Chief")
    record = observer.add("contact", first_name="Ann", email="ann@example.test", job_title="Boss")
    plan = observer.sync("full")
    asked = operations(observer, plan.run, action="agree")[0]
    key = f"{asked['stream_id']}:job_title"

    if choice:
        plans.decide_field(person=observer.person, run_id=plan.run, rule_key=key, choice=choice)
    observer.approve(plan)

    assert observer.record(record)["data"]["job_title"] == ours
    assert hubspot.all("contacts")[remote]["jobtitle"] == theirs
    assert observer.sync("full").writes_theirs == 0
    assert observer.rows("SELECT 1 FROM conflict") == []


@pytest.mark.parametrize("choice", ["same", "new", None])
def test_a_look_alike_is_for_a_person(observer: Desk, hubspot: HubSpot, choice: str | None) -> None:
    remote = hubspot.add("contacts", firstname="Annabel", lastname="Leeson", city="Porto")
    record = observer.add(
        "contact", first_name="Annabel", last_name="Leeson", city="Porto", email="a@first.test"
    )
    plan = observer.sync("full")
    case = operations(observer, plan.run, action="match")[0]

    picked = str(record) if choice == "same" else choice
    plans.decide_match(
        person=observer.person, run_id=plan.run, operation_id=case["id"], choice=picked
    )
    observer.approve(plan)

    links = observer.rows("SELECT record_id FROM link WHERE remote_id = %s", remote)
    found = [row["record_id"] == record for row in links]
    assert found == {"same": [True], "new": [False], None: []}[choice]


def test_only_the_plan_that_was_seen_can_be_approved(observer: Desk, hubspot: HubSpot) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    first = observer.sync("full")
    second = observer.sync("full")

    with pytest.raises(Stale):
        plans.approve(person=observer.person, run_id=first.run, plan_hash=first.plan_hash)
    with pytest.raises(Stale):
        plans.approve(person=observer.person, run_id=second.run, plan_hash=first.plan_hash)


def test_a_plan_pairs_references_with_what_it_is_about_to_pair(
    observer: Desk, hubspot: HubSpot
) -> None:
    company = observer.add("company", name="Acme", domain="acme.example")
    observer.add("contact", {"company": str(company)}, first_name="Ann", email="ann@acme.example")
    hubspot.post(
        "/_sim/load",
        {
            "companies": [{"properties": {"name": "Acme", "domain": "acme.example"}}],
            "contacts": [
                {
                    "properties": {"email": "ann@acme.example", "firstname": "Ann"},
                    "associations": {"companies": ["companies#0"]},
                }
            ],
        },
    )

    plan = observer.sync("full")
    observer.approve(plan)

    assert operations(observer, plan.run, action="agree") == []
    assert observer.sync("full").writes_theirs == 0


def test_a_record_is_never_split_between_two_slices_of_a_plan(
    observer: Desk, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_admin.services.engine.apply.APPLY_SLICE", 4)
    for number in range(5):
        email = f"a{number}@example.test"
        hubspot.add("contacts", email=email, firstname="Ann", city="Porto")
        observer.add("contact", email=email, first_name="Ann", job_title="Boss", country="Spain")

    done = observer.approve(observer.sync("full", staged=True))

    assert (done.theirs["updated"], done.ours["updated"], done.skipped) == (5, 5, 0)
    assert {one.get("jobtitle") for one in hubspot.all("contacts").values()} == {"Boss"}
