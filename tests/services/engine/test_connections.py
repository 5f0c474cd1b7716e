"""A connection's limits, and what happens to everything else when it is reset or deleted."""

import logging
from typing import Any

import pytest
import redis
from flask import Flask, current_app

from crm_admin import dispatch
from crm_admin.errors import BadInput, RetryLater
from crm_admin.outward.inprocess import LocalBudget
from crm_admin.outward.protocols import Rank, Seen
from crm_admin.services import (
    connections,
    connections_health,
    connections_links,
    connections_removal,
    connections_settings,
    oauth_apps,
    remote,
    save_trigger,
)
from crm_admin.services.sealing import tokens_of
from crm_admin.services.wiring import Capped
from crm_admin.simulators.server import start_in_thread
from tests.services.engine.conftest import Desk, HubSpot
from tests.services.engine.oauth_desk import CLIENT, held, sign_in


def fill(desk: Desk, crm: HubSpot, contacts: int = 5) -> None:
    for place in range(contacts):
        crm.add("contacts", email=f"c{place}@example.test", lastname=f"Contact {place}")
    assert desk.sync("full").state == "succeeded"


def records(desk: Desk) -> list[dict[str, Any]]:
    return desk.rows("SELECT id, version, data, deleted_at FROM record ORDER BY id")


def row_of(desk: Desk) -> dict[str, Any]:
    return desk.rows("SELECT * FROM connection WHERE id = %s", desk.connection_id)[0]


