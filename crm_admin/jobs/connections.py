"""Jobs of connections."""

from uuid import UUID

from crm_admin.services import connections


def check(organization_id: str, connection_id: str) -> None:
    """Run the check list of a connection."""
    connections.check(UUID(organization_id), UUID(connection_id))
