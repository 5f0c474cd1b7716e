"""Jobs of connections."""

from uuid import UUID

from crm_admin.services import connections, connections_removal


def check(organization_id: str, connection_id: str) -> None:
    """Run the check list of a connection."""
    connections.check(UUID(organization_id), UUID(connection_id))


def delete(organization_id: str, connection_id: str) -> None:
    """Take a connection apart that a person deleted."""
    connections_removal.work(UUID(organization_id), UUID(connection_id))
