"""Saved views: a list's filters, order and columns under a name."""

from crm_admin.blueprints.views.routes import views

__all__ = ["views"]
