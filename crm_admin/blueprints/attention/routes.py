"""Doors of the work list: its views, and what people say about a piece of work."""

from uuid import UUID

from flask import Blueprint, Response, flash, request, url_for

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.attention.fixes import shown
from crm_admin.blueprints.forms import argument, text
from crm_admin.blueprints.rendering import page, see_other
from crm_admin.blueprints.wording import _
from crm_admin.clock import now
from crm_admin.errors import BadInput
from crm_admin.security.permissions import Permission
from crm_admin.services import need_marks as service
from crm_admin.services.queries import needs as query
from crm_admin.services.queries import people as people_query

attention = Blueprint("attention", __name__, url_prefix="/admin/crm/attention")


@attention.get("")
@requires(Permission.RECORD_READ)
def index() -> Response:
    return _page(request.args.get("view", ""))


def _page(view: str, *, status: int = 200, error: str = "", key: str = "") -> Response:
    view = _view(view)
    return page(
        "attention/index.html",
        status=status,
        items=shown(query.needs(signed_in(), view)),
        view=view,
        open=query.counted(signed_in()),
        looked_at=now(),
        people=_people(),
        error=error,
        error_key=key,
        done=_done(argument("done")),
    )


def _done(asked: str) -> tuple[str, str]:
    """What left the list just now: the address that takes it back, and its key."""
    try:
        return url_for("attention.open_again", item_id=UUID(asked)), ""
    except ValueError:
        return (url_for("attention.wake"), asked) if query.find(signed_in(), asked) else ("", "")


def _view(asked: str) -> str:
    return asked if asked in query.VIEWS else ""


def _people() -> list[tuple[str, str]]:
    """Whom work can be given to; only those who may give it are told."""
    if not signed_in().may(Permission.SYNC_RUN):
        return []
    return [(str(one.id), one.name) for one in people_query.people(signed_in()) if not one.disabled]


def _back(done: str = "") -> Response:
    view = _view(text("view"))
    return see_other(url_for("attention.index", view=view or None, done=done or None))


@attention.post("/assign")
@requires(Permission.SYNC_RUN)
def assign() -> Response:
    """Give a piece of work to somebody, or to nobody."""
    to = text("to")
    try:
        chosen = UUID(to) if to else None
    except ValueError as error:
        raise BadInput("to", "Choose a person from the list.") from error
    service.assign(person=signed_in(), key=text("key"), to=chosen)
    flash(_("Assigned.") if chosen else _("It belongs to nobody now."), "success")
    return _back()


@attention.post("/snooze")
@requires(Permission.SYNC_RUN)
def snooze() -> Response:
    """Let a piece of work wait."""
    service.snooze(person=signed_in(), key=text("key"), rule=text("rule"))
    return _back(done=text("key"))


@attention.post("/mute")
@requires(Permission.SYNC_RUN)
def mute() -> Response:
    """Take a piece of work off the list, with a reason; without one the page says so."""
    try:
        service.mute(person=signed_in(), key=text("key"), reason=text("reason", longest=400))
    except BadInput as error:
        return _page(text("view"), status=422, error=error.sentence, key=text("key"))
    return _back(done=text("key"))


@attention.post("/wake")
@requires(Permission.SYNC_RUN)
def wake() -> Response:
    """Put a piece of work back on the list."""
    service.wake(person=signed_in(), key=text("key"))
    flash(_("It is back on the list."), "success")
    return _back()


@attention.post("/<uuid:item_id>/done")
@requires(Permission.SYNC_RUN)
def finish(item_id: UUID) -> Response:
    """Say that something is done."""
    service.finish(person=signed_in(), item_id=item_id)
    return _back(done=str(item_id))


@attention.post("/<uuid:item_id>/open")
@requires(Permission.SYNC_RUN)
def open_again(item_id: UUID) -> Response:
    """Take back that it is done."""
    service.open_again(person=signed_in(), item_id=item_id)
    flash(_("It is back on the list."), "success")
    return _back()
