"""Jobs of runs."""

from uuid import UUID

from crm_admin.services import sync_runs


def run(organization_id: str, run_id: str) -> None:
    """Work on a run for one slice of time."""
    sync_runs.work(UUID(organization_id), UUID(run_id))
