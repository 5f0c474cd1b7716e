"""A look-alike side by side."""

from uuid import UUID

from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires
from crm_admin.blueprints.plans.routes import open_plan, plans
from crm_admin.blueprints.rendering import page
from crm_admin.security.permissions import Permission
from crm_admin.services.queries.look_alike import comparison


@plans.get("/<uuid:run_id>/compare/<uuid:operation_id>")
@requires(Permission.RECORD_READ)
def compare(run_id: UUID, operation_id: UUID) -> Response:
    """Show both records beside each other."""
    found = open_plan(run_id)
    return page(
        "sync/compare.html",
        plan=found,
        line=found.line,
        compared=comparison(run_id, found.line.created_at, operation_id),
    )
