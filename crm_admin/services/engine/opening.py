"""Opens a claimed run: its row, the connection, a client for the CRM, described fields and compiled
mappings.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from flask import current_app

from crm_admin import clock
from crm_admin.errors import BadInput, NotFound
from crm_admin.providers.base import Provider
from crm_admin.services import remote
from crm_admin.services.engine import optional, people
from crm_admin.services.engine.streams import load_streams
from crm_admin.services.engine.unit import Lease
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, transaction

SCHEMA_AGE = timedelta(hours=1)
SWITCHED_OFF = (
    "Writing is switched off here: CRM_ENABLED is false. Plans can be made; set it to true and"
    " restart to apply them."
)


def opened(lease: Lease) -> Work:
    """Return the run in hand. Raises an error whose sentence says why the connection cannot be
    used.
    """
    with transaction() as cursor:
        run = cursor.execute("SELECT * FROM sync_run WHERE id = %s", (lease.run_id,)).fetchone()
        if run is None:
            raise NotFound("This run does not exist.")
        connection = cursor.execute(
            "SELECT * FROM connection WHERE id = %s", (run["connection_id"],)
        ).fetchone()
        if connection is None:
            raise NotFound("The connection of this run was deleted.")
        objects = _objects(cursor, connection["id"])
        stale = _stale(cursor, connection["id"], objects)
    if not run["staged"] and not current_app.config["CRM"].crm_enabled:
        raise BadInput("", SWITCHED_OFF)
    if connection["stance"] == "paused":
        raise BadInput("", "The connection is paused. Resume it, then run again.")
    if not objects:
        raise BadInput(
            "", "No object of this connection is switched on. Choose what to sync in its settings."
        )
    opened_connection = remote.open_connection(connection, run_id=lease.run_id, rank=_rank(run))
    if stale:
        describe(opened_connection.provider, connection["id"], stale)
    people.refresh(opened_connection.provider, connection)
    with transaction() as cursor:
        streams = load_streams(cursor, connection["id"], run["decisions"] or {})
    return Work(
        lease=lease,
        organization_id=connection["organization_id"],
        connection_id=connection["id"],
        connection_name=connection["name"],
        mode=run["mode"],
        staged=run["staged"],
        actor=run["by_name"] or run["trigger"],
        run_at=run["created_at"],
        checkpoint=dict(run["checkpoint"] or {}),
        provider=opened_connection.provider,
        objects=streams,
        marker=connection["marker"] == "present",
        limits=connection["limits"] or {},
        totals=dict(run["counts"] or {}),
        calls=opened_connection.calls,
    )


def _rank(run: Row) -> int:
    return 0 if run["mode"] in {"record", "webhook"} else 1


def _objects(cursor: Cursor, connection_id: UUID) -> list[str]:
    rows = cursor.execute(
        "SELECT DISTINCT remote_object FROM stream WHERE connection_id = %s AND enabled",
        (connection_id,),
    ).fetchall()
    return [row["remote_object"] for row in rows]


def _stale(cursor: Cursor, connection_id: UUID, objects: list[str]) -> list[str]:
    rows = cursor.execute(
        "SELECT object FROM remote_schema WHERE connection_id = %s AND read_at > %s",
        (connection_id, clock.now() - SCHEMA_AGE),
    ).fetchall()
    fresh = {row["object"] for row in rows}
    return [name for name in objects if name not in fresh]


def describe(provider: Provider, connection_id: UUID, objects: list[str]) -> None:
    """Read the fields of these objects and keep them with their time."""
    schemas: list[tuple[str, Any]] = [(name, provider.describe(name).fields) for name in objects]
    with transaction() as cursor:
        for name, fields in schemas:
            cursor.execute(
                "INSERT INTO remote_schema (organization_id, connection_id, object, fields,"
                " read_at)"
                " SELECT organization_id, id, %s, %s, now() FROM connection WHERE id = %s"
                " ON CONFLICT (organization_id, connection_id, object) DO UPDATE"
                " SET fields = excluded.fields, read_at = excluded.read_at",
                (name, orjson.dumps(fields).decode(), connection_id),
            )
        optional.add_found(cursor, connection_id)
