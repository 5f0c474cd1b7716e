"""Sign in, prove it again, change the organisation, sign out."""

from crm_admin.blueprints.auth.routes import auth

__all__ = ["auth"]
