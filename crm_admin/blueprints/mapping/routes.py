"""The door of the mapping table."""

from flask import Blueprint, render_template

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.forms import argument
from crm_admin.security.permissions import Permission
from crm_admin.services.queries import mapping as query
from crm_admin.services.queries.scope import require_whole

mapping = Blueprint("mapping", __name__, url_prefix="/admin/crm/mapping")


@mapping.get("")
@requires(Permission.RECORD_READ)
def index() -> str:
    require_whole(signed_in())
    found = query.mappings()
    asked = argument("stream")
    chosen = next(
        (item for item in found if str(item.stream_id) == asked), found[0] if found else None
    )
    return render_template("mapping/index.html", pages=found, chosen=chosen)
