"""Jobs of schedules."""

from uuid import UUID

from crm_admin.services import schedules


def run(organization_id: str, schedule_id: str) -> None:
    """Do what a schedule says."""
    schedules.run(UUID(organization_id), UUID(schedule_id))
