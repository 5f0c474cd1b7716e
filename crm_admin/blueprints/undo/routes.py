"""Doors of an undo: what it would put back, as a page and as a file, and its start."""

from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, Response, flash, url_for

from crm_admin.blueprints.access import limited, requires, signed_in
from crm_admin.blueprints.exporting import csv_file
from crm_admin.blueprints.formats import plain
from crm_admin.blueprints.forms import argument, attempt, once_key, text
from crm_admin.blueprints.rendering import fragment, page, see_other
from crm_admin.blueprints.wording import _
from crm_admin.security.permissions import Permission
from crm_admin.services import undo as service
from crm_admin.services.queries import undo as query
from crm_admin.services.queries.runs import RunLine
from crm_admin.services.queries.scope import require_whole
from crm_admin.services.rates import Costly

undo = Blueprint("undo", __name__, url_prefix="/admin/crm/sync/runs")

HEADER = (
    *("What the run did", "To", "Kind", "Record", "Record id", "Field", "Before", "After"),
    *("Undo", "Why it stays", "Changed by", "Changed at"),
)


@undo.get("/<uuid:run_id>/undo")
@requires(Permission.RECORD_READ)
def preview(run_id: UUID) -> Response:
    require_whole(signed_in())
    found = query.preview(run_id)
    return page(
        "undo/preview.html",
        found=found,
        line=found.line,
        show=_show(),
        changes=query.changes(found.line, show=_show(), after=argument("after")),
        once=once_key(),
    )


def _show() -> str:
    return argument("show") if argument("show") in query.SHOWS else ""


@undo.get("/<uuid:run_id>/undo/_changes")
@requires(Permission.RECORD_READ)
def changes(run_id: UUID) -> Response:
    require_whole(signed_in())
    line = query.line(run_id)
    found = query.changes(line, show=_show(), after=argument("after"))
    return fragment("undo/_changes.html", line=line, show=_show(), changes=found)


@undo.get("/<uuid:run_id>/undo.csv")
@requires(Permission.RECORD_READ)
@limited(Costly.EXPORT)
def export(run_id: UUID) -> Response:
    require_whole(signed_in())
    line = query.line(run_id)
    found = query.all_changes(line, show=_show())
    name = f"undo-{str(run_id)[-8:]}"
    return csv_file(name, HEADER, (cells for one in found for cells in _lines(one, line)))


def _lines(one: query.Change, line: RunLine) -> Iterator[tuple[object, ...]]:
    """One line per field, and one for a change that has none."""
    to = line.connection if one.side == "theirs" else "CRM Admin"
    start = one.action, to, one.kind, one.label, one.record_id or ""
    since = one.by, one.at.isoformat() if one.at else ""
    if not one.fields:
        yield *start, "", "", "", _verdict(stays=not one.goes_back), one.reason, *since
    for field in one.fields:
        stays = field.stays or not one.goes_back
        why = one.reason or (query.REASONS["moved"] if field.stays else "")
        values = field.name, plain(field.before), plain(field.after)
        yield *start, *values, _verdict(stays=stays), why, *(since if field.stays else ("", ""))


def _verdict(*, stays: bool) -> str:
    return "stays" if stays else "goes back"


@undo.post("/<uuid:run_id>/undo")
@requires(Permission.PLAN_APPROVE)
def start(run_id: UUID) -> Response:
    started = attempt(
        lambda: service.start(
            person=signed_in(), run_id=run_id, once_key=text("once_key") or None, staged=True
        )
    )
    if started is None:
        return see_other(url_for(".preview", run_id=run_id))
    flash(
        _("This makes a plan of what goes back. Nothing is undone until you apply it."), "success"
    )
    return see_other(url_for("sync.run", run_id=started.id))
