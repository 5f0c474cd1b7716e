"""Connections: list, add, check, choose objects, set the mode."""

from crm_admin.blueprints.settings.routes import settings

__all__ = ["settings"]
