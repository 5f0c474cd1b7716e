"""Rows for tests: one function per table, with only the fields that matter given."""

from functools import cache
from typing import Any
from uuid import UUID

from crm_admin import tenancy
from crm_admin.extensions import Base, db
from crm_admin.ids import new_id
from crm_admin.models import (
    AppUser,
    Conflict,
    Connection,
    Link,
    Membership,
    Operation,
    Organization,
    Record,
    Share,
    Stream,
    SyncRun,
)
from crm_admin.security.passwords import FOR_TESTS, Passwords
from crm_admin.security.permissions import Role
from crm_admin.services.access import Person

PASSWORD = "seven green boats at dusk"


@cache
def hasher() -> Passwords:
    """A hasher that costs next to nothing."""
    return Passwords(FOR_TESTS)


@cache
def password_hash() -> str:
    return hasher().hash(PASSWORD)


def organization(name: str = "Nordlicht", **values: Any) -> UUID:
    return _add(Organization(id=new_id(), name=name, slug=new_id().hex, **values)).id


def person(role: Role, organization_id: UUID, *, name: str = "", **values: Any) -> Person:
    """A person who can sign in with PASSWORD."""
    user_id = new_id()
    email = values.pop("email", f"{role.value}-{user_id.hex[-8:]}@nordlicht.test")
    name = name or f"Person {role.value}"
    _add(
        AppUser(
            id=user_id,
            email=email,
            email_key=email.casefold(),
            name=name,
            password_hash=password_hash(),
            **values,
        )
    )
    _add(Membership(organization_id=organization_id, user_id=user_id, role=role.value))
    return Person(user_id, name, role, organization_id, email)


def record(organization_id: UUID, kind: str = "contact", **values: Any) -> UUID:
    values = {"title": "Ana Silva", "data": {}} | values
    return _mine(Record(id=new_id(), kind=kind, **values), organization_id).id


def share(organization_id: UUID, record_id: UUID, user_id: UUID) -> None:
    _mine(Share(record_id=record_id, user_id=user_id), organization_id)


def connection(organization_id: UUID, name: str = "HubSpot", **values: Any) -> UUID:
    values = {"provider": "hubspot", "environment": "simulator", "credentials": {}} | values
    made = Connection(id=new_id(), name=name, name_key=name.casefold(), **values)
    return _mine(made, organization_id).id


def stream(organization_id: UUID, connection_id: UUID, **values: Any) -> UUID:
    values = {"remote_object": "contacts", "kind": "contact"} | values
    return _mine(Stream(id=new_id(), connection_id=connection_id, **values), organization_id).id


def link(
    organization_id: UUID, connection_id: UUID, stream_id: UUID, record_id: UUID, **values: Any
) -> UUID:
    values = {"remote_object": "contacts", "remote_id": new_id().hex[-8:]} | values
    made = Link(
        id=new_id(),
        connection_id=connection_id,
        stream_id=stream_id,
        record_id=record_id,
        **values,
    )
    return _mine(made, organization_id).id


def sync_run(organization_id: UUID, connection_id: UUID | None = None, **values: Any) -> UUID:
    values = {"mode": "delta", "state": "succeeded", "by_name": "Ana Silva"} | values
    return _mine(SyncRun(id=new_id(), connection_id=connection_id, **values), organization_id).id


def operation(organization_id: UUID, **values: Any) -> UUID:
    values = {"side": "ours", "action": "update", "state": "done"} | values
    values.setdefault("run_at", db.func.now())
    return _mine(Operation(id=new_id(), **values), organization_id).id


def conflict(organization_id: UUID, link_id: UUID, record_id: UUID, **values: Any) -> UUID:
    values = {"rule_id": "r1", "field": "phone", "state": "open", "stream_id": new_id()} | values
    values.setdefault("connection_id", new_id())
    made = Conflict(id=new_id(), link_id=link_id, record_id=record_id, **values)
    return _mine(made, organization_id).id


def _mine(row: Any, organization_id: UUID) -> Any:
    row.organization_id = organization_id
    with tenancy.acting_for(organization_id):
        return _add(row)


def _add(row: Any) -> Any:
    """Commit the row; its values stay readable afterwards."""
    assert isinstance(row, Base)
    db.session.add(row)
    db.session.flush()
    db.session.refresh(row)
    db.session.expunge(row)
    db.session.commit()
    return row
