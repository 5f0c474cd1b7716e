"""The page that says what an undo would put back, and starts it."""

from crm_admin.blueprints.undo.routes import undo

__all__ = ["undo"]
