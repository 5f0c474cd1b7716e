"""A connection to a simulated HubSpot, and short ways to say what a person or the CRM does."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
from flask import Flask

from crm_admin import tenancy
from crm_admin.ids import new_id
from crm_admin.packs.registry import kinds
from crm_admin.security.permissions import Role
from crm_admin.services import connections, plans, record_store, records, runs, sync_runs, undo
from crm_admin.services.access import Person
from crm_admin.services.engine import run as engine
from crm_admin.services.record_store import NewRecord
from crm_admin.services.runs import Report
from crm_admin.services.sql import transaction
from crm_admin.services.streams import default_choices
from crm_admin.simulators.hubspot.settings import DEMO_TOKEN
from crm_admin.simulators.server import Running, start_in_thread

ENDED = {"succeeded", "failed", "partial", "planned", "cancelled", "waiting"}


@dataclass
class HubSpot:
    """The simulated CRM as its own people see it."""

    running: Running

    @property
    def url(self) -> str:
        return self.running.url

    def post(self, path: str, body: Any) -> Any:
        data = json.dumps(body).encode()
        request = Request(self.url + path, data=data, headers={"Content-Type": "application/json"})
        with urlopen(request) as answer:
            return json.load(answer)

    def get(self, path: str) -> Any:
        with urlopen(self.url + path) as answer:
            return json.load(answer)

    def add(self, kind: str, **properties: str) -> str:
        return str(
            self.post("/_sim/edit", {"object": kind, "id": None, "properties": properties})["id"]
        )

    def edit(self, kind: str, remote_id: str, **properties: str) -> None:
        self.post("/_sim/edit", {"object": kind, "id": remote_id, "properties": properties})

    def associate(self, kind: str, remote_id: str, other: str, other_id: str, **how: bool) -> None:
        ends = {"object": kind, "id": remote_id, "to": other, "to_id": other_id}
        self.post("/_sim/associate", {**ends, **how})

    def links(self, kind: str, remote_id: str) -> dict[str, list[int]]:
        found = self.get(f"/_sim/links?object={kind}&id={remote_id}")["links"]
        return dict(found)

    def archive(self, kind: str, remote_id: str, *, archived: bool = True) -> None:
        self.post("/_sim/edit", {"object": kind, "id": remote_id, "archived": archived})

    def merge(self, kind: str, keep: str, other: str) -> str:
        return str(self.post("/_sim/merge", {"object": kind, "id": keep, "other": other})["id"])

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        found = self.get(f"/_sim/records?object={kind}&limit=1000")["records"]
        return {one["id"]: one["properties"] for one in found}

    def writes(self) -> list[dict[str, Any]]:
        return [
            one
            for one in self.get("/_sim/log?after=0&limit=100000")["entries"]
            if one["by"] == "api"
        ]

    def fail(self, *rules: dict[str, Any]) -> None:
        self.post("/_sim/faults", {"rules": list(rules)})


@pytest.fixture
def hubspot() -> Iterator[HubSpot]:
    with start_in_thread("hubspot") as running:
        crm = HubSpot(running)
        crm.post("/_sim/config", {"index_lag": 0})
        yield crm


@dataclass
class Desk:
    """An admin at work in one organisation with one connection."""

    person: Person
    connection_id: UUID

    def add(self, kind: str, references: dict[str, str | None] | None = None, **data: Any) -> UUID:
        record_id = new_id()
        with transaction() as cursor:
            record_store.insert_records(
                cursor,
                self.person.organization_id,
                [NewRecord(record_id, kinds()[kind], data, references or {})],
            )
            record_store.fan_out(cursor, [record_id], rank=record_store.PEOPLE)
        return record_id

    def edit(self, record_id: UUID, **changes: Any) -> None:
        version = self.record(record_id)["version"]
        records.save(person=self.person, record_id=record_id, changes=changes, seen_version=version)

    def record(self, record_id: UUID) -> dict[str, Any]:
        return self.rows("SELECT * FROM record WHERE id = %s", record_id)[0]

    def by_title(self, title: str) -> dict[str, Any]:
        return self.rows("SELECT * FROM record WHERE title = %s AND deleted_at IS NULL", title)[0]

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with transaction() as cursor:
            return cursor.execute(query, values).fetchall()

    def target(self, record_id: UUID, field: str) -> UUID | str | None:
        """The record a reference points to, or the id in the CRM it waits for."""
        rows = self.rows(
            "SELECT target_id, remote_id FROM reference WHERE record_id = %s AND field = %s",
            record_id,
            field,
        )
        return (rows[0]["target_id"] or rows[0]["remote_id"]) if rows else None

    def change(self, statement: str, *values: object) -> None:
        with transaction() as cursor:
            cursor.execute(statement, values)

    def work(self, run_id: UUID) -> Report:
        while True:
            engine.execute(self.person.organization_id, run_id, seconds=None)
            report = runs.report(run_id)
            if report.state in ENDED:
                return report

    def sync(self, mode: str = "delta", *, staged: bool = False) -> Report:
        reference = sync_runs.start(
            person=self.person,
            connection_id=self.connection_id,
            mode=mode,
            staged=staged,
            wake=False,
        )
        return self.work(reference.id)

    def approve(self, plan: Report) -> Report:
        plans.approve(person=self.person, run_id=plan.run, plan_hash=plan.plan_hash, wake=False)
        return self.work(plan.run)

    def approve_run(self, run_id: UUID) -> Report:
        return self.approve(runs.report(run_id))

    def undo(self, run_id: UUID) -> Report:
        return self.work(undo.start(person=self.person, run_id=run_id, wake=False).id)

    def sync_record(self, record_id: UUID) -> Report:
        references = sync_runs.sync_record(person=self.person, record_id=record_id)
        return self.work(references[0].id)


def make_desk(crm: HubSpot, objects: Sequence[str], stance: str, token: str = DEMO_TOKEN) -> Desk:
    organization_id, user_id = new_id(), new_id()
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO organization (id, name, slug) VALUES (%s, 'Test', %s)",
            (organization_id, str(organization_id)),
        )
        email = f"{user_id}@example.test"
        cursor.execute(
            "INSERT INTO app_user (id, email, email_key, name) VALUES (%s, %s, %s, 'Ana Silva')",
            (user_id, email, email),
        )
    person = Person(user_id, "Ana Silva", Role.ADMIN, organization_id)
    with tenancy.acting_for(organization_id):
        connection_id = connections.create(
            person=person,
            provider="hubspot",
            name="HubSpot",
            environment="simulator",
            endpoint=crm.url,
            secrets={"access_token": token},
            settings={},
        )
        connections.choose_streams(
            person=person,
            connection_id=connection_id,
            choices=default_choices("hubspot", list(objects)),
        )
        connections.set_stance(person=person, connection_id=connection_id, stance=stance)
    return Desk(person, connection_id)


@pytest.fixture
def desk(in_app: Flask, hubspot: HubSpot) -> Iterator[Desk]:
    """An active connection with contacts, companies and deals."""
    made = make_desk(hubspot, (), "active")
    with tenancy.acting_for(made.person.organization_id):
        yield made


@pytest.fixture
def observer(in_app: Flask, hubspot: HubSpot) -> Iterator[Desk]:
    """The same, observing: nothing is written before a plan is approved."""
    made = make_desk(hubspot, (), "observe")
    with tenancy.acting_for(made.person.organization_id):
        yield made
