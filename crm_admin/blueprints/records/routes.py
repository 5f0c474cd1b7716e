"""Doors of record lists and records."""

from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import limited, requires, signed_in
from crm_admin.blueprints.navigation import record_kinds
from crm_admin.blueprints.records import editing, lists
from crm_admin.blueprints.records.doors import open_doors
from crm_admin.security.permissions import Permission
from crm_admin.services.queries.scope import require_whole
from crm_admin.services.rates import Costly

records = Blueprint("records", __name__, url_prefix="/records")

open_doors(records, "/<kind>")


@records.get("")
@requires(Permission.RECORD_READ)
def index() -> Response:
    require_whole(signed_in())
    return redirect(url_for(".listing", kind=record_kinds()[0][0]))


@records.get("/<kind>")
@requires(Permission.RECORD_READ)
def listing(kind: str) -> Response:
    if kind == "pov":
        asked: dict[str, Any] = request.args.to_dict()
        return redirect(url_for("povs.index", **asked))
    return lists.listing(kind)


@records.get("/<kind>/view")
@requires(Permission.RECORD_READ)
def arrange(kind: str) -> Response:
    return lists.arrange(kind)


@records.get("/<kind>/export.csv")
@requires(Permission.RECORD_READ)
@limited(Costly.EXPORT)
def export(kind: str) -> Response:
    return lists.export(kind)


@records.post("/<kind>/sync")
@requires(Permission.SYNC_RECORD)
def sync_selected(kind: str) -> Response:
    return lists.sync_selected(kind)


@records.get("/<kind>/new")
@requires(Permission.RECORD_EDIT)
def new(kind: str) -> Response:
    return editing.new(kind)


@records.post("/<kind>/new")
@requires(Permission.RECORD_EDIT)
def create(kind: str) -> Response:
    return editing.create(kind)
