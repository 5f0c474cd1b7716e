"""Home, the first page people see, and the list of people."""

from crm_admin.blueprints.overview.routes import overview

__all__ = ["overview"]
