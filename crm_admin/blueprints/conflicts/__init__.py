"""Fields both sides changed, and the choices that settle them."""

from crm_admin.blueprints.conflicts import actions, likewise, routes
from crm_admin.blueprints.conflicts.door import conflicts

__all__ = ["actions", "conflicts", "likewise", "routes"]
