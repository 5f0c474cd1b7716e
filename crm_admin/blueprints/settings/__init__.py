"""Connections: list, add, check, and the tabs of each."""

from crm_admin.blueprints.settings import tabs, timing
from crm_admin.blueprints.settings.routes import settings

__all__ = ["settings", "tabs", "timing"]
