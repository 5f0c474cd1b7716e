"""Lists of records: what is shown, in which order, and the same as a file."""

from werkzeug.wrappers import Response

from crm_admin.blueprints.access import signed_in
from crm_admin.blueprints.forms import argument
from crm_admin.blueprints.navigation import record_kinds
from crm_admin.blueprints.rendering import page
from crm_admin.services.queries import records as query
from crm_admin.services.queries.listing import Filters

SORTS = ("updated", "title", "amount", "due")


def filters() -> Filters:
    """Return the filters of a record list from the address."""
    sort = argument("sort")
    return Filters(
        query=argument("q"),
        status=argument("stage"),
        view=argument("view"),
        sort=sort if sort in SORTS else "updated",
        mine=argument("view") == "mine",
    )


def listing(kind: str) -> Response:
    """Return the page of a list."""
    found = query.record_list(signed_in(), kind, filters(), argument("after"))
    return page("records/index.html", page=found, kinds=() if kind == "pov" else record_kinds())
