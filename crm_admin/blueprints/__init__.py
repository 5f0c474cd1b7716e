"""HTTP in, HTML out: the list of all doors."""

from flask import Flask

from crm_admin.blueprints import (
    access,
    browser,
    compression,
    csrf,
    errors,
    intake,
    pages,
    rendering,
)
from crm_admin.blueprints.attention import attention
from crm_admin.blueprints.auth import auth
from crm_admin.blueprints.conflicts import conflicts
from crm_admin.blueprints.find import find
from crm_admin.blueprints.mapping import mapping
from crm_admin.blueprints.oauth import oauth
from crm_admin.blueprints.overview import overview
from crm_admin.blueprints.plans import plans
from crm_admin.blueprints.povs import povs
from crm_admin.blueprints.profile import profile
from crm_admin.blueprints.records import records
from crm_admin.blueprints.schedules import schedules
from crm_admin.blueprints.settings import settings
from crm_admin.blueprints.sync import sync
from crm_admin.blueprints.undo import undo
from crm_admin.blueprints.views import views

DOORS = (
    attention,
    auth,
    conflicts,
    find,
    mapping,
    oauth,
    overview,
    plans,
    povs,
    profile,
    records,
    schedules,
    settings,
    sync,
    undo,
    views,
)


def register_blueprints(app: Flask) -> None:
    """Give the app its sessions, its guards in their order, its error pages and its doors."""
    app.session_interface = browser.Interface()
    compression.install(app)
    rendering.install(app)
    csrf.install(app)
    intake.install(app)
    access.install(app)
    errors.install(app)
    pages.install(app)
    for door in DOORS:
        app.register_blueprint(door)
