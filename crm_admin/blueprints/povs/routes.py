"""Doors of the POVs."""

from flask import Blueprint
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import limited, requires
from crm_admin.blueprints.records import editing, lists
from crm_admin.blueprints.records.doors import open_doors
from crm_admin.security.permissions import Permission
from crm_admin.services.rates import Costly

povs = Blueprint("povs", __name__, url_prefix="/povs")

KIND = "pov"

open_doors(povs, "", kind=KIND)


@povs.get("")
@requires(Permission.RECORD_READ)
def index() -> Response:
    return lists.listing(KIND)


@povs.get("/view")
@requires(Permission.RECORD_READ)
def arrange() -> Response:
    return lists.arrange(KIND)


@povs.get("/export.csv")
@requires(Permission.RECORD_READ)
@limited(Costly.EXPORT)
def export() -> Response:
    return lists.export(KIND)


@povs.post("/sync")
@requires(Permission.SYNC_RECORD)
def sync_selected() -> Response:
    return lists.sync_selected(KIND)


@povs.get("/new")
@requires(Permission.RECORD_EDIT)
def new() -> Response:
    return editing.new(KIND)


@povs.post("/new")
@requires(Permission.RECORD_EDIT)
def create() -> Response:
    return editing.create(KIND)
