"""Plans: every change before it is written, and the choices a person makes about it."""

from crm_admin.blueprints.plans.routes import plans

__all__ = ["plans"]
