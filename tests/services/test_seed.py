"""The demo: what it holds, that a second seed changes nothing, and what its first plan shows."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from crm_admin import tenancy
from crm_admin.cli.seed import seed as command
from crm_admin.errors import BadInput, Unavailable
from crm_admin.packs.registry import kinds
from crm_admin.records.identity import GREY, SURE, keys_of
from crm_admin.records.names import FREE_MAIL, person_name
from crm_admin.records.values import canonicaliser
from crm_admin.security.permissions import Role
from crm_admin.services import connections, organizations, plans, users
from crm_admin.services.access import Person
from crm_admin.services.runs import Report
from crm_admin.services.seed import demo, simulator
from crm_admin.services.seed.draws import SEED, Draws, respelt_phone
from crm_admin.services.seed.theirs import make_theirs
from crm_admin.services.seed.world import make_world
from crm_admin.services.sql import transaction
from crm_admin.services.streams import default_choices
from crm_admin.simulators.server import start_in_thread
from tests.services.engine.conftest import Desk, HubSpot

PASSWORD = "correct-horse-battery-9"
RESERVED = (".example", ".test")


def wires() -> dict[str, list[dict[str, Any]]]:
    return {
        name: [item.as_json() for item in items]
        for name, items in make_theirs(make_world()).items()
    }


def test_the_demo_has_the_promised_numbers_of_records() -> None:
    world = make_world()

    counts = {kind: len(made) for kind, made in world.by_kind.items()}

    assert counts == {"company": 300, "contact": 2000, "deal": 400, "pov": 40}
    assert Counter(pov.owner for pov in world.povs)[2] == 12


def test_the_generators_make_the_same_records_every_time() -> None:
    make_world.cache_clear()
    first = make_world()
    make_world.cache_clear()

    second = make_world()

    assert first is not second
    assert first == second
    assert make_theirs(first) == make_theirs(second)


def test_every_value_of_ours_is_canonical() -> None:
    world = make_world()

    for kind, made in world.by_kind.items():
        fields = {field.name: field for field in kinds()[kind].fields}
        for one in made:
            for name, value in one.data.items():
                assert canonicaliser(fields[name])(value) == value


def test_all_domains_are_reserved_ones() -> None:
    world = make_world()
    hosts = {str(c.data["domain"]) for c in world.companies if "domain" in c.data}
    hosts |= {str(c.data["email"]).rpartition("@")[2] for c in world.contacts if "email" in c.data}
    hosts |= {
        item["properties"][name].rpartition("@")[2]
        for items in wires().values()
        for item in items
        for name in ("domain", "email")
        if name in item["properties"]
    }

    assert all(host.endswith(RESERVED) for host in hosts)
    assert not hosts & FREE_MAIL


def test_no_two_people_share_a_name_a_number_or_an_address() -> None:
    world = make_world()
    people = [dict(c.data) for c in world.contacts]
    people += [dict(data) for _, data in world.strangers.contacts]

    names = Counter(person_name(f"{p['first_name']} {p['last_name']}") for p in people)
    emails = Counter(p["email"] for p in people if "email" in p)
    phones = Counter(p["phone"] for p in people if "phone" in p)

    assert max(names.values()) == max(emails.values()) == max(phones.values()) == 1


def test_the_demo_is_international_and_partly_untidy() -> None:
    world = make_world()
    names = [f"{c.data['first_name']}|{c.data['last_name']}" for c in world.contacts]
    text = "".join(names)

    assert any("\u3040" <= letter <= "\u9fff" for letter in text), "no Chinese or Japanese script"
    assert any("\u0600" <= letter <= "\u06ff" for letter in text), "nothing from right to left"
    assert any(letter in "éüøłñ" for letter in text), "no accents"
    assert sum(name != name.strip() or " |" in name for name in names) > 20
    assert sum(name.rpartition("|")[2].isupper() for name in names) > 20
    assert sum("freemail" in str(c.data.get("email")) for c in world.contacts) > 20


def test_hostile_texts_stand_on_both_sides() -> None:
    world = make_world()
    ours = [str(one.data) for made in world.by_kind.values() for one in made]
    theirs = [str(item) for items in wires().values() for item in items]

    for values in (ours, theirs):
        assert any("<script>" in value for value in values)
        assert any("=HYPERLINK" in value for value in values)
        assert any("🚀" in value for value in values)


def test_a_respelt_number_is_the_same_number() -> None:
    draws = Draws(SEED)
    contact = kinds()["contact"]

    for _ in range(20):
        other = respelt_phone(draws, "+44 20 7946 0123", "0")
        keys = keys_of(contact, {"phone": other, "country": "United Kingdom"})
        assert other != "+44 20 7946 0123"
        assert [key.value for key in keys] == ["+442079460123"]


class Mounted(HubSpot):
    """The simulated HubSpot where it stands beside others."""

    @property
    def url(self) -> str:
        return simulator.endpoint(self.running.url)


@dataclass
class Demo:
    """The demo organisation beside a simulator of its own."""

    app: Flask
    hubspot: HubSpot

    def connect(self) -> Desk:
        """Add the connection as the admin would on the settings page."""
        account = users.authenticate(email="admin@demo.test", password=PASSWORD)
        assert account is not None
        person = Person(account.user_id, account.name, Role.ADMIN, self.organization)
        hint = simulator.hint()
        assert hint is not None
        connection_id = connections.create(
            person=person,
            provider=hint.provider,
            name="HubSpot",
            environment=hint.environment,
            endpoint=hint.endpoint,
            secrets={"access_token": hint.token},
            settings={},
        )
        connections.choose_streams(
            person=person, connection_id=connection_id, choices=default_choices("hubspot", [])
        )
        return Desk(person, connection_id)

    @property
    def organization(self) -> UUID:
        found = organizations.find("Demo")
        assert found is not None
        return found.id

    def counts(self) -> dict[str, int]:
        query = "SELECT kind, count(*) AS n FROM record GROUP BY kind"
        with tenancy.acting_for(self.organization), transaction() as cursor:
            return {row["kind"]: row["n"] for row in cursor.execute(query).fetchall()}

    def remote_counts(self) -> dict[str, int]:
        names = ("companies", "contacts", "deals")
        path = "/_sim/records?limit=1&object="
        return {name: self.hubspot.get(path + name)["total"] for name in names}


@pytest.fixture
def stage(in_app: Flask) -> Iterator[Demo]:
    former = in_app.config["CRM"]
    with start_in_thread(None) as running:
        in_app.config["CRM"] = replace(
            former, simulator_url=running.url, demo=True, demo_password=PASSWORD
        )
        yield Demo(in_app, Mounted(running))
    in_app.config["CRM"] = former


def test_a_seed_makes_people_and_records_on_both_sides(stage: Demo) -> None:
    made = demo.seed()

    assert made.people == 4
    assert (
        stage.counts()
        == dict(made.records)
        == {"company": 300, "contact": 2000, "deal": 400, "pov": 40}
    )
    assert stage.remote_counts() == dict(made.remote)
    account = users.authenticate(email="owner@demo.test", password=PASSWORD)
    assert account is not None
    owned = "SELECT count(*) AS n FROM record WHERE kind = 'pov' AND owner_id = %s"
    with tenancy.acting_for(stage.organization), transaction() as cursor:
        assert cursor.execute(owned, (account.user_id,)).fetchone() == {"n": 12}


def test_a_second_seed_changes_nothing(stage: Demo) -> None:
    demo.seed()
    before = stage.hubspot.get("/_sim/log?after=0&limit=1")

    again = demo.seed()

    assert (again.people, dict(again.records), dict(again.remote)) == (0, {}, {})
    assert "nothing was changed" in again.sentence
    assert stage.counts()["contact"] == 2000
    assert stage.hubspot.get("/_sim/log?after=0&limit=1") == before


def test_a_seed_leaves_records_that_somebody_deleted_deleted(stage: Demo) -> None:
    demo.seed()
    with tenancy.acting_for(stage.organization), transaction() as cursor:
        cursor.execute("DELETE FROM record WHERE kind = 'deal'")

    demo.seed()

    assert "deal" not in stage.counts()


def test_a_reset_makes_everything_anew(stage: Demo) -> None:
    demo.seed()
    former = stage.organization
    stage.hubspot.add("contacts", email="extra@somewhere.example")
    with tenancy.acting_for(former), transaction() as cursor:
        cursor.execute("UPDATE record SET title = 'Edited' WHERE kind = 'pov'")

    made = demo.seed(reset=True)

    assert made.organization == stage.organization != former
    assert made.people == 4
    assert stage.remote_counts() == dict(made.remote)
    with tenancy.acting_for(former), transaction() as cursor:
        assert cursor.execute("SELECT count(*) AS n FROM record").fetchone() == {"n": 0}


@pytest.mark.parametrize("password", [None, "1234", "admin-demo-2026"])
def test_a_password_that_is_missing_or_weak_is_said_so(stage: Demo, password: str | None) -> None:
    stage.app.config["CRM"] = replace(stage.app.config["CRM"], demo_password=password)

    with pytest.raises(BadInput, match="DEMO_PASSWORD"):
        demo.seed()


def test_a_seed_leaves_a_real_organisation_called_demo_alone(stage: Demo) -> None:
    organizations.create(name="Demo")

    with pytest.raises(BadInput, match="a real one"):
        demo.seed(reset=True)


def test_a_simulator_that_does_not_answer_is_said_so(stage: Demo) -> None:
    stage.hubspot.running.close()

    with pytest.raises(Unavailable, match="SIMULATOR_URL"):
        demo.seed()


def test_without_simulators_there_is_no_hint_and_no_other_side(stage: Demo) -> None:
    stage.app.config["CRM"] = replace(stage.app.config["CRM"], simulator_url=None)

    made = demo.seed()

    assert simulator.hint() is None
    assert dict(made.remote) == {}
    assert stage.counts()["pov"] == 40


def test_the_command_prints_a_sentence_or_json(stage: Demo) -> None:
    runner = stage.app.test_cli_runner()

    first = runner.invoke(command, ["--json"])
    second = runner.invoke(command, [])

    assert json.loads(first.output)["records"]["pov"] == 40
    assert "nothing was changed" in second.output
    assert (first.exit_code, second.exit_code) == (0, 0)


@pytest.fixture
def desk(stage: Demo) -> Iterator[Desk]:
    """The demo's admin with the connection just added: it observes."""
    demo.seed()
    stage.hubspot.post("/_sim/config", {"index_lag": 0})
    with tenancy.acting_for(stage.organization):
        yield stage.connect()


