"""The profile: what a person chose for themselves, and where they are signed in."""

from crm_admin.blueprints.profile.routes import profile

__all__ = ["profile"]
