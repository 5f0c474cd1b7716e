"""What every verb of a connection begins with: its row, and whether it may be touched now."""

from uuid import UUID

from crm_admin.errors import BadInput, NotFound
from crm_admin.services.sql import Cursor, Row

LIVE = """
SELECT 1 FROM sync_run WHERE connection_id = %s AND state IN ('queued', 'running', 'waiting')
"""


def locked(cursor: Cursor, connection_id: UUID) -> Row:
    """Return a connection's row, locked until the transaction ends; NotFound without one."""
    row = cursor.execute(
        "SELECT * FROM connection WHERE id = %s FOR UPDATE", (connection_id,)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such connection.")
    return row


def read(cursor: Cursor, connection_id: UUID) -> Row:
    """Return a connection's row; NotFound without one."""
    row = cursor.execute("SELECT * FROM connection WHERE id = %s", (connection_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such connection.")
    return row


def require_quiet(cursor: Cursor, connection_id: UUID) -> None:
    """Raise BadInput while a run of the connection is under way."""
    if cursor.execute(LIVE, (connection_id,)).fetchone() is not None:
        raise BadInput(
            "run", "A sync of this connection is under way. Stop it, or wait for its end."
        )


def require_name(row: Row, typed: str) -> None:
    """Raise BadInput unless the connection's name was typed."""
    if typed.strip() != row["name"]:
        raise BadInput("typed", f"Type {row['name']} exactly as it is written here.")
