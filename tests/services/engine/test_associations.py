"""References of ours and associations of theirs, in both directions."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask

from crm_admin import crashpoints, tenancy
from crm_admin.crashpoints import Crashed
from crm_admin.services import connections
from crm_admin.services.streams import default_choices
from tests.services.engine.conftest import Desk, HubSpot, make_desk

QUIET = ({"created": 0, "updated": 0, "deleted": 0},) * 2


def quiet(desk: Desk) -> bool:
    """Whether a delta and a full run find nothing to do on either side."""
    runs = [desk.sync("delta"), desk.sync("full")]
    return all((run.state, run.ours, run.theirs) == ("succeeded", *QUIET) for run in runs)


@pytest.fixture
def silent(hubspot: HubSpot) -> HubSpot:
    """The CRM, where an association moves no modified stamp."""
    hubspot.post("/_sim/config", {"association_stamps": False})
    return hubspot


@pytest.fixture
def deal(desk: Desk, silent: HubSpot) -> dict[str, str]:
    """A deal and a POV there, two companies and two contacts, all linked; nothing associated."""
    made = {
        "acme": silent.add("companies", name="Acme", domain="acme.example"),
        "globex": silent.add("companies", name="Globex", domain="globex.example"),
        "ann": silent.add("contacts", email="ann@example.test", firstname="Ann"),
        "bo": silent.add("contacts", email="bo@example.test", firstname="Bo"),
        "deal": silent.add("deals", dealname="Deal", dealstage="appointmentscheduled"),
        "pov": silent.add("deals", dealname="Proof", dealstage="planned", pipeline="pov"),
    }
    desk.sync("full")
    # From here on a delta sees none of these by its overlap.
    desk.change("UPDATE stream SET watermark = now() + interval '600 s'")
    return made


def test_references_set_here_are_made_there_with_both_labels(
    desk: Desk, silent: HubSpot, deal: dict[str, str]
) -> None:
    acme, ann = desk.by_title("Acme")["id"], desk.by_title("Ann")["id"]

    desk.edit(ann, company=str(acme))
    desk.edit(desk.by_title("Deal")["id"], company=str(acme), contact=str(ann))
    desk.edit(desk.by_title("Proof")["id"], customer=str(acme))
    run = desk.sync("delta")

    assert (run.state, run.theirs["updated"]) == ("succeeded", 3)
    company = f"companies/{deal['acme']}"
    assert silent.links("contacts", deal["ann"])[company] == [1, 279]
    assert silent.links("deals", deal["deal"])[company] == [5, 341]
    assert silent.links("deals", deal["deal"])[f"contacts/{deal['ann']}"] == [3]
    assert silent.links("deals", deal["pov"])[company] == [5, 341]
    assert quiet(desk)


def test_a_reference_changed_and_then_emptied_here_follows_there(
    desk: Desk, silent: HubSpot, deal: dict[str, str]
) -> None:
    record = desk.by_title("Deal")["id"]
    acme, globex = desk.by_title("Acme")["id"], desk.by_title("Globex")["id"]
    desk.edit(record, company=str(acme))
    desk.sync("delta")

    desk.edit(record, company=str(globex))
    desk.sync("delta")
    changed = silent.links("deals", deal["deal"])
    desk.edit(record, company=None)
    desk.sync("delta")

    assert changed == {f"companies/{deal['globex']}": [5, 341]}
    assert silent.links("deals", deal["deal"]) == {}
    assert quiet(desk)


def test_associations_made_and_removed_there_are_seen_although_no_stamp_moves(
    desk: Desk, silent: HubSpot, deal: dict[str, str]
) -> None:
    ann, proof = desk.by_title("Ann")["id"], desk.by_title("Proof")["id"]
    acme = desk.by_title("Acme")["id"]

    silent.associate("contacts", deal["ann"], "companies", deal["acme"], primary=True)
    silent.associate("companies", deal["acme"], "deals", deal["pov"])
    made = desk.sync("delta")
    held = desk.target(ann, "company"), desk.target(proof, "customer")
    silent.associate("contacts", deal["ann"], "companies", deal["acme"], add=False)
    removed = desk.sync("delta")

    assert (made.ours["updated"], held) == (2, (acme, acme))
    assert (removed.ours["updated"], desk.target(ann, "company")) == (1, None)
    assert desk.target(proof, "customer") == acme
    assert quiet(desk)


def test_the_primary_company_there_is_the_company_here(
    desk: Desk, silent: HubSpot, deal: dict[str, str]
) -> None:
    ann = desk.by_title("Ann")["id"]
    silent.associate("contacts", deal["ann"], "companies", deal["globex"])
    desk.sync("delta")

    silent.associate("contacts", deal["ann"], "companies", deal["acme"])
    beside = desk.sync("delta")
    held = desk.target(ann, "company")
    silent.associate("contacts", deal["ann"], "companies", deal["acme"], primary=True)
    desk.sync("delta")

    assert (beside.ours["updated"], held) == (0, desk.by_title("Globex")["id"])
    assert desk.target(ann, "company") == desk.by_title("Acme")["id"]
    assert quiet(desk)


def test_of_many_contacts_there_only_ours_gives_way(
    desk: Desk, silent: HubSpot, deal: dict[str, str]
) -> None:
    record, ann, bo = (desk.by_title(title)["id"] for title in ("Deal", "Ann", "Bo"))
    silent.associate("deals", deal["deal"], "contacts", deal["bo"])
    desk.sync("delta")
    silent.associate("deals", deal["deal"], "contacts", deal["ann"])
    more = desk.sync("delta")
    third = silent.add("contacts", email="cy@example.test", firstname="Cy")
    desk.sync("delta")

    desk.edit(record, contact=str(desk.by_title("Cy")["id"]))
    desk.sync("delta")
    changed = silent.links("deals", deal["deal"])
    desk.edit(record, contact=None)
    desk.sync("delta")

    assert (more.ours["updated"], ann != bo) == (0, True)
    assert set(changed) == {f"contacts/{deal['ann']}", f"contacts/{third}"}
    assert set(silent.links("deals", deal["deal"])) == {f"contacts/{deal['ann']}"}
    assert desk.target(record, "contact") is None
    assert quiet(desk)


def test_only_a_part_of_a_large_account_is_looked_at_in_each_run(
    desk: Desk, silent: HubSpot, deal: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_admin.services.engine.ends.SLICE", 1)
    monkeypatch.setattr("crm_admin.services.engine.ends.SLICES_PER_RUN", 1)
    bo = desk.by_title("Bo")["id"]

    silent.associate("contacts", deal["bo"], "companies", deal["acme"])
    runs = [desk.sync("delta") for _ in range(2)]

    assert [run.ours["updated"] for run in runs] == [0, 1]
    assert desk.target(bo, "company") == desk.by_title("Acme")["id"]


@pytest.fixture
def half(in_app: Flask, hubspot: HubSpot) -> Iterator[Desk]:
    """An active connection with contacts only."""
    made = make_desk(hubspot, ("contacts",), "active")
    with tenancy.acting_for(made.person.organization_id):
        yield made


def _switch_on(desk: Desk, *objects: str) -> None:
    connections.choose_streams(
        person=desk.person,
        connection_id=desk.connection_id,
        choices=default_choices("hubspot", list(objects)),
    )


def _crash_once(name: str) -> None:
    fired: list[str] = []

    def act(here: str) -> None:
        if here == name and not fired:
            fired.append(here)
            raise Crashed(here)

    crashpoints.install(act)


@pytest.mark.parametrize("crash", ["", "page.applied.before_commit", "page.applied.after_commit"])
def test_a_reference_waits_for_its_target_and_finds_it_later(
    half: Desk, hubspot: HubSpot, crash: str
) -> None:
    company = hubspot.add("companies", name="Acme", domain="acme.example")
    contact = hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    hubspot.associate("contacts", contact, "companies", company, primary=True)
    first = half.sync("full")
    ann = half.by_title("Ann")["id"]
    waits = half.target(ann, "company")

    _switch_on(half, "contacts", "companies")
    if crash:
        _crash_once(crash)
        try:
            with pytest.raises(Crashed):
                half.sync("delta")
        finally:
            crashpoints.install(None)
        half.change("UPDATE sync_run SET lease_until = now() - interval '1 s'")
        half.work(half.rows("SELECT id FROM sync_run WHERE state = 'running'")[0]["id"])
    else:
        half.sync("delta")

    assert (first.state, waits) == ("succeeded", company)
    assert half.target(ann, "company") == half.by_title("Acme")["id"]
    assert quiet(half)


def test_a_reference_to_a_record_that_is_not_there_yet_is_sent_once_it_is(
    half: Desk, hubspot: HubSpot
) -> None:
    company = half.add("company", name="Acme", domain="acme.example")
    half.add("contact", {"company": str(company)}, first_name="Ann", email="ann@example.test")

    first = half.sync("full")
    contact = next(iter(hubspot.all("contacts")))
    before = hubspot.links("contacts", contact)
    _switch_on(half, "contacts", "companies")
    half.sync("delta")

    assert (first.theirs["created"], before) == (1, {})
    remote = next(iter(hubspot.all("companies")))
    assert hubspot.links("contacts", contact) == {f"companies/{remote}": [1, 279]}
    assert quiet(half)


def test_an_end_that_is_gone_there_spoils_nothing_else(
    desk: Desk, silent: HubSpot, deal: dict[str, str]
) -> None:
    silent.archive("companies", deal["acme"])
    acme = desk.by_title("Acme")["id"]

    desk.add(
        "contact", {"company": str(acme)}, first_name="Cy", last_name="Ek", email="cy@example.test"
    )
    run = desk.sync("delta")

    created = [one for one in silent.all("contacts").values() if one["email"] == "cy@example.test"]
    assert (run.theirs["created"], len(created)) == (1, 1)
    assert len(desk.rows("SELECT 1 FROM link WHERE record_id = %s", desk.by_title("Cy Ek")["id"]))
    assert desk.sync("full").theirs["created"] == 0


def _undo(desk: Desk, run: UUID) -> None:
    assert desk.undo(run).state == "succeeded"


def test_edits_of_ours_go_before_a_look_for_what_leaves_no_stamp(
    desk: Desk, silent: HubSpot, deal: dict[str, str]
) -> None:
    ann = desk.by_title("Ann")["id"]
    desk.edit(desk.by_title("Bo")["id"], job_title="Head of tests")
    silent.associate("contacts", deal["ann"], "companies", deal["acme"], primary=True)

    busy, calm = desk.sync("delta"), desk.sync("delta")

    assert (busy.theirs["updated"], busy.ours["updated"]) == (1, 0)
    assert (calm.theirs["updated"], calm.ours["updated"]) == (0, 1)
    assert desk.target(ann, "company") == desk.by_title("Acme")["id"]


def test_a_busy_connection_looks_all_the_same_after_an_hour(
    desk: Desk, silent: HubSpot, deal: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_admin.services.engine.unstamped.LONGEST", timedelta(0))
    desk.edit(desk.by_title("Bo")["id"], job_title="Head of tests")
    silent.associate("contacts", deal["ann"], "companies", deal["acme"], primary=True)

    run = desk.sync("delta")

    assert (run.theirs["updated"], run.ours["updated"]) == (1, 1)


def test_undo_puts_associations_back_on_both_sides(
    desk: Desk, silent: HubSpot, deal: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_admin.services.engine.unstamped.LONGEST", timedelta(0))
    record = desk.by_title("Deal")["id"]
    acme, globex = desk.by_title("Acme")["id"], desk.by_title("Globex")["id"]
    desk.edit(record, company=str(acme))
    desk.sync("delta")
    desk.edit(record, company=str(globex))
    silent.associate("contacts", deal["ann"], "companies", deal["acme"], primary=True)
    run = desk.sync("delta")

    _undo(desk, run.run)

    assert silent.links("deals", deal["deal"]) == {f"companies/{deal['acme']}": [5, 341]}
    assert desk.target(desk.by_title("Ann")["id"], "company") is None
    assert quiet(desk)
