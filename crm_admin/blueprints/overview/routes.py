"""Doors of Home and its live parts."""

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.pages import page_frame
from crm_admin.security.permissions import Permission
from crm_admin.services.queries import home as home_query
from crm_admin.services.queries import people as people_query
from crm_admin.services.queries import runs as runs_query
from crm_admin.services.queries.scope import require_whole

overview = Blueprint("overview", __name__)


@overview.get("/")
@requires(Permission.RECORD_READ)
def index() -> Response:
    lands = "povs.index" if signed_in().sees_own_povs_only else "overview.home"
    return redirect(url_for(lands))


@overview.get("/admin/crm")
@requires(Permission.RECORD_READ)
def home() -> str:
    require_whole(signed_in())
    return render_template("overview/home.html", home=home_query.home(), work=page_frame().work)


@overview.get("/admin/crm/_attention")
@requires(Permission.RECORD_READ)
def attention() -> str:
    require_whole(signed_in())
    return render_template(
        "overview/_attention.html", work=page_frame().work, health=home_query.health()
    )


@overview.get("/admin/crm/_running")
@requires(Permission.RECORD_READ)
def running() -> str:
    require_whole(signed_in())
    return render_template("overview/_running.html", running=runs_query.live_runs())


@overview.get("/admin/crm/_health")
@requires(Permission.RECORD_READ)
def health() -> str:
    require_whole(signed_in())
    return render_template("overview/_health.html", health=home_query.health())


@overview.get("/admin/users")
@requires(Permission.PEOPLE_EDIT)
def people() -> str:
    return render_template("overview/people.html", people=people_query.people(signed_in()))
