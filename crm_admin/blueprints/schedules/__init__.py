"""Recurring work: what happens when, in words, and how the last times went."""

from crm_admin.blueprints.schedules.routes import schedules

__all__ = ["schedules"]
