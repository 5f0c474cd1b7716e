"""A small organisation with rows in every state a page shows, hostile text among them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
from flask import Flask
from sqlalchemy import text

from crm_admin import tenancy
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from crm_admin.services.access import Person

HOSTILE = '<script>alert(1)</script> & "quotes" \''
GLOBAL = {"organization", "app_user", "process"}


@dataclass
class World:
    """Ids of what was made; `people` by role."""

    organization: UUID = field(default_factory=new_id)
    people: dict[Role, Person] = field(default_factory=dict)
    connection: UUID = field(default_factory=new_id)
    broken: UUID = field(default_factory=new_id)
    stream: UUID = field(default_factory=new_id)
    plan: UUID = field(default_factory=new_id)
    partial: UUID = field(default_factory=new_id)
    running: UUID = field(default_factory=new_id)
    conflict: UUID = field(default_factory=new_id)
    operations: dict[str, UUID] = field(default_factory=dict)
    own: UUID = field(default_factory=new_id)
    others: UUID = field(default_factory=new_id)
    company: UUID = field(default_factory=new_id)

    def person(self, role: Role) -> Person:
        return self.people[role]


def insert(table: str, world: World, **values: object) -> None:
    """Write one row; dicts and lists of dicts become JSON."""
    if table not in GLOBAL:
        values["organization_id"] = world.organization
    bound = {
        name: orjson.dumps(value).decode() if isinstance(value, dict | list) else value
        for name, value in values.items()
    }
    names = ", ".join(bound)
    marks = ", ".join(f":{name}" for name in bound)
    db.session.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), bound)


def ago(**parts: int) -> datetime:
    return datetime.now(UTC) - timedelta(**parts)


@contextmanager
def acting(app: Flask, world: World) -> Iterator[None]:
    """Work in the world's organisation, as a request would."""
    with app.app_context(), tenancy.acting_for(world.organization):
        yield
        db.session.remove()


def empty_world(app: Flask) -> World:
    """An organisation with its people and nothing else."""
    world = World()
    with acting(app, world):
        insert("organization", world, id=world.organization, name="Nordlicht", slug=str(new_id()))
        for role in Role:
            user_id = new_id()
            email = f"{role}-{user_id}@nordlicht.example"
            world.people[role] = Person(user_id, f"Person {role}", role, world.organization, email)
            insert(
                "app_user", world, id=user_id, email=email, email_key=email, name=f"Person {role}"
            )
            insert("membership", world, user_id=user_id, role=role.value)
        db.session.commit()
    return world


def full_world(app: Flask) -> World:
    """The empty world plus connections, POVs, runs, a plan and a conflict."""
    world = empty_world(app)
    with acting(app, world):
        _connections(world)
        _mapping(world)
        _records(world)
        _runs(world)
        _plan(world)
        _conflict(world)
        db.session.commit()
    return world


def _connections(world: World) -> None:
    line = {
        "name": "address",
        "label": "Its address answers",
        "ok": True,
        "sentence": "8 ms",
        "fix": "",
    }
    insert(
        "connection",
        world,
        id=world.connection,
        provider="hubspot",
        name="HubSpot EU",
        name_key="hubspot eu",
        environment="simulator",
        endpoint="http://127.0.0.1:8010",
        credential_hints={"access_token": "a91f"},
        account={"id": "1234", "name": "Acme EU"},
        stance="observe",
        health="ok",
        checks={"running": False, "at": ago(minutes=3).isoformat(), "lines": [line]},
    )
    insert(
        "connection",
        world,
        id=world.broken,
        provider="hubspot",
        name=f"B {HOSTILE}",
        name_key="b",
        environment="sandbox",
        endpoint="https://api.hubapi.com",
        stance="active",
        health="needs_reconnect",
        health_reason=HOSTILE,
        health_at=ago(hours=5),
        checks={"running": True, "at": ago(seconds=3).isoformat(), "lines": [line]},
    )


RULES = (
    ("r1", "title", "dealname"),
    ("r2", "revenue", "amount"),
    ("r3", "forecast_date", "closedate"),
    ("r4", "stage", "dealstage"),
    ("r5", "customer", "association:companies"),
)


def _mapping(world: World) -> None:
    insert(
        "stream",
        world,
        id=world.stream,
        connection_id=world.connection,
        remote_object="deals",
        kind="pov",
        filter=[{"property": "pipeline", "operator": "EQ", "value": "pov"}],
        mapping_version=1,
        watermark=ago(minutes=12),
    )
    version = new_id()
    insert(
        "mapping_version",
        world,
        id=version,
        stream_id=world.stream,
        number=1,
        state="published",
        published_at=ago(days=1),
    )
    for position, (rule, ours, theirs) in enumerate(RULES):
        insert(
            "field_rule",
            world,
            mapping_version_id=version,
            rule_id=rule,
            position=position,
            ours=ours,
            theirs=theirs,
            direction="both",
            steps=[],
        )
    schema = [
        {"name": theirs, "label": theirs.title(), "type": "string"} for _, _, theirs in RULES[:4]
    ]
    insert("remote_schema", world, connection_id=world.connection, object="deals", fields=schema)


