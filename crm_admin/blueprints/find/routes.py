"""Doors of the command bar."""

from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.find.places import places
from crm_admin.blueprints.forms import argument
from crm_admin.blueprints.rendering import fragment, page
from crm_admin.security.permissions import Permission
from crm_admin.services.queries import find as query

find = Blueprint("find", __name__)

LONGEST = 2_000


@find.get("/find")
@requires(Permission.RECORD_READ)
def index() -> Response:
    return page("find/index.html", **_found())


@find.get("/_find")
@requires(Permission.RECORD_READ)
def part() -> Response:
    return fragment("find/_found.html", **_found())


def _found() -> dict[str, Any]:
    asked = argument("q", longest=LONGEST)
    return {
        "asked": asked,
        "places": places(signed_in(), asked),
        "found": query.find(signed_in(), asked),
    }
