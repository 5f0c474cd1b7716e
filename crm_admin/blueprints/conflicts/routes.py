"""Doors of the conflicts: list, one, settle."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.forms import argument, one_of, text
from crm_admin.blueprints.links import back_to, record_url
from crm_admin.errors import NotFound
from crm_admin.security.permissions import Permission
from crm_admin.services import conflicts as service
from crm_admin.services.queries import conflicts as query

conflicts = Blueprint("conflicts", __name__, url_prefix="/admin/crm/conflicts")


@conflicts.get("")
@requires(Permission.RECORD_READ)
def index() -> str:
    settled = argument("view") == "settled"
    found = query.conflicts(signed_in(), settled=settled, after=argument("after"))
    return render_template("conflicts/index.html", page=found, settled=settled)


@conflicts.get("/<uuid:conflict_id>")
@requires(Permission.RECORD_READ)
def one(conflict_id: UUID) -> str:
    found = query.one(signed_in(), conflict_id)
    if found is None:
        raise NotFound("This conflict is not there.")
    return render_template("conflicts/one.html", conflict=found)


@conflicts.post("/<uuid:conflict_id>")
@requires(Permission.CONFLICT_RESOLVE)
def resolve(conflict_id: UUID) -> Response:
    found = query.one(signed_in(), conflict_id)
    if found is None:
        raise NotFound("This conflict is not there.")
    choice = one_of("choice", ("ours", "theirs"))
    result = service.resolve(
        person=signed_in(), conflict_id=conflict_id, choice=choice, seen=text("seen")
    )
    if result.reopened:
        flash(f"{found.label} changed again meanwhile. Look at both values once more.", "error")
    else:
        kept = "CRM Admin" if choice == "ours" else found.connection
        flash(f"Kept the value of {kept} for {found.label} of {found.title}.", "success")
    fallback = url_for(".index")
    return redirect(
        back_to(request.form.get("next", ""), (fallback, record_url(found.kind, found.record_id))),
        303,
    )
