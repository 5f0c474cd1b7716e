"""Which rights a sign-in needs: they follow from the objects that are synced, and no further."""

from collections.abc import Sequence

from crm_admin.packs.registry import default_mappings
from crm_admin.providers.auth import Use
from crm_admin.services.sql import Cursor, Row

CHOSEN = """
SELECT remote_object, bool_or(direction <> 'from_crm') AS writes FROM stream
 WHERE connection_id = %s AND enabled GROUP BY remote_object ORDER BY min(position)
"""


def uses_of(cursor: Cursor, connection: Row) -> tuple[Use, ...]:
    """Return what is done with each object of a connection; before any is chosen, what every first
    mapping of the provider would do.
    """
    chosen = cursor.execute(CHOSEN, (connection["id"],)).fetchall()
    if chosen:
        return tuple(Use(row["remote_object"], row["writes"]) for row in chosen)
    return uses_of_all(connection["provider"])


def uses_of_all(provider: str) -> tuple[Use, ...]:
    """Return every object of a provider that comes with a first mapping, read and written."""
    names: Sequence[str] = [item.remote_object for item in default_mappings(provider)]
    return tuple(Use(name, writes=True) for name in dict.fromkeys(names))
