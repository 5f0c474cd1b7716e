"""The work list: what needs a person, whose it is, and what may wait."""

from crm_admin.blueprints.attention.routes import attention

__all__ = ["attention"]