def number_of(desk: Desk, plan: Report, condition: str) -> int:
    query = f"SELECT count(*) AS n FROM operation WHERE run_id = %s AND {condition}"
    return int(desk.rows(query, plan.run)[0]["n"])


def differences(desk: Desk, plan: Report) -> dict[str, int]:
    """How many records differ, by the field that a person decides for all of them."""
    query = (
        "SELECT o.stream_id || ':' || (f.value->>3) AS field, count(*) AS n"
        " FROM operation o, jsonb_each(o.fields) f"
        " WHERE run_id = %s AND action = 'agree' GROUP BY 1"
    )
    return {row["field"]: row["n"] for row in desk.rows(query, plan.run)}


def look_alikes(desk: Desk, plan: Report) -> list[dict[str, Any]]:
    return desk.rows(
        "SELECT id, inputs->'candidates' AS candidates FROM operation"
        " WHERE run_id = %s AND action = 'match'",
        plan.run,
    )


def test_the_first_plan_shows_everything_a_plan_can_show(desk: Desk, stage: Demo) -> None:
    plan = desk.sync("full", staged=True)

    assert plan.state == "planned"
    assert number_of(desk, plan, "action = 'link' AND reason LIKE 'Same %%'") >= 40
    found = look_alikes(desk, plan)
    assert len(found) >= 5
    assert all(GREY <= one["candidates"][0]["score"] < SURE for one in found)
    assert len(differences(desk, plan)) >= 10
    assert number_of(desk, plan, "action = 'create' AND side = 'ours'") >= 20
    assert number_of(desk, plan, "action = 'create' AND side = 'theirs'") >= 20
    assert number_of(desk, plan, "state = 'skipped' AND reason LIKE '%%required%%'") == 2
    assert number_of(desk, plan, "state = 'skipped' AND reason LIKE 'Same domain%%'") == 2
    assert number_of(desk, plan, "fields->'job_title'->>1 LIKE '<script>%%'") == 1
    assert number_of(desk, plan, "label = '🚀 Growth 🦄 Lead'") == 1
    assert stage.hubspot.writes() == []


