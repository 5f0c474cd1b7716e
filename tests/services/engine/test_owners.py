"""Owners there are people here, by their e-mail addresses."""

import pytest

from crm_admin.simulators.hubspot.settings import ALL_SCOPES, DEMO_TOKEN
from tests.services.engine.conftest import Desk, HubSpot

MIA, GONE, NOBODY = "41", "44", "43"


@pytest.fixture
def team(desk: Desk) -> str:
    """The desk's admin has the address of an owner there; returns the admin's id."""
    desk.change(
        "UPDATE app_user SET email = 'Mia.Brandt@demo.test', email_key = 'mia.brandt@demo.test'"
        " WHERE id = %s",
        desk.person.user_id,
    )
    desk.change(
        "INSERT INTO membership (user_id, organization_id, role) VALUES (%s, %s, 'admin')",
        desk.person.user_id,
        desk.person.organization_id,
    )
    return str(desk.person.user_id)


def test_an_owner_goes_both_ways(desk: Desk, hubspot: HubSpot, team: str) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann", hubspot_owner_id=MIA)
    desk.add("contact", first_name="Bo", email="bo@example.test", owner=team)

    run = desk.sync("full")

    assert run.state == "succeeded"
    assert desk.by_title("Ann")["data"]["owner"] == team
    assert str(desk.by_title("Ann")["owner_id"]) == team
    found = {one["email"]: one["hubspot_owner_id"] for one in hubspot.all("contacts").values()}
    assert found["bo@example.test"] == MIA
    assert desk.sync("full").writes_theirs == 0


def test_an_owner_without_account_is_said_and_taken_once_there_is_one(
    desk: Desk, hubspot: HubSpot, team: str
) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann", hubspot_owner_id=NOBODY)
    desk.sync("full")
    [before] = desk.rows("SELECT error FROM link")
    held = desk.by_title("Ann")["data"].get("owner")

    desk.change(
        "UPDATE app_user SET email_key = 'ines.duarte@demo.test' WHERE id = %s", desk.person.user_id
    )
    desk.change("UPDATE connection SET people_read_at = NULL")
    desk.sync("full")

    assert "Owner 43 of the CRM has no account here" in before["error"]
    assert (held, desk.by_title("Ann")["data"]["owner"]) == (None, team)
    assert desk.rows("SELECT error FROM link") == [{"error": None}]


def test_our_owner_who_is_nobody_there_stops_nothing_else(
    desk: Desk, hubspot: HubSpot, team: str
) -> None:
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    desk.sync("full")
    stranger = "01939c6e-0000-7000-8000-000000000001"

    desk.edit(desk.by_title("Ann")["id"], owner=stranger, city="Porto")
    run = desk.sync("delta")

    held = hubspot.all("contacts")[remote]
    assert (run.theirs["updated"], held["city"], held.get("hubspot_owner_id")) == (1, "Porto", None)


def test_without_the_right_to_read_owners_everything_else_is_synced(
    desk: Desk, hubspot: HubSpot, team: str
) -> None:
    scopes = [one for one in ALL_SCOPES if one != "crm.objects.owners.read"]
    hubspot.post("/_sim/config", {"tokens": {DEMO_TOKEN: {"scopes": scopes}}})
    hubspot.add("contacts", email="ann@example.test", firstname="Ann", hubspot_owner_id=MIA)

    run = desk.sync("full")

    assert (run.state, run.ours["created"]) == ("succeeded", 1)
    [item] = desk.rows("SELECT sentence FROM attention WHERE kind = 'owners'")
    assert "crm.objects.owners.read" in item["sentence"]


def test_people_are_read_once_an_hour(desk: Desk, hubspot: HubSpot, team: str) -> None:
    desk.sync("full")
    desk.sync("delta")

    calls = desk.rows("SELECT path FROM api_call WHERE path LIKE '%%owners%%'")
    assert len(calls) == 2
    people = desk.rows("SELECT remote_id, active FROM remote_person ORDER BY remote_id")
    assert {"remote_id": GONE, "active": False} in people
    assert [row["remote_id"] for row in people if not row["active"]] == [GONE]
