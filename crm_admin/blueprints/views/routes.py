"""Doors of the saved views of all lists."""

from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import Blueprint, abort, flash, redirect
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires_sign_in, signed_in
from crm_admin.blueprints.forms import attempt, text
from crm_admin.blueprints.intake import NUL
from crm_admin.blueprints.links import list_url
from crm_admin.blueprints.wording import _
from crm_admin.errors import NotFound
from crm_admin.services import saved_views as service
from crm_admin.services.queries import views as query

views = Blueprint("views", __name__, url_prefix="/views")


@views.post("")
@requires_sign_in
def save() -> Response:
    page = text("page", longest=80)
    asked = _asked()
    made = attempt(
        lambda: service.save(
            person=signed_in(),
            page=page,
            name=text("name"),
            filters=asked,
            shared=text("shared") == "1",
        )
    )
    if made is None:
        return redirect(_list(page, asked), 303)
    flash(_("Saved the view."), "success")
    return redirect(_list(page, {**asked, "saved": str(made)}), 303)


@views.post("/<uuid:view_id>/rename")
@requires_sign_in
def rename(view_id: UUID) -> Response:
    page = _page(view_id)
    attempt(lambda: _rename(view_id))
    return redirect(_list(page, _asked()), 303)


def _rename(view_id: UUID) -> None:
    service.rename(person=signed_in(), view_id=view_id, name=text("name"))
    flash(_("Renamed the view."), "success")


@views.post("/<uuid:view_id>/delete")
@requires_sign_in
def delete(view_id: UUID) -> Response:
    page = _page(view_id)
    name = service.delete(person=signed_in(), view_id=view_id)
    flash(_("Deleted the view %(name)s. The records stay.", name=name), "success")
    return redirect(_list(page, {"view": "all"}), 303)


@views.post("/<uuid:view_id>/default")
@requires_sign_in
def default(view_id: UUID) -> Response:
    page = _page(view_id)
    on = text("on") == "1"
    service.set_default(person=signed_in(), view_id=view_id, on=on)
    flash(
        _("This list opens with this view from now on.")
        if on
        else _("This list opens with everything again."),
        "success",
    )
    return redirect(_list(page, _asked()), 303)


def _asked() -> dict[str, str]:
    """What the list was narrowed to, of what a list knows; a NUL that was hidden in it is refused
    like one that was not.
    """
    found = dict(parse_qsl(text("filters", longest=4_000)))
    if any(NUL in name or NUL in value for name, value in found.items()):
        abort(400)
    return {name: value for name, value in found.items() if name in query.PARTS}


def _page(view_id: UUID) -> str:
    found = query.page_of(signed_in(), view_id)
    if found is None:
        raise NotFound(_("This view is not there any more."))
    return found


def _list(page: str, filters: dict[str, Any]) -> str:
    base = list_url(page)
    asked = urlencode({name: value for name, value in filters.items() if value})
    return f"{base}?{asked}" if asked else base
