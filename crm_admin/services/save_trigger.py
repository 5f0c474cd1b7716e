"""Sends a record as soon as a person saves it, where a connection is set to."""

from uuid import UUID

from flask import current_app

from crm_admin import dispatch, tenancy
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.connections_rows import locked
from crm_admin.services.engine import requests
from crm_admin.services.engine.requests import Request
from crm_admin.services.sql import transaction

WANTED = """
SELECT s.id AS stream_id, s.connection_id FROM record r
  JOIN stream s ON s.organization_id = r.organization_id AND s.kind = r.kind
  JOIN connection c ON c.organization_id = s.organization_id AND c.id = s.connection_id
 WHERE r.id = %s AND r.deleted_at IS NULL AND s.enabled AND s.direction <> 'from_crm'
   AND s.trigger ->> 'save' = 'true' AND c.stance = 'active' AND c.health = 'ok'
 ORDER BY c.priority, c.id
"""

SET = "UPDATE stream SET trigger = trigger || %s::jsonb WHERE connection_id = %s"


def after_save(*, person: Person, record_id: UUID) -> int:
    """Ask for a sync of a saved record at every connection that wants it; return how many did.

    The change is in the outbox already: where nobody is woken, the next sync sends it.
    """
    if not current_app.config["CRM"].crm_enabled:
        return 0
    with transaction() as cursor:
        references = [
            requests.ask(
                cursor,
                Request(
                    connection_id=row["connection_id"],
                    mode="record",
                    trigger="save",
                    by_name=person.name,
                    by_user=person.user_id,
                    records=[(row["stream_id"], record_id)],
                ),
            )
            for row in cursor.execute(WANTED, (record_id,)).fetchall()
        ]
    for reference in references:
        if not reference.folded:
            dispatch.enqueue("sync.run", tenancy.organization(), reference.id, urgent=True)
    return len(references)


def choose(*, person: Person, connection_id: UUID, on_save: bool) -> None:
    """Send records of a connection as soon as they are saved, or leave that to its schedule."""
    with transaction() as cursor:
        locked(cursor, connection_id)
        cursor.execute(SET, ('{"save": true}' if on_save else '{"save": false}', connection_id))
        audit.write(
            cursor,
            person,
            "connection.trigger",
            "connection",
            connection_id,
            after={"save": on_save},
        )
