"""Runs, plans and their history."""

from crm_admin.blueprints.sync.plans import plans
from crm_admin.blueprints.sync.routes import sync

__all__ = ["plans", "sync"]
