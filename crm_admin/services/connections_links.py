"""Forgets which record is which in a CRM, in slices, so that a connection can begin anew."""

from collections.abc import Iterator
from uuid import UUID

from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.connections_rows import locked, require_quiet
from crm_admin.services.sql import Cursor, transaction

SLICE = 2_000
NO_LONGER = "The connection's links were forgotten before this was sent."

LINKS = """
DELETE FROM link WHERE id IN (SELECT id FROM link WHERE connection_id = %s LIMIT %s)
"""

EFFECTS = """
WITH gone AS (DELETE FROM effect WHERE id IN
                     (SELECT id FROM effect WHERE connection_id = %(connection)s LIMIT %(slice)s)
              RETURNING operation_id, run_at)
UPDATE operation o SET state = 'failed', error = %(why)s FROM gone
 WHERE o.id = gone.operation_id AND o.run_at = gone.run_at AND o.state IN ('planned', 'sending')
"""

OUTBOX = """
DELETE FROM outbox WHERE (stream_id, record_id) IN
       (SELECT o.stream_id, o.record_id FROM outbox o
          JOIN stream s ON s.organization_id = o.organization_id AND s.id = o.stream_id
         WHERE s.connection_id = %s LIMIT %s)
"""

PARKED = """
DELETE FROM reference WHERE (record_id, field, position) IN
       (SELECT record_id, field, position FROM reference
         WHERE connection_id = %s AND target_id IS NULL LIMIT %s)
"""

RESOLVED = """
UPDATE reference SET connection_id = NULL, remote_object = NULL, remote_id = NULL
 WHERE (record_id, field, position) IN
       (SELECT record_id, field, position FROM reference WHERE connection_id = %s LIMIT %s)
"""

PLANS = """
UPDATE sync_run SET state = 'cancelled', finished_at = now(),
       reason = 'The links of this connection were reset.', reason_code = 'reset'
 WHERE connection_id = %s AND state = 'planned'
"""

BEGIN_STREAMS = """
UPDATE stream SET watermark = NULL, full_due = true, full_done_at = NULL WHERE connection_id = %s
"""

BEGIN = """
UPDATE connection SET stance = 'observe', marker = 'unknown', account = '{}',
       clock_offset = NULL, updated_at = now(), version = version + 1 WHERE id = %s
"""

ANEW = (
    BEGIN_STREAMS,
    "DELETE FROM remote_schema WHERE connection_id = %s",
    "DELETE FROM remote_person WHERE connection_id = %s",
    "DELETE FROM wanted WHERE connection_id = %s",
    BEGIN,
)


def reset(*, person: Person, connection_id: UUID) -> int:
    """Forget every link of a connection, its open writes and what waits for it; return how many
    links it had.

    Records on both sides stay. The connection observes afterwards, and its next run reads all.
    """
    with transaction() as cursor:
        locked(cursor, connection_id)
        require_quiet(cursor, connection_id)
        # Paused connections start no runs, so nothing links anew between two slices.
        cursor.execute("UPDATE connection SET stance = 'paused' WHERE id = %s", (connection_id,))
        cursor.execute(PLANS, (connection_id,))
    forgotten = sum(forget(connection_id))
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        for statement in ANEW:
            cursor.execute(statement, (connection_id,))
        audit.write(
            cursor,
            person,
            "connection.reset_links",
            "connection",
            connection_id,
            before={"links": forgotten, "account": row["account"]},
        )
    return forgotten


def forget(connection_id: UUID) -> Iterator[int]:
    """Forget links, open writes, waiting changes and references in slices of a transaction each;
    yield how many links each slice had.
    """
    while True:
        with transaction() as cursor:
            links = cursor.execute(LINKS, (connection_id, SLICE)).rowcount
            rest = _rest(cursor, connection_id)
        yield links
        if not links and not rest:
            return


def _rest(cursor: Cursor, connection_id: UUID) -> int:
    named = {"connection": connection_id, "slice": SLICE, "why": NO_LONGER}
    cursor.execute(EFFECTS, named)
    open_writes = cursor.execute(
        "SELECT count(*) AS n FROM effect WHERE connection_id = %s", (connection_id,)
    ).fetchone()
    done = open_writes["n"] if open_writes else 0
    for statement in (OUTBOX, PARKED, RESOLVED):
        done += cursor.execute(statement, (connection_id, SLICE)).rowcount
    return int(done)
