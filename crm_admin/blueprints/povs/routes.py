"""Doors of the POVs."""

from uuid import UUID

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.forms import argument
from crm_admin.blueprints.records import views
from crm_admin.security.permissions import Permission
from crm_admin.services.queries import records as query

povs = Blueprint("povs", __name__, url_prefix="/povs")

KIND = "pov"


@povs.get("")
@requires(Permission.RECORD_READ)
def index() -> str:
    page = query.record_list(signed_in(), KIND, views.filters(), argument("after"))
    return render_template("records/index.html", page=page, kinds=())


@povs.get("/<uuid:record_id>")
@requires(Permission.RECORD_READ)
def one(record_id: UUID) -> str:
    return views.page(KIND, record_id)


@povs.get("/<uuid:record_id>/_status")
@requires(Permission.RECORD_READ)
def status(record_id: UUID) -> Response:
    return views.status(KIND, record_id)


@povs.post("/<uuid:record_id>/sync")
@requires(Permission.SYNC_RECORD)
def sync(record_id: UUID) -> Response:
    return views.sync(KIND, record_id)


@povs.get("/<uuid:record_id>/edit")
@requires(Permission.RECORD_EDIT)
def edit(record_id: UUID) -> str:
    return views.edit(KIND, record_id)


@povs.post("/<uuid:record_id>/edit")
@requires(Permission.RECORD_EDIT)
def save(record_id: UUID) -> Response | tuple[str, int]:
    return views.save(KIND, record_id)