def test_the_first_plan_asks_about_the_money_and_the_stage_of_povs(desk: Desk) -> None:
    plan = desk.sync("full", staged=True)

    policies = desk.rows(
        "SELECT f.rule_id, s.id::text || ':' || f.rule_id AS key FROM stream s"
        " JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version"
        " JOIN field_rule f ON f.mapping_version_id = m.id"
        " WHERE s.kind = 'pov' AND f.policy = 'manual' ORDER BY f.rule_id",
    )
    asked = differences(desk, plan)
    assert [row["rule_id"] for row in policies] == ["revenue", "stage"]
    assert all(asked[row["key"]] >= 5 for row in policies)
    sums = desk.rows(
        "SELECT f.value->>0 AS ours, f.value->>1 AS theirs FROM operation o, jsonb_each(o.fields) f"
        " WHERE run_id = %s AND action = 'agree' AND f.value->>3 = 'revenue'",
        plan.run,
    )
    assert all(row["ours"] and row["theirs"] for row in sums)


def test_the_first_plan_is_applied_and_then_there_is_quiet(desk: Desk, stage: Demo) -> None:
    plan = desk.sync("full", staged=True)
    for place, field in enumerate(sorted(differences(desk, plan))):
        choice = ("ours", "theirs")[place % 2]
        plans.decide_field(person=desk.person, run_id=plan.run, rule_key=field, choice=choice)
    for one in look_alikes(desk, plan):
        plans.decide_match(
            person=desk.person,
            run_id=plan.run,
            operation_id=one["id"],
            choice=one["candidates"][0]["record_id"],
        )

    done = desk.approve(plan)

    assert (done.state, done.failed) == ("succeeded", 0)
    remote = stage.remote_counts()
    ours = stage.counts()
    # The nameless companies stay here, the second ones of a domain stay there.
    assert (remote["companies"], remote["contacts"]) == (ours["company"], ours["contact"])
    assert remote["deals"] == ours["deal"] + ours["pov"]
    quiet = desk.sync("full")
    assert (quiet.state, quiet.writes_theirs, quiet.conflicts) == ("succeeded", 0, 0)
    assert (quiet.ours["created"], quiet.ours["updated"]) == (0, 0)
