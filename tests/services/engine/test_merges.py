"""Records that were merged or converted in the CRM."""

from dataclasses import replace

import pytest

from crm_admin.ids import new_id
from crm_admin.providers.base import Ask, Former, Page
from crm_admin.providers.hubspot.client import HubSpot as Client
from tests.services.engine.conftest import Desk, HubSpot

QUIET = {"created": 0, "updated": 0, "deleted": 0}


@pytest.fixture(params=[True, False], ids=["third id", "first id"])
def merging(request: pytest.FixtureRequest, hubspot: HubSpot) -> HubSpot:
    hubspot.post("/_sim/config", {"merge_makes_new_id": request.param})
    return hubspot


def links(desk: Desk) -> dict[str, tuple[str, str]]:
    rows = desk.rows(
        "SELECT r.title, l.remote_id, l.status FROM link l JOIN record r ON r.id = l.record_id"
        " WHERE l.remote_object = 'contacts'"
    )
    return {row["title"]: (row["remote_id"], row["status"]) for row in rows}


def quiet(desk: Desk) -> bool:
    runs = [desk.sync("delta"), desk.sync("full")]
    return all((run.state, run.ours, run.theirs) == ("succeeded", QUIET, QUIET) for run in runs)


@pytest.mark.parametrize("mode", ["delta", "full"])
def test_two_linked_records_that_become_one_there_are_shown_to_a_person(
    desk: Desk, merging: HubSpot, mode: str
) -> None:
    ann = merging.add("contacts", email="ann@example.test", firstname="Ann")
    anna = merging.add("contacts", email="anna@example.test", firstname="Anna")
    desk.sync("full")

    merged = merging.merge("contacts", ann, anna)
    run = desk.sync(mode)

    assert (run.state, run.ours["created"], run.ours["deleted"]) == ("succeeded", 0, 0)
    assert links(desk) == {"Ann": (merged, "linked"), "Anna": (anna, "duplicate_suspected")}
    [error] = desk.rows("SELECT error FROM link WHERE status = 'duplicate_suspected'")
    assert error["error"] == f"Merged in HubSpot into {merged}, which is paired with Ann."
    [pair] = desk.rows("SELECT verdict, score FROM duplicate")
    assert pair == {"verdict": "open", "score": 1.0}
    [item] = desk.rows("SELECT sentence FROM attention WHERE kind = 'duplicate'")
    assert item["sentence"].startswith("HubSpot merged Anna into Ann.")
    assert quiet(desk)
    assert len(desk.rows("SELECT 1 FROM duplicate")) == 1


def test_the_loser_of_a_merge_is_neither_sent_nor_made_again(desk: Desk, merging: HubSpot) -> None:
    ann = merging.add("contacts", email="ann@example.test", firstname="Ann")
    anna = merging.add("contacts", email="anna@example.test", firstname="Anna", city="Porto")
    desk.sync("full")
    loser = desk.by_title("Anna")["id"]
    merged = merging.merge("contacts", ann, anna)
    desk.sync("delta")

    desk.edit(loser, city="Braga")
    runs = [desk.sync("delta"), desk.sync_record(loser), desk.sync("full")]

    assert [run.writes_theirs for run in runs] == [0, 0, 0]
    assert list(merging.all("contacts")) == [merged]
    assert desk.record(loser)["data"]["city"] == "Braga"
    merging.edit("contacts", merged, city="Lisboa")
    desk.sync("delta")
    assert desk.by_title("Ann")["data"]["city"] == "Lisboa"


def test_one_linked_record_follows_a_merge(desk: Desk, merging: HubSpot) -> None:
    ann = merging.add("contacts", email="ann@example.test", firstname="Ann")
    desk.sync("full")
    stranger = merging.add("contacts", email="x@example.test", firstname="Xi")

    merged = merging.merge("contacts", stranger, ann)
    desk.sync("delta")

    assert [row["remote_id"] for row in desk.rows("SELECT remote_id FROM link")] == [merged]
    assert len(desk.rows("SELECT 1 FROM record")) == 1
    assert desk.rows("SELECT 1 FROM duplicate") == []
    assert quiet(desk)


