"""Lists and pages of records of any kind, made from the kind's declaration."""

from crm_admin.blueprints.records.routes import records

__all__ = ["records"]