def _records(world: World) -> None:
    owner, admin = world.people[Role.POV_OWNER].user_id, world.people[Role.ADMIN].user_id
    insert(
        "record",
        world,
        id=world.company,
        kind="company",
        data={"name": HOSTILE},
        title=HOSTILE,
    )
    for record_id, title, owner_id, error in (
        (world.own, HOSTILE, owner, None),
        (world.others, "Fjordlys fjord heating", admin, "HubSpot refused it: <b>Closed-Won</b>"),
    ):
        data = {
            "title": title,
            "revenue": {"amount": "12400", "currency": "EUR"},
            "stage": "proposal",
        }
        insert(
            "record",
            world,
            id=record_id,
            kind="pov",
            data=data,
            title=title,
            owner_id=owner_id,
            amount=1240000,
            status="proposal",
            updated_at=ago(minutes=9),
            origin={"revenue": {"at": ago(minutes=30).isoformat(), "by": HOSTILE}},
        )
        insert(
            "reference",
            world,
            record_id=record_id,
            field="customer",
            position=0,
            target_id=world.company,
        )
        insert(
            "link",
            world,
            id=new_id(),
            connection_id=world.connection,
            stream_id=world.stream,
            record_id=record_id,
            remote_object="deals",
            remote_id=f"91-{record_id.hex[-6:]}",
            base_ours={"r1": title, "r2": data["revenue"], "r3": None, "r4": "proposal"},
            base_theirs={"r1": HOSTILE, "r2": "12400", "r3": "", "r4": "closedwon"},
            mapping_version=1,
            error=error,
            agreed_at=ago(minutes=12),
        )


COUNTS = {
    "read": 10,
    "ours_updated": 2,
    "theirs_created": 1,
    "unchanged": 6,
    "failed": 1,
    "calls": 3,
}


def _run(world: World, run_id: UUID, state: str, **more: object) -> datetime:
    made = ago(minutes=20)
    values: dict[str, object] = {
        "connection_id": world.connection,
        "mode": "delta",
        "by_name": HOSTILE,
        "counts": COUNTS,
        "created_at": made,
        "started_at": made,
        "finished_at": made + timedelta(seconds=9),
    }
    insert("sync_run", world, id=run_id, state=state, **{**values, **more})
    return made


def _runs(world: World) -> None:
    made = _run(world, world.partial, "partial")
    _run(
        world,
        world.running,
        "running",
        connection_id=world.broken,
        phase="writing",
        created_at=ago(seconds=90),
        started_at=ago(seconds=90),
        total=1000,
        finished_at=None,
        counts={"read": 450},
    )
    for state, record in (("done", world.own), ("failed", world.others)):
        _operation(
            world,
            world.partial,
            made,
            "update",
            record_id=record,
            state=state,
            error=HOSTILE if state == "failed" else None,
            fields={"title": ["before", HOSTILE, "theirs_changed", "r1"]},
        )
    insert(
        "api_call",
        world,
        connection_id=world.connection,
        run_id=world.partial,
        id=new_id(),
        method="POST",
        path="/crm/v3/objects/deals",
        status=207,
        ms=318,
        request_id="7f0c",
    )


def _operation(world: World, run_id: UUID, run_at: datetime, action: str, **more: object) -> UUID:
    operation_id = new_id()
    values: dict[str, object] = {
        "stream_id": world.stream,
        "remote_object": "deals",
        "side": "ours",
        "state": "planned",
        "label": HOSTILE,
        "fields": {},
    }
    insert(
        "operation",
        world,
        run_at=run_at,
        id=operation_id,
        run_id=run_id,
        action=action,
        **{**values, **more},
    )
    return operation_id


def _plan(world: World) -> None:
    made = _run(world, world.plan, "planned", plan_hash="hash-1", staged=True)
    change = {"amount": ["10000", "12400", "ours_changed", "r2"]}
    candidates = [
        {"record_id": str(world.own), "title": HOSTILE, "score": 0.81, "reasons": ["alike"]}
    ]
    differs = {"stage": ["proposal", HOSTILE, "first_ask", "r4"]}
    made_of = {
        "update": {"side": "theirs", "fields": change, "record_id": world.own},
        "create": {"fields": {"title": [None, HOSTILE, "theirs_changed", "r1"]}, "remote_id": "77"},
        "link": {"record_id": world.others, "reason": "The e-mail is the same."},
        "match": {"inputs": {"candidates": candidates}, "remote_id": "78"},
        "agree": {"fields": differs, "record_id": world.own},
        "skip": {"side": "theirs", "state": "skipped", "reason": "Forecast date is empty."},
    }
    for action, values in made_of.items():
        world.operations[action] = _operation(world, world.plan, made, action, **values)


def _conflict(world: World) -> None:
    link = db.session.execute(
        text("SELECT id FROM link WHERE record_id = :record"), {"record": world.own}
    ).scalar_one()
    insert(
        "conflict",
        world,
        id=world.conflict,
        link_id=link,
        stream_id=world.stream,
        record_id=world.own,
        connection_id=world.connection,
        rule_id="r2",
        field="revenue",
        ours={"v": {"amount": "64000", "currency": "EUR"}},
        theirs={"v": HOSTILE},
        ours_by=HOSTILE,
        state="open",
        seen={"ours": "1", "theirs": "2"},
    )
