"""Fields both sides changed, and the two buttons that settle them."""

from crm_admin.blueprints.conflicts.routes import conflicts

__all__ = ["conflicts"]
