"""Doors of a connection's tabs about when it works and how much it may do."""

from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.browser import settings as installation
from crm_admin.blueprints.forms import text
from crm_admin.blueprints.settings import checks as live
from crm_admin.blueprints.settings import forms
from crm_admin.blueprints.settings.routes import settings
from crm_admin.errors import BadInput
from crm_admin.security.permissions import Permission
from crm_admin.services import connections_settings, notifications, save_trigger, schedules
from crm_admin.services.connections_settings import RANGES
from crm_admin.services.queries import connection_settings
from crm_admin.services.queries import connections as query
from crm_admin.services.queries.connection_settings import CHANNELS, EVENTS

MINUTES = (5, 15, 30, 60, 180, 360, 720, 1440)


@settings.get("/<uuid:connection_id>/auto-sync")
@requires(Permission.CONNECTION_EDIT)
def auto_sync(connection_id: UUID) -> str:
    """Show how often the connection works by itself, and when never."""
    return _auto_sync(connection_id, {}, None)


def _auto_sync(
    connection_id: UUID, errors: Mapping[str, str], typed: Mapping[str, str] | None
) -> str:
    found = query.detail(connection_id)
    auto = connection_settings.auto_sync(connection_id)
    quiet = typed or {
        "quiet_from": auto.quiet.get("from", "22:00"),
        "quiet_until": auto.quiet.get("until", "06:00"),
        "quiet_zone": auto.quiet.get("zone", auto.zone),
    }
    return render_template(
        "settings/auto_sync.html",
        found=found,
        card=found.card,
        auto=auto,
        minutes=MINUTES,
        quiet_on=bool(typed or auto.quiet),
        fields=_fields(connection_id, quiet, errors),
        errors=errors,
        events=EVENTS,
        channels=CHANNELS,
        chosen=connection_settings.notifications(signed_in().user_id),
        has_mail=bool(installation().mail_url),
    )


def _fields(
    connection_id: UUID, values: Mapping[str, object], errors: Mapping[str, str]
) -> list[live.LiveField]:
    return [
        live.live(
            name,
            value,
            url_for(".check_field", connection_id=connection_id, field=name),
            error=errors.get(name, ""),
        )
        for name, value in values.items()
    ]


@settings.post("/<uuid:connection_id>/auto-sync")
@requires(Permission.CONNECTION_EDIT)
def set_auto_sync(connection_id: UUID) -> Response | tuple[str, int]:
    """Keep how often the connection syncs, and its quiet hours."""
    names = ("quiet_from", "quiet_until", "quiet_zone")
    typed = {name: text(name, longest=60) for name in names}
    quiet = None
    if "quiet" in request.form:
        quiet = {name.removeprefix("quiet_"): value for name, value in typed.items()}
    every = text("minutes", longest=6)
    query.detail(connection_id)
    try:
        connections_settings.set_quiet_hours(
            person=signed_in(), connection_id=connection_id, quiet=quiet
        )
        if every != "keep":
            schedules.set_interval(
                person=signed_in(),
                connection_id=connection_id,
                minutes=int(every) if every.isascii() and every.isdigit() else None,
            )
        save_trigger.choose(
            person=signed_in(), connection_id=connection_id, on_save="on_save" in request.form
        )
    except BadInput as error:
        return _auto_sync(connection_id, {error.field: error.sentence}, typed), 422
    flash(_("Saved when it syncs."), "success")
    return redirect(url_for(".auto_sync", connection_id=connection_id), 303)


@settings.post("/<uuid:connection_id>/notifications")
@requires(Permission.CONNECTION_EDIT)
def notify(connection_id: UUID) -> Response:
    """Keep what the person at the page wants to hear of."""
    query.detail(connection_id)
    wanted = {
        (event, channel)
        for event in EVENTS
        for channel in CHANNELS
        if f"{event}-{channel}" in request.form
    }
    notifications.choose(person=signed_in(), wanted=wanted)
    flash(_("Saved what you hear of."), "success")
    return redirect(url_for(".auto_sync", connection_id=connection_id), 303)


@settings.get("/<uuid:connection_id>/limits")
@requires(Permission.CONNECTION_EDIT)
def limits(connection_id: UUID) -> str:
    """Show how much one run may change and ask."""
    return _limits(connection_id, {}, None)


def _limits(connection_id: UUID, errors: Mapping[str, str], typed: Mapping[str, str] | None) -> str:
    found = query.detail(connection_id)
    values = typed or asdict(connection_settings.limits_form(connection_id))
    fields = _fields(connection_id, {name: values[name] for name in RANGES}, errors)
    return render_template(
        "settings/limits.html",
        found=found,
        card=found.card,
        fields={field.name: field for field in fields},
        labels={name: live.words(name)[0] for name in RANGES} | {"typed": _("Its name")},
        errors=errors,
    )


@settings.post("/<uuid:connection_id>/limits")
@requires(Permission.CONNECTION_EDIT)
def set_limits(connection_id: UUID) -> Response | tuple[str, int]:
    """Keep the limits."""
    query.detail(connection_id)
    form = forms.limits()
    if form.limits is None:
        return _limits(connection_id, form.errors, form.values), 422
    try:
        connections_settings.set_limits(
            person=signed_in(),
            connection_id=connection_id,
            limits=form.limits,
            typed=text("typed"),
        )
    except BadInput as error:
        return _limits(connection_id, {error.field: error.sentence}, form.values), 422
    flash(_("Saved the limits. They hold from the next slice of work on."), "success")
    return redirect(url_for(".limits", connection_id=connection_id), 303)
