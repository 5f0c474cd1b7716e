"""Doors of record lists and records."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.forms import argument
from crm_admin.blueprints.navigation import record_kinds
from crm_admin.blueprints.records import views
from crm_admin.security.permissions import Permission
from crm_admin.services.queries import records as query
from crm_admin.services.queries.scope import require_whole

records = Blueprint("records", __name__, url_prefix="/records")


@records.get("")
@requires(Permission.RECORD_READ)
def index() -> Response:
    require_whole(signed_in())
    return redirect(url_for(".listing", kind=record_kinds()[0][0]))


@records.get("/<kind>")
@requires(Permission.RECORD_READ)
def listing(kind: str) -> str | Response:
    if kind == "pov":
        return redirect(url_for("povs.index"))
    page = query.record_list(signed_in(), kind, views.filters(), argument("after"))
    return render_template("records/index.html", page=page, kinds=record_kinds())


@records.get("/<kind>/<uuid:record_id>")
@requires(Permission.RECORD_READ)
def one(kind: str, record_id: UUID) -> str | Response:
    if kind == "pov":
        return redirect(url_for("povs.one", record_id=record_id))
    return views.page(kind, record_id)


@records.get("/<kind>/<uuid:record_id>/_status")
@requires(Permission.RECORD_READ)
def status(kind: str, record_id: UUID) -> Response:
    return views.status(kind, record_id)


@records.post("/<kind>/<uuid:record_id>/sync")
@requires(Permission.SYNC_RECORD)
def sync(kind: str, record_id: UUID) -> Response:
    return views.sync(kind, record_id)


@records.get("/<kind>/<uuid:record_id>/edit")
@requires(Permission.RECORD_EDIT)
def edit(kind: str, record_id: UUID) -> str:
    return views.edit(kind, record_id)


@records.post("/<kind>/<uuid:record_id>/edit")
@requires(Permission.RECORD_EDIT)
def save(kind: str, record_id: UUID) -> Response | tuple[str, int]:
    return views.save(kind, record_id)
