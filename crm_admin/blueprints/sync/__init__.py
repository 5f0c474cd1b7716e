"""Runs: what runs now, the history, and one run in detail."""

from crm_admin.blueprints.sync import control, errors, export, run
from crm_admin.blueprints.sync.routes import sync

__all__ = ["control", "errors", "export", "run", "sync"]
