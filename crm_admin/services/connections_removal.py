"""Ways to part from a CRM: disconnect it and keep all that is known, or delete the connection."""

import logging
from dataclasses import dataclass
from uuid import UUID

from crm_admin import dispatch, tenancy
from crm_admin.errors import CrmAdminError
from crm_admin.outward.protocols import Rank
from crm_admin.providers.auth import GrantRefused
from crm_admin.providers.registry import spec_of
from crm_admin.services import attention, audit, oauth_apps
from crm_admin.services.access import Person
from crm_admin.services.connections_links import forget, reset
from crm_admin.services.connections_rows import locked, read, require_name, require_quiet
from crm_admin.services.oauth_tokens import is_signed_in, wiring_of
from crm_admin.services.sealing import tokens_of
from crm_admin.services.sql import Cursor, Row, transaction
from crm_admin.services.wiring import Calls

logger = logging.getLogger(__name__)

AT_ONCE = 5_000
RUNS = 500

LEAVE = """
UPDATE connection SET credentials = '{}', credential_hints = '{}', secrets_set = '{}',
       settings = settings - 'sign_in' - 'client_id', health = 'disconnected',
       health_reason = 'It was disconnected; nothing is read or written until it is connected'
                       ' again.', health_at = now(), updated_at = now(), version = version + 1
 WHERE id = %s
"""

STOP = """
UPDATE sync_run SET cancel_asked = true
 WHERE connection_id = %s AND state IN ('queued', 'running', 'waiting')
"""

COUNTS = """
SELECT (SELECT count(*) FROM link WHERE connection_id = %(id)s) AS links,
       (SELECT count(*) FROM outbox o JOIN stream s ON s.organization_id = o.organization_id
           AND s.id = o.stream_id WHERE s.connection_id = %(id)s) AS waiting,
       (SELECT count(*) FROM conflict WHERE connection_id = %(id)s AND state = 'open')
       AS conflicts,
       (SELECT count(*) FROM stream WHERE connection_id = %(id)s) AS streams,
       (SELECT count(*) FROM schedule WHERE connection_id = %(id)s) AS schedules,
       (SELECT count(*) FROM sync_run WHERE connection_id = %(id)s) AS runs,
       (SELECT count(*) FROM effect WHERE connection_id = %(id)s) AS open_writes
"""

KEEP_RUNS = """
UPDATE sync_run SET connection_id = NULL WHERE id IN
       (SELECT id FROM sync_run WHERE connection_id = %s LIMIT %s)
"""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What goes with a connection; records never do."""

    links: int
    waiting: int
    conflicts: int
    streams: int
    schedules: int
    runs: int
    open_writes: int


def consequences(connection_id: UUID) -> Consequences:
    """Return what would be forgotten with a connection."""
    with transaction() as cursor:
        read(cursor, connection_id)
        row = cursor.execute(COUNTS, {"id": connection_id}).fetchone()
    return Consequences(**(row or {}))


def disconnect(*, person: Person, connection_id: UUID) -> None:
    """Forget a connection's credentials, here and as far as it lets us at the CRM; links, mappings
    and history stay for the day it is connected again. A running sync ends its batch first.
    """
    with transaction() as cursor:
        row = read(cursor, connection_id)
    revoke(row)
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        if row["health"] == "disconnected" and not row["credentials"]:
            return
        _leave(cursor, connection_id)
        audit.write(cursor, person, "connection.disconnect", "connection", connection_id)


def _leave(cursor: Cursor, connection_id: UUID) -> None:
    cursor.execute(LEAVE, (connection_id,))
    cursor.execute("DELETE FROM oauth_token WHERE connection_id = %s", (connection_id,))
    cursor.execute("DELETE FROM oauth_state WHERE connection_id = %s", (connection_id,))
    cursor.execute(STOP, (connection_id,))
    attention.settle_item(cursor, kind="reconnect", subject=str(connection_id))


def revoke(row: Row) -> None:
    """Tell the CRM that a sign-in is over; where it does not answer, forgetting it has to do."""
    app = oauth_apps.app_of(row) if is_signed_in(row) else None
    if app is None:
        return
    with transaction() as cursor:
        found = cursor.execute(
            "SELECT secrets FROM oauth_token WHERE connection_id = %s", (row["id"],)
        ).fetchone()
    calls = Calls(row["id"], None, Rank.PEOPLE)
    try:
        held = tokens_of(row["organization_id"], row["id"]).opened(
            found["secrets"] if found else {}
        )
        if held.get("refresh_token"):
            endpoint = row["endpoint"] or spec_of(row["provider"]).endpoint
            sign_in = oauth_apps.required(row["provider"])
            sign_in.revoke(endpoint, app, wiring_of(calls), held["refresh_token"])
    except (CrmAdminError, GrantRefused) as error:
        logger.info("the sign-in of %s was not revoked there: %s", row["id"], type(error).__name__)
    finally:
        calls.flush()


def reset_links(*, person: Person, connection_id: UUID, typed: str) -> int:
    """Forget a connection's links once its name was typed; return how many there were."""
    with transaction() as cursor:
        require_name(read(cursor, connection_id), typed)
    return reset(person=person, connection_id=connection_id)


def delete(*, person: Person, connection_id: UUID, typed: str, in_background: bool = True) -> bool:
    """Delete a connection and all that is known of its CRM; no record of ours or theirs is touched,
    and the history of its runs stays. False when it is large and goes on in the background.
    """
    found = consequences(connection_id)
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        require_name(row, typed)
        if not (row["settings"] or {}).get("deleting"):
            require_quiet(cursor, connection_id)
    revoke(row)
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        _leave(cursor, connection_id)
        cursor.execute(
            "UPDATE connection SET stance = 'paused',"
            " settings = settings || '{\"deleting\": true}' WHERE id = %s",
            (connection_id,),
        )
        audit.write(
            cursor,
            person,
            "connection.delete",
            "connection",
            connection_id,
            before={"name": row["name"], "provider": row["provider"], "links": found.links},
        )
    is_large = in_background and found.links > AT_ONCE
    if is_large and dispatch.enqueue("connections.delete", person.organization_id, connection_id):
        return False
    go_on(connection_id)
    return True


def go_on(connection_id: UUID) -> None:
    """Take a connection that is being deleted apart until it is gone; after a crash it can be
    called again. Another connection is left alone.
    """
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT settings FROM connection WHERE id = %s", (connection_id,)
        ).fetchone()
    if row is None or not (row["settings"] or {}).get("deleting"):
        return
    for _ in forget(connection_id):
        pass
    moved = RUNS
    while moved:
        with transaction() as cursor:
            moved = cursor.execute(KEEP_RUNS, (connection_id, RUNS)).rowcount
    with transaction() as cursor:
        cursor.execute(
            "DELETE FROM webhook_route WHERE organization_id = %s AND connection_id = %s",
            (tenancy.organization(), connection_id),
        )
        cursor.execute("DELETE FROM connection WHERE id = %s", (connection_id,))


def work(organization_id: UUID, connection_id: UUID) -> None:
    """Take a connection apart in the background."""
    with tenancy.acting_for(organization_id):
        go_on(connection_id)
