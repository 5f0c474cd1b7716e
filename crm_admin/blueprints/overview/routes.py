"""Doors of Home, its live parts, and the list of people."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.attention.fixes import shown
from crm_admin.blueprints.forms import attempt, text
from crm_admin.blueprints.rendering import fragment, see_other
from crm_admin.blueprints.wording import _
from crm_admin.errors import NotFound
from crm_admin.security.permissions import Permission
from crm_admin.services import demo_conflict, preferences
from crm_admin.services.queries import home as home_query
from crm_admin.services.queries import needs as needs_query
from crm_admin.services.queries import people as people_query
from crm_admin.services.queries import runs as runs_query
from crm_admin.services.queries.frame import frame
from crm_admin.services.queries.scope import require_whole
from crm_admin.services.sql import transaction

overview = Blueprint("overview", __name__)

FIRST = 8
"""Home shows the worst pieces of work; the list of all is one link away."""


@overview.get("/")
@requires(Permission.RECORD_READ)
def index() -> Response:
    lands = "povs.index" if signed_in().sees_own_povs_only else "overview.home"
    return redirect(url_for(lands))


@overview.get("/admin/crm")
@requires(Permission.RECORD_READ)
def home() -> str:
    require_whole(signed_in())
    found = needs_query.needs(signed_in())
    return render_template(
        "overview/home.html",
        home=home_query.home(signed_in()),
        work=shown(found[:FIRST]),
        more=len(found) - FIRST,
        amount=len(found),
    )


@overview.get("/admin/crm/_attention")
@requires(Permission.RECORD_READ)
def attention() -> Response:
    require_whole(signed_in())
    found = needs_query.needs(signed_in())
    return fragment("overview/_attention.html", work=shown(found[:FIRST]), more=len(found) - FIRST)


@overview.get("/admin/crm/_running")
@requires(Permission.RECORD_READ)
def running() -> Response:
    require_whole(signed_in())
    return fragment("overview/_running.html", running=runs_query.live_runs())


@overview.get("/admin/crm/_health")
@requires(Permission.RECORD_READ)
def health() -> Response:
    require_whole(signed_in())
    return fragment("overview/_health.html", health=home_query.health())


@overview.post("/admin/crm/checklist")
@requires(Permission.SYNC_RUN)
def checklist() -> Response:
    """Hide the getting-started list, or show it again: for this person alone."""
    with transaction() as cursor:
        if text("show") == "1":
            preferences.drop(cursor, signed_in(), home_query.CHECKLIST)
        else:
            preferences.put(cursor, signed_in(), home_query.CHECKLIST, value="hidden")
    return see_other(url_for("overview.home"))


@overview.post("/admin/crm/demo-conflict")
@requires(Permission.SYNC_RUN)
def make_conflict() -> Response:
    """Change one deal on both sides, so that there is a conflict to practise on."""
    require_whole(signed_in())
    if not frame(signed_in()).demo:
        raise NotFound
    made = attempt(lambda: demo_conflict.make(person=signed_in()))
    if made is None:
        return see_other(url_for("overview.home"))
    title, run = made
    flash(_("Changed the revenue of %(title)s on both sides.", title=title), "success")
    return see_other(url_for("sync.run", run_id=run.id))


@overview.get("/admin/users")
@requires(Permission.PEOPLE_EDIT)
def people() -> str:
    return render_template("overview/people.html", people=people_query.people(signed_in()))
