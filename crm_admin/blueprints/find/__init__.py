"""Find: one box for pages, actions and records."""

from crm_admin.blueprints.find.routes import find

__all__ = ["find"]
