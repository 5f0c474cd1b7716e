"""The recurring look at a connection: does the CRM answer, and are the credentials still good."""

from uuid import UUID

from crm_admin.errors import CrmAdminError, NeedsAttention, RetryLater, Unavailable
from crm_admin.outward.failures import NotSent
from crm_admin.services import attention, remote
from crm_admin.services.attention import Item
from crm_admin.services.connections_check import other_account
from crm_admin.services.sql import transaction


def check(connection_id: UUID) -> str:
    """Ask the CRM who we are, store the connection's health, and return it in a word."""
    with transaction() as cursor:
        row = cursor.execute("SELECT * FROM connection WHERE id = %s", (connection_id,)).fetchone()
    if row is None:
        return "gone"
    if row["health"] == "disconnected":
        return "disconnected"
    health, reason, offset = "ok", None, row["clock_offset"]
    try:
        with remote.opened(row, rank=1) as opened:
            reason = other_account(row, opened.provider.account().id) or None
            offset = opened.provider.clock_offset()
        health = "needs_reconnect" if reason else "ok"
    except RetryLater:
        return "busy"
    except NeedsAttention as error:
        health, reason = "needs_reconnect", error.sentence
    except CrmAdminError as error:
        health, reason = "broken", error.sentence
    with transaction() as cursor:
        cursor.execute(
            "UPDATE connection SET health = %s, health_reason = %s, health_at = now(),"
            " clock_offset = %s"
            " WHERE id = %s AND health <> 'disconnected'",
            (health, reason, offset, connection_id),
        )
        if health == "needs_reconnect":
            attention.raise_item(
                cursor,
                row["organization_id"],
                Item("reconnect", str(connection_id), f"{row['name']}: {reason}"),
            )
        elif health == "ok":
            attention.settle_item(cursor, kind="reconnect", subject=str(connection_id))
    return health


def require_reachable(connection_id: UUID) -> None:
    """Raise Unavailable when nobody answers at a connection's address after a few tries.

    For command lines, where a person waits: in the background a run waits by itself. Everything
    else that may be wrong is left to the run.
    """
    with transaction() as cursor:
        row = cursor.execute("SELECT * FROM connection WHERE id = %s", (connection_id,)).fetchone()
    if row is None or row["stance"] == "paused":
        return
    try:
        with remote.opened(row) as opened:
            opened.provider.account()
    except CrmAdminError as error:
        if isinstance(error.__cause__, NotSent):
            raise Unavailable(
                f"{row['name']} was tried several times: {error.sentence} Nothing was started."
            ) from error
