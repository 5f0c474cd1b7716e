"""Doors of a connection's tabs: credentials, objects and filters, the end of its set-up, danger."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import limited, requires, signed_in
from crm_admin.blueprints.forms import argument, once_key, text
from crm_admin.blueprints.oauth.routes import leave
from crm_admin.blueprints.rendering import fragment
from crm_admin.blueprints.settings import forms
from crm_admin.blueprints.settings.leaving import may_leave
from crm_admin.blueprints.settings.routes import settings
from crm_admin.errors import BadInput, CrmAdminError
from crm_admin.security.permissions import Permission
from crm_admin.services import connections as service
from crm_admin.services import (
    connections_credentials,
    connections_fields,
    connections_removal,
    connections_settings,
)
from crm_admin.services.queries import connection_settings
from crm_admin.services.queries import connections as query
from crm_admin.services.queries.connection_access import access
from crm_admin.services.queries.scope import require_whole
from crm_admin.services.rates import Costly
from crm_admin.sync.filter_lines import MOST_LINES, OPERATORS, Line


@settings.get("/<uuid:connection_id>/credentials")
@requires(Permission.CONNECTION_EDIT)
def credentials(connection_id: UUID) -> Response:
    """Show how the connection proves who it is."""
    return _credentials(connection_id, {})


def _credentials(connection_id: UUID, errors: dict[str, str], *, status: int = 200) -> Response:
    found = query.detail(connection_id)
    page = render_template(
        "settings/credentials.html",
        found=found,
        card=found.card,
        access=access(connection_id),
        errors=errors,
        labels=forms.labels(found.spec),
        other=argument("other", longest=40),
    )
    return may_leave(page, found.card.provider, [found.endpoint], status=status)


@settings.post("/<uuid:connection_id>/secret")
@requires(Permission.CONNECTION_EDIT)
@limited(Costly.CHECK)
def rotate(connection_id: UUID) -> Response:
    """Replace the key by one that was tried."""
    found = query.detail(connection_id)
    names = [item.name for item in found.spec.settings if item.secret]
    secrets = {name: text(f"setting-{name}", longest=4000) for name in names}
    try:
        connections_credentials.rotate_secret(
            person=signed_in(), connection_id=connection_id, secrets=secrets
        )
    except BadInput as error:
        return _credentials(connection_id, {f"setting-{error.field}": error.sentence}, status=422)
    service.start_check(person=signed_in(), connection_id=connection_id)
    flash(_("Replaced the key of %(name)s.", name=found.card.name), "success")
    return redirect(url_for(".detail", connection_id=connection_id), 303)


@settings.post("/<uuid:connection_id>/application")
@requires(Permission.CONNECTION_EDIT)
def application(connection_id: UUID) -> Response:
    """Keep an application of the connection's own for its sign-in."""
    try:
        connections_credentials.set_app(
            person=signed_in(),
            connection_id=connection_id,
            client_id=text("client_id"),
            client_secret=text("client_secret", longest=4000),
        )
    except BadInput as error:
        return _credentials(connection_id, {error.field: error.sentence}, status=422)
    flash(_("Saved the application. The next sign-in uses it."), "success")
    return redirect(url_for(".credentials", connection_id=connection_id), 303)


@settings.post("/<uuid:connection_id>/switch")
@requires(Permission.CONNECTION_EDIT)
def switch_account(connection_id: UUID) -> Response:
    """Sign in to another account on purpose; the links of the former one are forgotten."""
    name = service.show(connection_id).name
    if text("typed") != name:
        error = _("Type %(name)s exactly as it is written here.", name=name)
        return _credentials(connection_id, {"typed": error}, status=422)
    return leave(connection_id, reset_links=True)


@settings.get("/<uuid:connection_id>/objects")
@requires(Permission.CONNECTION_EDIT)
def objects(connection_id: UUID) -> str:
    """Show what is synced, in which direction, and what is left out."""
    found = query.detail(connection_id)
    return render_template(
        "settings/objects.html",
        found=found,
        card=found.card,
        choices=query.choices(found),
        directions=forms.DIRECTIONS,
        creates=forms.CREATES,
        policies=forms.POLICIES,
        read_at=connection_settings.described_at(connection_id),
    )


@settings.post("/<uuid:connection_id>/objects")
@requires(Permission.CONNECTION_EDIT)
def choose(connection_id: UUID) -> Response:
    """Keep what is synced; a draft goes on to the check of its answers."""
    found = query.detail(connection_id)
    chosen = forms.stream_choices(query.choices(found))
    service.choose_streams(person=signed_in(), connection_id=connection_id, choices=chosen)
    amount = sum(1 for item in chosen if item.enabled)
    said = ngettext(
        "%(name)s syncs %(num)s object from the next run on.",
        "%(name)s syncs %(num)s objects from the next run on.",
        amount,
        name=found.card.name,
    )
    flash(said, "success")
    onward = ".review" if found.card.is_draft else ".detail"
    return redirect(url_for(onward, connection_id=connection_id), 303)


@settings.post("/<uuid:connection_id>/fields")
@requires(Permission.CONNECTION_EDIT)
@limited(Costly.CHECK)
def refresh_fields(connection_id: UUID) -> Response:
    """Read the CRM's fields anew."""
    try:
        connections_fields.refresh(person=signed_in(), connection_id=connection_id)
        flash(_("Read the fields anew."), "success")
    except CrmAdminError as error:
        flash(error.sentence, "error")
    return redirect(url_for(".objects", connection_id=connection_id), 303)


@settings.get("/<uuid:connection_id>/objects/<uuid:stream_id>")
@requires(Permission.CONNECTION_EDIT)
def stream_filter(connection_id: UUID, stream_id: UUID) -> str:
    """Show which records an object's filter takes in."""
    return _filter(connection_id, stream_id, None, {})


