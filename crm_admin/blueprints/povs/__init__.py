"""POVs: the list owners land on, and the page that says whether a POV is in the CRM, and if not,
why."""

from crm_admin.blueprints.povs.routes import povs

__all__ = ["povs"]
