"""Runs: what runs now, the history, and one run in detail."""

from crm_admin.blueprints.sync.routes import sync

__all__ = ["sync"]