def _filter(
    connection_id: UUID, stream_id: UUID, typed: list[Line] | None, errors: dict[str, str]
) -> str:
    found = query.detail(connection_id)
    form = connection_settings.filter_form(connection_id, stream_id)
    lines = list(form.lines) if typed is None else typed
    kept = [line for line in lines if line.property] if not errors else lines
    rows = [*kept, *([Line("", "EQ")] * (2 if len(kept) + 2 <= MOST_LINES else 0))][:MOST_LINES]
    return render_template(
        "settings/filter.html",
        found=found,
        card=found.card,
        form=form,
        label=query.object_label(found.spec, form.object),
        kind_label=query.kind_label(form.kind),
        lines=rows,
        operators=OPERATORS,
        errors=errors,
        count=None,
        error="",
    )


@settings.get("/<uuid:connection_id>/objects/<uuid:stream_id>/_count")
@requires(Permission.CONNECTION_EDIT)
@limited(Costly.COUNT)
def count(connection_id: UUID, stream_id: UUID) -> Response:
    """Say how many records the conditions in the address would take in, asked of the CRM now."""
    connection_settings.filter_form(connection_id, stream_id)
    found, error = None, ""
    try:
        found = connections_fields.count(
            connection_id=connection_id, stream_id=stream_id, lines=forms.filter_lines()
        )
    except CrmAdminError as problem:
        error = problem.sentence
    return fragment("settings/_count.html", count=found, error=error, asked=True)


@settings.post("/<uuid:connection_id>/objects/<uuid:stream_id>")
@requires(Permission.CONNECTION_EDIT)
def save_filter(connection_id: UUID, stream_id: UUID) -> Response | tuple[str, int]:
    """Keep an object's filter."""
    typed = forms.filter_lines()
    connection_settings.filter_form(connection_id, stream_id)
    try:
        connections_fields.set_filter(
            person=signed_in(), connection_id=connection_id, stream_id=stream_id, lines=typed
        )
    except BadInput as error:
        return _filter(connection_id, stream_id, typed, {error.field: error.sentence}), 422
    flash(_("Saved the filter. The next run reads all records anew."), "success")
    return redirect(url_for(".objects", connection_id=connection_id), 303)


@settings.get("/<uuid:connection_id>/review")
@requires(Permission.CONNECTION_EDIT)
def review(connection_id: UUID) -> str:
    """Show all answers of a new connection before anything runs."""
    found = query.detail(connection_id)
    return render_template(
        "settings/review.html",
        found=found,
        card=found.card,
        access=access(connection_id),
        limits=connection_settings.limits_form(connection_id),
        policies=dict(forms.POLICIES),
        directions=dict(forms.DIRECTIONS),
        creates=dict(forms.CREATES),
        once=once_key(),
    )


@settings.post("/<uuid:connection_id>/finish")
@requires(Permission.CONNECTION_EDIT)
def finish(connection_id: UUID) -> Response:
    """End the set-up without a first plan."""
    try:
        connections_settings.finish_setup(person=signed_in(), connection_id=connection_id)
    except BadInput as error:
        flash(error.sentence, "error")
        return redirect(url_for(".review", connection_id=connection_id), 303)
    flash(_("The set-up is complete. Plan a sync whenever you are ready."), "success")
    return redirect(url_for(".detail", connection_id=connection_id), 303)


@settings.get("/<uuid:connection_id>/danger")
@requires(Permission.CONNECTION_EDIT)
def danger(connection_id: UUID) -> str:
    """Show how to part from the CRM and what each way costs."""
    return _danger(connection_id, {})


def _danger(connection_id: UUID, errors: dict[str, str]) -> str:
    require_whole(signed_in())
    found = query.detail(connection_id)
    return render_template(
        "settings/danger.html",
        found=found,
        card=found.card,
        cost=connections_removal.consequences(connection_id),
        errors=errors,
    )


@settings.post("/<uuid:connection_id>/disconnect")
@requires(Permission.CONNECTION_EDIT)
def disconnect(connection_id: UUID) -> Response:
    """Forget the credentials and keep the links."""
    name = service.show(connection_id).name
    connections_removal.disconnect(person=signed_in(), connection_id=connection_id)
    flash(_("Disconnected %(name)s. Its links are kept.", name=name), "success")
    return redirect(url_for(".detail", connection_id=connection_id), 303)


@settings.post("/<uuid:connection_id>/reset")
@requires(Permission.CONNECTION_EDIT)
def reset(connection_id: UUID) -> Response | tuple[str, int]:
    """Forget which record is which."""
    try:
        links = connections_removal.reset_links(
            person=signed_in(), connection_id=connection_id, typed=text("typed")
        )
    except BadInput as error:
        return _danger(connection_id, {"reset": error.sentence}), 422
    said = ngettext(
        "Forgot %(num)s link. The next run reads everything anew.",
        "Forgot %(num)s links. The next run reads everything anew.",
        links,
    )
    flash(said, "success")
    return redirect(url_for(".detail", connection_id=connection_id), 303)


@settings.post("/<uuid:connection_id>/delete")
@requires(Permission.CONNECTION_EDIT)
def delete(connection_id: UUID) -> Response | tuple[str, int]:
    """Delete the connection and all that is known of its CRM."""
    name = service.show(connection_id).name
    try:
        gone = connections_removal.delete(
            person=signed_in(), connection_id=connection_id, typed=text("typed")
        )
    except BadInput as error:
        return _danger(connection_id, {"delete": error.sentence}), 422
    said = (
        _("Deleted %(name)s. No record was touched.", name=name)
        if gone
        else _("%(name)s is being deleted. This page can be left.", name=name)
    )
    flash(said, "success")
    return redirect(url_for(".connections"), 303)
