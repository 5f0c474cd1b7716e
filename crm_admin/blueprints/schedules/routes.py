"""Doors of the schedules: the list, the editor with its preview, and what a button does."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, flash, request, url_for
from markupsafe import Markup

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.formats import day
from crm_admin.blueprints.forms import argument, text
from crm_admin.blueprints.pages import page_frame
from crm_admin.blueprints.rendering import fragment, page, see_other
from crm_admin.blueprints.schedules import forms
from crm_admin.blueprints.wording import _
from crm_admin.errors import BadInput, Stale
from crm_admin.security.permissions import Permission
from crm_admin.services import schedule_edits as service
from crm_admin.services.queries import people as people_query
from crm_admin.services.queries import schedules as query
from crm_admin.services.queries.connections import names
from crm_admin.services.queries.schedules import Line
from crm_admin.services.queries.scope import require_whole
from crm_admin.sync.recurrence import Recurrence, zone_of

schedules = Blueprint("schedules", __name__, url_prefix="/admin/crm/schedules")


@schedules.app_template_filter("in_zone")
def in_zone(moment: datetime, name: str) -> Markup:
    """Return a moment as the clocks of a zone show it, with the zone's name."""
    local = moment.astimezone(zone_of(name))
    return Markup('<time datetime="{}">{} {:%H:%M} <span class="meta">{}</span></time>').format(
        local.isoformat(timespec="minutes"), day(local), local, name
    )


@schedules.get("")
@requires(Permission.RECORD_READ)
def index() -> Response:
    require_whole(signed_in())
    return page("schedules/index.html", page=query.page())


@schedules.get("/_preview")
@requires(Permission.RECORD_READ)
def preview() -> Response:
    """Say what a recurrence means while it is typed."""
    require_whole(signed_in())
    zone = argument("tz") or argument("zone") or page_frame().zone
    cron = argument("cron")
    is_cron = argument("how") == "cron" or (bool(cron) and not argument("how"))
    seconds = None if is_cron else forms.seconds_of(argument("every"), argument("unit"))
    when = Recurrence(seconds, (cron or "-") if is_cron else None, zone)
    return fragment("schedules/_preview.html", preview=query.preview(when))


@schedules.get("/new")
@requires(Permission.SCHEDULE_EDIT)
def new() -> Response:
    return _form(None, forms.blank(page_frame().zone))


@schedules.post("/new")
@requires(Permission.SCHEDULE_EDIT)
def make() -> Response:
    """Make a schedule; what cannot be saved comes back beside its field."""
    values = forms.typed()
    draft = forms.draft_of(values)
    if errors := service.problems(draft):
        return _form(None, values, errors=errors, status=422)
    try:
        service.save(person=signed_in(), schedule_id=None, draft=draft)
    except BadInput as error:
        return _form(None, values, errors={error.field: error.sentence}, status=422)
    flash(_("Made the schedule %(name)s.", name=draft.name), "success")
    return see_other(url_for("schedules.index"))


@schedules.get("/<uuid:schedule_id>")
@requires(Permission.RECORD_READ)
def one(schedule_id: UUID) -> Response:
    require_whole(signed_in())
    line = query.one(schedule_id)
    return _form(line, forms.filled(line))


@schedules.post("/<uuid:schedule_id>")
@requires(Permission.SCHEDULE_EDIT)
def save(schedule_id: UUID) -> Response:
    """Save a schedule; a form that is older than the schedule shows what it is now."""
    line, values = query.one(schedule_id), forms.typed()
    draft = forms.draft_of(values, line)
    if errors := service.problems(draft):
        return _form(line, values, errors=errors, status=422)
    seen = text("version")
    try:
        service.save(
            person=signed_in(),
            schedule_id=schedule_id,
            draft=draft,
            seen_version=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0,
        )
    except BadInput as error:
        return _form(line, values, errors={error.field: error.sentence}, status=422)
    except Stale as error:
        return _form(line, values, stale=error.sentence, status=409)
    flash(_("Saved %(name)s.", name=draft.name), "success")
    return see_other(url_for("schedules.index"))


def _form(
    line: Line | None,
    values: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    stale: str = "",
    status: int = 200,
) -> Response:
    is_cron = values["how"] == "cron"
    seconds = None if is_cron else forms.seconds_of(values["every"], values["unit"])
    when = Recurrence(seconds, (values["cron"] or "-") if is_cron else None, values["zone"])
    return page(
        "schedules/one.html",
        status=status,
        line=line,
        values=values,
        errors=errors or {},
        stale=stale,
        preview=query.preview(when),
        jobs=forms.jobs(),
        connections=[(str(found), name) for found, name in names()],
        people=[
            (str(found.id), found.name)
            for found in people_query.people(signed_in())
            if not found.disabled
        ],
        zones=forms.zones(values["zone"]),
    )


@schedules.post("/<uuid:schedule_id>/switch")
@requires(Permission.SCHEDULE_EDIT)
def switch(schedule_id: UUID) -> Response:
    """Switch it on or off."""
    line, on = query.one(schedule_id), request.form.get("on") == "1"
    service.switch(person=signed_in(), schedule_id=schedule_id, on=on)
    said = _("%(name)s is on.", name=line.name) if on else _("%(name)s is off.", name=line.name)
    return _done(said)


@schedules.post("/<uuid:schedule_id>/pause")
@requires(Permission.SCHEDULE_EDIT)
def pause(schedule_id: UUID) -> Response:
    """Let it rest for a while, or go on."""
    line = query.one(schedule_id)
    try:
        service.pause(person=signed_in(), schedule_id=schedule_id, until=forms.until())
    except BadInput as error:
        return _form(line, forms.filled(line), errors={error.field: error.sentence}, status=422)
    return _done(_("Saved %(name)s.", name=line.name))


@schedules.post("/<uuid:schedule_id>/run")
@requires(Permission.SYNC_RUN)
def run(schedule_id: UUID) -> Response:
    """Do its work now."""
    require_whole(signed_in())
    line = query.one(schedule_id)
    service.run_now(person=signed_in(), schedule_id=schedule_id)
    return _done(_("Asked for %(name)s now. Its outcome appears in the list.", name=line.name))


@schedules.post("/<uuid:schedule_id>/remove")
@requires(Permission.SCHEDULE_EDIT)
def remove(schedule_id: UUID) -> Response:
    """Remove a schedule that somebody made."""
    line = query.one(schedule_id)
    try:
        service.remove(person=signed_in(), schedule_id=schedule_id)
    except BadInput as error:
        flash(error.sentence, "error")
        return see_other(url_for("schedules.one", schedule_id=schedule_id))
    return _done(_("Removed %(name)s.", name=line.name))


def _done(sentence: str) -> Response:
    flash(sentence, "success")
    return see_other(url_for("schedules.index"))