def test_a_deletion_that_was_cut_short_goes_on_and_touches_no_record(
    desk: Desk, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(desk, hubspot)
    before, theirs = records(desk), hubspot.all("contacts")
    monkeypatch.setattr(connections_links, "SLICE", 2)
    monkeypatch.setattr(connections_removal, "AT_ONCE", 1)
    monkeypatch.setattr(dispatch, "enqueue", lambda *_, **__: True)

    at_once = connections_removal.delete(
        person=desk.person, connection_id=desk.connection_id, typed="HubSpot"
    )
    slices = connections_links.forget(desk.connection_id)
    next(slices)
    left = desk.rows("SELECT count(*) AS n FROM link")[0]["n"]
    connections_removal.work(desk.person.organization_id, desk.connection_id)

    assert (at_once, left) == (False, 3)
    assert desk.rows("SELECT id FROM connection") == []
    assert desk.rows("SELECT id FROM link") == []
    assert desk.rows("SELECT connection_id, state FROM sync_run") == [
        {"connection_id": None, "state": "succeeded"}
    ]
    assert (records(desk), hubspot.all("contacts")) == (before, theirs)


def test_references_between_records_outlive_the_connection_they_came_by(
    desk: Desk, hubspot: HubSpot
) -> None:
    fill(desk, hubspot, 1)
    company = desk.add("company", name="Nordlicht")
    contact = desk.by_title("Contact 0")["id"]
    desk.change(
        "INSERT INTO reference (organization_id, record_id, field, position, target_id,"
        " connection_id, remote_object, remote_id)"
        " VALUES (%s, %s, 'company', 0, %s, %s, 'companies', '77')",
        desk.person.organization_id,
        contact,
        company,
        desk.connection_id,
    )

    connections_removal.delete(
        person=desk.person, connection_id=desk.connection_id, typed="HubSpot"
    )

    kept = desk.rows("SELECT record_id, target_id, connection_id FROM reference")
    assert kept == [{"record_id": contact, "target_id": company, "connection_id": None}]


def test_a_reset_forgets_the_links_and_the_next_run_finds_them_again(
    desk: Desk, hubspot: HubSpot
) -> None:
    fill(desk, hubspot)
    before = records(desk)

    forgotten = connections_removal.reset_links(
        person=desk.person, connection_id=desk.connection_id, typed="HubSpot"
    )
    none = desk.rows("SELECT count(*) AS n FROM link")[0]["n"]
    plan = desk.sync("full")
    desk.approve(plan)

    assert (forgotten, none) == (5, 0)
    assert plan.state == "planned"
    assert [one["id"] for one in records(desk)] == [one["id"] for one in before]
    assert desk.rows("SELECT count(*) AS n FROM link")[0]["n"] == 5


def test_nothing_is_reset_while_a_run_is_under_way(desk: Desk) -> None:
    desk.change(
        "INSERT INTO sync_run (organization_id, id, connection_id, mode, state, trigger)"
        " SELECT organization_id, gen_random_uuid(), id, 'full', 'queued', 'manual'"
        " FROM connection"
    )

    with pytest.raises(BadInput, match="under way"):
        connections_removal.reset_links(
            person=desk.person, connection_id=desk.connection_id, typed="HubSpot"
        )


def test_a_daily_limit_lets_people_on_and_runs_wait(desk: Desk, hubspot: HubSpot) -> None:
    fill(desk, hubspot)
    desk.change("UPDATE connection SET limits = '{\"daily_calls\": 1}'")

    report = desk.sync("delta")
    with remote.opened(row_of(desk)) as opened:
        account = opened.provider.account()

    assert report.state == "waiting"
    assert "calls a day" in report.message
    assert account.id == "24681012"
    with pytest.raises(RetryLater):
        remote.open_connection(row_of(desk), run_id=None, rank=1)


def test_a_rate_of_ours_is_not_forgotten_when_the_crm_names_a_higher_one() -> None:
    inner = LocalBudget({"": (10, 10.0)}, clock=lambda: 0.0)
    budget = Capped(inner, 10, 10.0)

    budget.learn(Seen("", 190, 189, 10.0))
    waits = [budget.take(1, Rank.PEOPLE) for _ in range(11)]

    assert waits[:10] == [0.0] * 10
    assert waits[10] > 0


def test_a_batch_limit_makes_more_and_smaller_calls(desk: Desk, hubspot: HubSpot) -> None:
    for place in range(4):
        desk.add("contact", last_name=f"New {place}", email=f"n{place}@example.test")
    desk.change("UPDATE connection SET limits = '{\"batch\": 2}'")

    desk.sync("delta")

    calls = desk.rows("SELECT path FROM api_call WHERE path LIKE '%%contacts/batch/create'")
    assert len(calls) == 2


def test_a_saved_record_is_sent_at_once_where_that_was_chosen(desk: Desk, hubspot: HubSpot) -> None:
    fill(desk, hubspot, 1)
    contact = desk.by_title("Contact 0")["id"]
    runs = "SELECT id FROM sync_run WHERE trigger = 'save'"

    desk.edit(contact, city="Porto")
    before = desk.rows(runs)
    save_trigger.choose(person=desk.person, connection_id=desk.connection_id, on_save=True)
    desk.edit(contact, city="Lyon")
    asked = desk.rows(runs)
    desk.work(asked[0]["id"])

    assert before == []
    assert [one["city"] for one in hubspot.all("contacts").values()] == ["Lyon"]


def test_credentials_of_another_account_make_a_connection_need_attention(desk: Desk) -> None:
    desk.change('UPDATE connection SET account = \'{"id": "999"}\'')

    word = connections_health.check(desk.connection_id)
    lines = connections.check(desk.person.organization_id, desk.connection_id)

    account = next(line for line in lines if line.name == "account")
    assert word == "needs_reconnect"
    assert (account.ok, "999" in account.sentence) == (False, True)
    assert row_of(desk)["account"] == {"id": "999"}


def test_an_address_of_another_account_is_not_kept(desk: Desk, hubspot: HubSpot) -> None:
    desk.change("UPDATE connection SET account = jsonb_build_object('id', '999')")

    def move(url: str) -> bool:
        general = connections_settings.General("HubSpot", "simulator", url)
        return connections_settings.change(
            person=desk.person, connection_id=desk.connection_id, general=general
        )

    with start_in_thread("hubspot") as other:
        same = move(f"{hubspot.url}/")
        with pytest.raises(BadInput, match=r"account 999.*former address stays"):
            move(other.url)

    assert same is False
    assert row_of(desk)["endpoint"] == hubspot.url


def test_no_secret_reaches_logs_calls_audit_or_redis(
    desk: Desk, hubspot: HubSpot, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    from crm_admin.services import connections_credentials

    with caplog.at_level(logging.DEBUG):
        connections_credentials.set_app(
            person=desk.person, connection_id=desk.connection_id, **CLIENT
        )
        sign_in(desk, oauth_apps.callback_url("hubspot"))
        hubspot.fail({"fault": "500", "path": "/crm/", "times": 2})
        connections.start_check(person=desk.person, connection_id=desk.connection_id)
        fill(desk, hubspot, 2)

    place = (desk.person.organization_id, desk.connection_id)
    secrets = [*tokens_of(*place).opened(held(desk)["secrets"]).values(), CLIENT["client_secret"]]
    tables = ("api_call", "audit_event", "attention", "sync_run", "connection", "oauth_token")
    stored = " ".join(str(desk.rows(f"SELECT * FROM {name}")) for name in tables)
    seen = {"logs": caplog.text, "tables": stored, "redis": _redis_dump()}
    found = [name for name, text in seen.items() for one in secrets if one in text]
    assert found == []
    assert all(len(one) > 20 for one in secrets)


def _redis_dump() -> str:
    client = redis.Redis.from_url(current_app.config["CRM"].redis_url)
    parts = []
    for key in client.scan_iter("*"):
        kind = client.type(key)
        value: object = client.hgetall(key) if kind == b"hash" else client.dump(key)
        parts.append(f"{key!r} {value!r}")
    client.close()
    return " ".join(parts)
