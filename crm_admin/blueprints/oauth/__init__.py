"""Signing in to CRMs: the way out to a consent page and back."""

from crm_admin.blueprints.oauth.routes import oauth

__all__ = ["oauth"]