def _hear(desk: Desk, name: str, remote_id: str) -> None:
    """What a webhook leaves behind."""
    desk.change(
        "INSERT INTO wanted (organization_id, id, connection_id, what, remote_object, remote_id,"
        " created_at) VALUES (%s, %s, %s, 'webhook', %s, %s, now())",
        desk.person.organization_id,
        new_id(),
        desk.connection_id,
        name,
        remote_id,
    )


def test_old_ids_lead_to_the_record_that_is_left(desk: Desk, merging: HubSpot) -> None:
    first = merging.add("companies", name="Acme", domain="acme.example")
    second = merging.add("companies", name="Acme Ltd", domain="acme.test")
    contact = merging.add("contacts", email="ann@example.test", firstname="Ann")
    merging.associate("contacts", contact, "companies", second, primary=True)
    desk.sync("full")
    ann, acme = desk.by_title("Ann")["id"], desk.by_title("Acme")["id"]

    merged = merging.merge("companies", first, second)
    merging.edit("companies", merged, city="Porto")
    for old in (first, second):
        _hear(desk, "companies", old)
    desk.sync("delta")

    assert desk.record(acme)["data"]["city"] == "Porto"
    assert desk.target(ann, "company") == acme
    aliases = desk.rows("SELECT remote_id FROM link_alias ORDER BY remote_id")
    assert {row["remote_id"] for row in aliases} == {first, second} - {merged}
    assert quiet(desk)


def test_a_reference_parked_under_an_old_id_finds_the_record_that_is_left(
    desk: Desk, merging: HubSpot
) -> None:
    first = merging.add("companies", name="Acme", domain="acme.example")
    second = merging.add("companies", name="Acme Ltd", domain="acme.test")
    ann = desk.add("contact", first_name="Ann", email="ann@example.test")
    desk.change(
        "INSERT INTO reference (organization_id, record_id, field, position, connection_id,"
        " remote_object, remote_id) VALUES (%s, %s, 'company', 0, %s, 'companies', %s)",
        desk.person.organization_id,
        ann,
        desk.connection_id,
        second,
    )

    merging.merge("companies", first, second)
    desk.sync("full")
    desk.sync("full")

    assert desk.target(ann, "company") == desk.by_title("Acme")["id"]


def test_a_converted_record_is_known_by_the_id_it_had_as_another_object(
    desk: Desk, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    desk.sync("full")
    plain = Client.changes

    def told(self: Client, ask: Ask, cursor: str | None = None) -> Page:
        """HubSpot tells of no conversions; other CRMs do."""
        page = plain(self, ask, cursor)
        if ask.object != "contacts":
            return page
        records = tuple(replace(one, former=(Former("leads", "7"),)) for one in page.records)
        return replace(page, records=records)

    monkeypatch.setattr(Client, "changes", told)
    runs = [desk.sync("full"), desk.sync("full")]

    [alias] = desk.rows("SELECT remote_object, remote_id, link_id FROM link_alias")
    [link] = desk.rows("SELECT id, remote_id FROM link")
    assert alias == {"remote_object": "leads", "remote_id": "7", "link_id": link["id"]}
    assert (link["remote_id"], [run.ours for run in runs]) == (contact, [QUIET, QUIET])


@pytest.mark.parametrize("mode", ["delta", "full"])
def test_what_a_merge_left_and_a_person_archived_is_gone_under_all_its_ids(
    desk: Desk, merging: HubSpot, mode: str
) -> None:
    first = merging.add("companies", name="Acme", domain="acme.example")
    second = merging.add("companies", name="Acme Ltd", domain="acme.test")
    desk.sync("full")

    merged = merging.merge("companies", first, second)
    merging.archive("companies", merged)
    run = desk.sync(mode)

    rows = desk.rows("SELECT status, error FROM link")
    assert {(row["status"], row["error"]) for row in rows} == {
        ("remote_gone", "Archived in HubSpot.")
    }
    assert (len(rows), run.ours["deleted"]) == (2, 0)
    assert quiet(desk)
