"""Tokens that end, are refused or revoked: renewed once for everybody, and nothing is lost."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from crm_admin import crashpoints, tenancy
from crm_admin.crashpoints import Crashed
from crm_admin.errors import NeedsAttention
from crm_admin.outward.protocols import Rank
from crm_admin.services import (
    connections,
    connections_credentials,
    connections_removal,
    oauth_apps,
    oauth_tokens,
    remote,
)
from crm_admin.services.sealing import tokens_of
from crm_admin.services.sql import dumps
from crm_admin.services.wiring import Calls
from tests.services.engine.conftest import Desk, HubSpot
from tests.services.engine.oauth_desk import CLIENT, health, held, sign_in, token_calls

ENDS_SOON = "UPDATE oauth_token SET expires_at = now() + interval '4 minutes'"
IS_OVER = "UPDATE oauth_token SET expires_at = now() - interval '1 minute'"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth_tokens, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def signed_in(desk: Desk, hubspot: HubSpot) -> Desk:
    connections_credentials.set_app(person=desk.person, connection_id=desk.connection_id, **CLIENT)
    assert sign_in(desk, oauth_apps.callback_url("hubspot")).connected
    hubspot.add("contacts", email="ana@example.test", lastname="Silva")
    return desk


def row_of(desk: Desk) -> dict[str, Any]:
    return desk.rows("SELECT * FROM connection WHERE id = %s", desk.connection_id)[0]


def pair(desk: Desk) -> dict[str, str]:
    return tokens_of(desk.person.organization_id, desk.connection_id).opened(held(desk)["secrets"])


def renewals(desk: Desk) -> int:
    return len(token_calls(desk)) - 1


def forget_access_tokens(crm: HubSpot, desk: Desk) -> None:
    """HubSpot does not accept the access token any more, although it says it lives on."""
    crm.post("/_sim/config", {"tokens": {pair(desk)["access_token"]: {"revoked": True}}})


def revoke_sign_in(crm: HubSpot, desk: Desk) -> None:
    """A person takes the app away in HubSpot."""
    forget_access_tokens(crm, desk)
    connections_removal.revoke(row_of(desk))


def test_a_token_is_renewed_five_minutes_early_and_the_former_is_forgotten_once_it_worked(
    signed_in: Desk,
) -> None:
    before = pair(signed_in)
    signed_in.change(ENDS_SOON)

    report = signed_in.sync("full")

    after = held(signed_in)
    assert (report.state, renewals(signed_in)) == ("succeeded", 1)
    assert pair(signed_in)["access_token"] != before["access_token"]
    assert (after["previous"], after["refusals"], after["claim"]) == ({}, 0, None)


def test_a_token_refused_in_the_middle_of_a_run_is_renewed_and_the_run_goes_on(
    signed_in: Desk, hubspot: HubSpot
) -> None:
    hubspot.fail({"fault": "token_expired", "path": "/crm/", "times": 1})

    report = signed_in.sync("full")

    assert (report.state, renewals(signed_in)) == ("succeeded", 1)
    assert signed_in.by_title("Silva")["deleted_at"] is None


def test_a_sign_in_revoked_in_the_middle_of_a_run_stops_it_with_the_reason(
    signed_in: Desk, hubspot: HubSpot
) -> None:
    signed_in.sync("full")
    links = signed_in.rows("SELECT id, base_ours, base_theirs FROM link ORDER BY id")
    hubspot.add("contacts", email="ben@example.test", lastname="Ode")
    revoke_sign_in(hubspot, signed_in)

    report = signed_in.sync("full")
    again = signed_in.sync("full")

    items = signed_in.rows("SELECT kind, sentence FROM attention WHERE state = 'open'")
    assert (report.state, again.state) == ("failed", "failed")
    assert "ended our sign-in" in report.message
    assert health(signed_in)[0] == "needs_reconnect"
    assert [one["kind"] for one in items] == ["reconnect"]
    assert signed_in.rows("SELECT id, base_ours, base_theirs FROM link ORDER BY id") == links
    asked = [one for one in token_calls(signed_in) if one["status"] == 400]
    assert len(asked) == oauth_tokens.MOST_REFUSALS


def test_the_check_list_says_that_the_sign_in_has_ended(signed_in: Desk, hubspot: HubSpot) -> None:
    revoke_sign_in(hubspot, signed_in)

    lines = connections.check(signed_in.person.organization_id, signed_in.connection_id)

    refused = next(line for line in lines if line.ok is False)
    assert (refused.name, "ended our sign-in" in refused.sentence) == ("credentials", True)
    assert {line.ok for line in lines if line is not refused} == {None}
    assert health(signed_in)[0] == "needs_reconnect"


def test_connecting_again_makes_a_revoked_connection_well(
    signed_in: Desk, hubspot: HubSpot
) -> None:
    revoke_sign_in(hubspot, signed_in)
    signed_in.sync("full")

    back = sign_in(signed_in, oauth_apps.callback_url("hubspot"))

    assert back.connected
    assert health(signed_in) == ("ok", None)
    assert signed_in.sync("full").state == "succeeded"
    assert signed_in.rows("SELECT * FROM attention WHERE state = 'open'") == []


def test_while_the_sign_in_answers_500_a_good_token_is_used_on(
    signed_in: Desk, hubspot: HubSpot
) -> None:
    signed_in.change(ENDS_SOON)
    hubspot.fail({"fault": "500", "path": "/oauth/"})

    report = signed_in.sync("full")

    assert report.state == "succeeded"
    assert health(signed_in) == ("ok", None)
    assert "500" in held(signed_in)["error"]


def test_while_the_sign_in_answers_500_a_run_without_a_token_waits(
    signed_in: Desk, hubspot: HubSpot
) -> None:
    signed_in.change(IS_OVER)
    hubspot.fail({"fault": "500", "path": "/oauth/"})

    report = signed_in.sync("full")

    assert report.state == "waiting"
    assert health(signed_in) == ("ok", None)


def test_workers_that_renew_at_once_ask_once(signed_in: Desk, app: Flask) -> None:
    signed_in.change(IS_OVER)
    row, start = row_of(signed_in), threading.Barrier(4)
    tokens: list[str] = []

    def work() -> None:
        with app.app_context(), tenancy.acting_for(signed_in.person.organization_id):
            calls = Calls(row["id"], None, Rank.BULK)
            start.wait()
            tokens.append(oauth_tokens.obtain(row, calls).text)
            calls.flush()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert renewals(signed_in) == 1
    assert tokens == [pair(signed_in)["access_token"]] * 4


def crash_at(name: str) -> Callable[[str], None]:
    def handler(point: str) -> None:
        if point == name:
            raise Crashed(point)

    return handler


@pytest.mark.parametrize("point", ["token.refreshed.before_store", "token.stored.after_commit"])
def test_a_worker_that_dies_while_renewing_holds_nobody_up_for_long(
    signed_in: Desk, point: str
) -> None:
    signed_in.change(IS_OVER)
    crashpoints.install(crash_at(point))
    with pytest.raises(Crashed):
        oauth_tokens.renew_due(signed_in.connection_id)
    crashpoints.install(None)
    signed_in.change("UPDATE oauth_token SET claimed_until = now() WHERE claim IS NOT NULL")

    word = oauth_tokens.renew_due(signed_in.connection_id)

    assert word == "done"
    assert signed_in.sync("full").state == "succeeded"


def test_a_pair_that_never_became_good_is_given_up_for_the_one_before(signed_in: Desk) -> None:
    place = (signed_in.person.organization_id, signed_in.connection_id)
    good = pair(signed_in)
    bad = {"access_token": "never-good", "refresh_token": "never-good-either"}
    signed_in.change(
        "UPDATE oauth_token SET secrets = %s, previous = %s",
        dumps(tokens_of(*place).seal(bad)),
        dumps(tokens_of(*place, former=True).seal(good)),
    )

    report = signed_in.sync("full")

    assert report.state == "succeeded"
    assert pair(signed_in)["refresh_token"] == good["refresh_token"]


def test_the_schedule_renews_what_ends_soon_and_leaves_keys_alone(signed_in: Desk) -> None:
    fresh = oauth_tokens.renew_due(signed_in.connection_id)
    untouched = renewals(signed_in)
    signed_in.change(ENDS_SOON)
    due = oauth_tokens.renew_due(signed_in.connection_id)
    asked = renewals(signed_in)
    signed_in.change("UPDATE connection SET settings = settings - 'sign_in'")
    key = oauth_tokens.renew_due(signed_in.connection_id)

    assert (fresh, untouched) == ("done", 0)
    assert (due, asked) == ("done", 1)
    assert key == "skipped"
    jobs = {row["job"] for row in signed_in.rows("SELECT job FROM schedule")}
    assert "token-refresh" in jobs


def test_a_sealed_token_opens_nowhere_else(signed_in: Desk) -> None:
    signed_in.change(
        "UPDATE oauth_token SET secrets = jsonb_build_object('access_token',"
        " secrets->'refresh_token', 'refresh_token', secrets->'access_token')"
    )

    report = signed_in.sync("full")

    assert report.state == "failed"
    assert "cannot be read with the present keys" in report.message


def test_disconnecting_forgets_the_sign_in_on_both_sides_and_keeps_the_links(
    signed_in: Desk,
) -> None:
    signed_in.sync("full")
    refresh_token = pair(signed_in)["refresh_token"]

    connections_removal.disconnect(person=signed_in.person, connection_id=signed_in.connection_id)

    row = row_of(signed_in)
    assert (row["health"], row["credentials"]) == ("disconnected", {})
    assert signed_in.rows("SELECT * FROM oauth_token") == []
    assert signed_in.rows("SELECT count(*) AS n FROM link")[0]["n"] == 1
    assert token_calls(signed_in)[-1]["path"].endswith("/revoke")
    assert refresh_token not in str(token_calls(signed_in))
    with pytest.raises(NeedsAttention), remote.opened(row):
        pass
