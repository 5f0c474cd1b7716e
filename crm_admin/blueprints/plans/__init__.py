"""Plans: every change before it is written, and the choices a person makes about it."""

from crm_admin.blueprints.plans import applying, choosing, compare, export
from crm_admin.blueprints.plans.routes import plans

__all__ = ["applying", "choosing", "compare", "export", "plans"]
