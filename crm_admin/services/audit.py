"""Who changed which setting: written in the transaction of the change,
so that neither exists alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import orjson
from flask import g, has_request_context, request
from sqlalchemy import Connection, text

from crm_admin import tenancy
from crm_admin.database import SET_ORGANIZATION
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.services.access import Person

INSERT = """
INSERT INTO audit_event (organization_id, id, at, actor_id, actor_name, action, object_type,
object_id, before, after,
       address, request_id)
VALUES (%s, %s, clock_timestamp(), %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class _Driver:
    """Speaks to the driver below a connection of SQLAlchemy."""

    connection: Connection

    def execute(self, query: Any, params: Any = None) -> object:
        return self.connection.exec_driver_sql(query, params)


class Executes(Protocol):
    """A psycopg cursor or connection."""

    def execute(self, query: Any, params: Any = None) -> object: ...


def write(  # noqa: PLR0913 -- one row of the log, column by column
    cursor: Executes,
    person: Person,
    action: str,
    object_type: str,
    object_id: UUID | str | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an event in the caller's transaction, which must act for the person's organisation.

    Secrets never belong into `before` and `after`: name the fields, not their values.
    """
    cursor.execute(
        INSERT,
        (
            person.organization_id,
            new_id(),
            person.user_id,
            person.name,
            action,
            object_type,
            None if object_id is None else str(object_id),
            None if before is None else orjson.dumps(before, default=str).decode(),
            None if after is None else orjson.dumps(after, default=str).decode(),
            person.address or (request.remote_addr if has_request_context() else None),
            person.request_id or (g.get("request_id") if has_request_context() else None),
        ),
    )


def write_here(
    person: Person,
    action: str,
    object_type: str,
    object_id: UUID | str | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an event in the open transaction of `db.session`,
    acting for the person's organisation."""
    with tenancy.acting_for(person.organization_id):
        driver = _Driver(db.session.connection())
        write(driver, person, action, object_type, object_id, before=before, after=after)


def note(person: Person, action: str, object_type: str, object_id: UUID | str | None) -> None:
    """Add an event in a transaction of its own: for sign-ins, refusals and what changes no row."""
    with db.engine.begin() as connection:
        connection.execute(SET_ORGANIZATION, {"value": str(person.organization_id)})
        write(_Driver(connection), person, action, object_type, object_id)


def seal() -> int:
    """Seal the acting organisation's new events into its chain and return how many they were."""
    sealed = int(db.session.scalar(text("SELECT seal_audit()")) or 0)
    db.session.commit()
    return sealed


def broken_at() -> int | None:
    """Return the first place where the acting organisation's chain does not hold,
    None when all does."""
    place: int | None = db.session.scalar(text("SELECT audit_broken_at()"))
    return place
