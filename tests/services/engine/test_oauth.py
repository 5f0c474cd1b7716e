"""Signing in: the way out, the way back, and what must not be possible on either."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from crm_admin import tenancy
from crm_admin.errors import BadInput
from crm_admin.ids import new_id
from crm_admin.providers.auth import challenge_of
from crm_admin.security.permissions import Role
from crm_admin.services import connections_credentials, connections_removal, oauth, oauth_apps
from crm_admin.services.access import Person
from crm_admin.services.queries.connection_access import access
from crm_admin.services.sealing import tokens_of
from tests.services.engine.conftest import Desk, HubSpot
from tests.services.engine.oauth_desk import (
    CLIENT,
    SESSION,
    come_back,
    consent,
    health,
    held,
    sign_in,
    token_calls,
)


@pytest.fixture
def here(in_app: Flask) -> str:
    return oauth_apps.callback_url("hubspot")


@pytest.fixture
def app_known(desk: Desk, hubspot: HubSpot) -> Desk:
    """The connection has an application of its own, which the simulator knows too."""
    hubspot.post("/_sim/config", {"oauth_clients": {CLIENT["client_id"]: CLIENT["client_secret"]}})
    connections_credentials.set_app(person=desk.person, connection_id=desk.connection_id, **CLIENT)
    return desk


def leave(desk: Desk, **more: object) -> str:
    return oauth.start(
        person=desk.person, connection_id=desk.connection_id, session_hash=SESSION, **more
    )


def test_the_way_out_asks_for_what_the_chosen_objects_need_and_no_more(
    app_known: Desk, here: str
) -> None:
    app_known.change(
        "UPDATE stream SET enabled = remote_object = 'contacts', direction = 'from_crm'"
    )

    asked = {k: v[0] for k, v in parse_qs(urlsplit(leave(app_known)).query).items()}

    assert set(asked["scope"].split()) == {
        "oauth",
        "crm.objects.owners.read",
        "crm.objects.contacts.read",
        "crm.schemas.contacts.read",
    }
    assert (asked["redirect_uri"], asked["code_challenge_method"]) == (here, "S256")
    state = app_known.rows("SELECT state_hash, verifier FROM oauth_state")[0]
    assert asked["state"] not in str(state)
    assert asked["code_challenge"] != challenge_of(state["verifier"])


def test_coming_back_keeps_sealed_tokens_and_the_next_sync_uses_them(
    app_known: Desk, hubspot: HubSpot, here: str
) -> None:
    hubspot.add("contacts", email="ana@example.test", lastname="Silva")

    back = sign_in(app_known, here)
    report = app_known.sync("full")

    assert (back.connected, report.state) == (True, "succeeded")
    row = app_known.rows("SELECT * FROM connection")[0]
    assert (row["settings"]["sign_in"], row["health"]) == ("oauth", "ok")
    assert set(row["credentials"]) == {"client_secret"}
    assert row["account"]["id"] == "24681012"
    pair = tokens_of(row["organization_id"], row["id"]).opened(held(app_known)["secrets"])
    everything = str(app_known.rows("SELECT * FROM api_call")) + str(
        app_known.rows("SELECT * FROM audit_event")
    )
    assert set(pair) == {"access_token", "refresh_token"}
    for secret in (*pair.values(), CLIENT["client_secret"]):
        assert secret not in everything
        assert secret not in str(row) + str(held(app_known))


def test_a_refusal_on_the_consent_page_changes_nothing(app_known: Desk, here: str) -> None:
    back = come_back(app_known.person, consent(leave(app_known), "deny"), here)

    assert not back.connected
    assert "was not allowed" in back.sentence
    assert app_known.rows("SELECT * FROM oauth_token") == []
    assert health(app_known) == ("ok", None)


def test_a_state_is_good_once(app_known: Desk, here: str) -> None:
    query = consent(leave(app_known))

    first = come_back(app_known.person, query, here)
    second = come_back(app_known.person, query, here)

    assert (first.connected, second.connected) == (True, False)
    assert "used already" in second.sentence
    assert len(token_calls(app_known)) == 1


def test_a_code_that_was_used_before_is_refused_with_a_sentence(app_known: Desk, here: str) -> None:
    used = consent(leave(app_known))
    come_back(app_known.person, used, here)
    fresh = consent(leave(app_known))

    back = come_back(app_known.person, {**fresh, "code": used["code"]}, here)

    assert not back.connected
    assert "start again" in back.sentence


@pytest.mark.parametrize("what", ["session", "person", "organization", "door", "late", "made up"])
def test_a_state_works_only_for_who_left_with_it(app_known: Desk, here: str, what: str) -> None:
    query, person, session, came_to = consent(leave(app_known)), app_known.person, SESSION, here
    if what == "session":
        session = "another-session"
    elif what == "person":
        person = Person(new_id(), "Eve", Role.ADMIN, person.organization_id)
    elif what == "organization":
        person = Person(person.user_id, "Ana", Role.ADMIN, new_id())
    elif what == "door":
        came_to = here.replace("hubspot", "salesforce")
    elif what == "late":
        app_known.change("UPDATE oauth_state SET expires_at = now() - interval '1 second'")
    else:
        query = {**query, "state": "made-up"}

    with tenancy.acting_for(person.organization_id):
        back = come_back(person, query, came_to, session)

    assert not back.connected
    assert token_calls(app_known) == []


def test_another_account_is_refused_until_the_links_are_reset_on_purpose(
    app_known: Desk, hubspot: HubSpot, here: str
) -> None:
    hubspot.add("contacts", email="ana@example.test", lastname="Silva")
    app_known.sync("full")
    app_known.change('UPDATE connection SET account = \'{"id": "999"}\'')
    links = "SELECT count(*) AS n FROM link"

    refused = sign_in(app_known, here)
    kept = app_known.rows(links)[0]["n"]
    allowed = sign_in(app_known, here, reset_links=True)

    assert (refused.connected, refused.other_account, kept) == (False, "24681012", 1)
    assert "999" in refused.sentence
    assert allowed.connected
    assert app_known.rows(links)[0]["n"] == 0
    assert app_known.rows("SELECT account, stance FROM connection")[0] == {
        "account": {"id": "24681012"},
        "stance": "observe",
    }
    assert app_known.by_title("Silva")["deleted_at"] is None


def test_a_wrong_client_secret_is_said_and_nothing_is_kept(app_known: Desk, here: str) -> None:
    connections_credentials.set_app(
        person=app_known.person,
        connection_id=app_known.connection_id,
        client_id=CLIENT["client_id"],
        client_secret="not-the-secret-at-all",
    )

    back = sign_in(app_known, here)

    assert not back.connected
    assert "client id or secret" in back.sentence
    assert app_known.rows("SELECT * FROM oauth_token") == []


def test_a_connection_with_its_own_application_can_sign_in_again_after_it_was_disconnected(
    app_known: Desk, here: str
) -> None:
    assert sign_in(app_known, here).connected
    connections_removal.disconnect(person=app_known.person, connection_id=app_known.connection_id)

    left = app_known.rows("SELECT * FROM connection")[0]
    with pytest.raises(BadInput, match="Enter the client id and secret"):
        leave(app_known)
    connections_credentials.set_app(
        person=app_known.person, connection_id=app_known.connection_id, **CLIENT
    )

    assert "client_id" not in left["settings"]
    assert sign_in(app_known, here).connected


def test_an_id_whose_secret_is_gone_is_no_application(app_known: Desk) -> None:
    app_known.change("UPDATE connection SET credentials = credentials - 'client_secret'")

    row = app_known.rows("SELECT * FROM connection")[0]

    assert oauth_apps.app_of(row) is None
    assert not access(app_known.connection_id).has_app


def test_the_installations_application_goes_to_the_vendor_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from flask import current_app

    known = {"HUBSPOT_CLIENT_ID": "ours", "HUBSPOT_CLIENT_SECRET": "ours-only-for-hubspot"}
    settings = replace(current_app.config["CRM"], provider_defaults=known)
    monkeypatch.setitem(current_app.config, "CRM", settings)

    own = oauth_apps.installed_app("hubspot", "https://api.hubapi.com")
    simulated = oauth_apps.installed_app("hubspot", "http://127.0.0.1:8010/hubspot")
    foreign = oauth_apps.installed_app("hubspot", "https://hubapi.com.example.test")

    assert own is not None
    assert own.client_id == "ours"
    assert (simulated, foreign) == (None, None)
