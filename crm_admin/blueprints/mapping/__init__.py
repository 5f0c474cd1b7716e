"""Field mappings as a table."""

from crm_admin.blueprints.mapping.routes import mapping

__all__ = ["mapping"]
