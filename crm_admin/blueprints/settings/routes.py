"""Doors of the connections: the list, a new one, and each one's overview."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import limited, requires, signed_in
from crm_admin.blueprints.forms import argument, once_key, one_of, text
from crm_admin.blueprints.oauth.routes import leave
from crm_admin.blueprints.rendering import fragment, last_poll
from crm_admin.blueprints.settings import checks as live
from crm_admin.blueprints.settings import forms
from crm_admin.blueprints.settings.leaving import may_call, may_leave
from crm_admin.errors import BadInput
from crm_admin.providers.base import ProviderSpec
from crm_admin.providers.registry import sign_in_of, spec_of, specs
from crm_admin.security.permissions import Permission
from crm_admin.services import connections as service
from crm_admin.services import connections_settings, oauth_apps
from crm_admin.services.connections_settings import General
from crm_admin.services.queries import connections as query
from crm_admin.services.queries.connection_access import access
from crm_admin.services.queries.scope import require_whole
from crm_admin.services.rates import Costly
from crm_admin.services.seed import simulator
from crm_admin.services.seed.simulator import Hint
from crm_admin.sync.states import Stance

settings = Blueprint("settings", __name__, url_prefix="/admin/crm/settings")


@settings.get("")
@requires(Permission.RECORD_READ)
def connections() -> str:
    require_whole(signed_in())
    return render_template("settings/connections.html", cards=query.cards())


@settings.get("/new")
@requires(Permission.CONNECTION_EDIT)
def new() -> Response:
    chosen = argument("provider")
    spec = _spec(chosen) if chosen else None
    hint = _hint(spec)
    if spec and hint and argument("simulator"):
        return _form(spec, forms.of_simulator(spec, hint))
    asked = argument("endpoint")
    form = forms.NewConnection(
        endpoint=asked if spec and may_call(asked, spec.name) else (spec.endpoint if spec else ""),
        name=argument("name") or (spec.label if spec else ""),
    )
    return _form(spec, form)


@settings.get("/_check/<field>")
@requires(Permission.CONNECTION_EDIT)
def check_new(field: str) -> Response:
    url = url_for(".check_new", field=field)
    return fragment("settings/_field.html", field=live.checked(field, None, url))


@settings.get("/<uuid:connection_id>/_check/<field>")
@requires(Permission.CONNECTION_EDIT)
def check_field(connection_id: UUID, field: str) -> Response:
    service.show(connection_id)
    url = url_for(".check_field", connection_id=connection_id, field=field)
    return fragment("settings/_field.html", field=live.checked(field, connection_id, url))


def _hint(spec: ProviderSpec | None) -> Hint | None:
    """Return how to reach the simulator of this CRM, where one runs."""
    found = simulator.hint()
    return found if spec and found and found.provider == spec.name else None


@settings.post("/new")
@requires(Permission.CONNECTION_EDIT)
def create() -> Response:
    spec = _spec(request.form.get("provider", ""))
    form = forms.new_connection(spec)
    if form.errors:
        return _form(spec, form, status=422)
    try:
        connection_id = service.create(
            person=signed_in(),
            provider=spec.name,
            name=form.name,
            environment=form.environment,
            endpoint=form.endpoint,
            secrets={name: value for name, value in form.secrets.items() if value},
            settings={name: value for name, value in form.settings.items() if value},
            by_sign_in=form.by_sign_in,
            unfinished=True,
        )
    except BadInput as error:
        form.errors[error.field] = error.sentence
        return _form(spec, form, status=422)
    if form.by_sign_in:
        return leave(connection_id)
    service.start_check(person=signed_in(), connection_id=connection_id)
    flash(
        _("Added %(name)s. It only observes until you approve its first plan.", name=form.name),
        "success",
    )
    return redirect(url_for(".detail", connection_id=connection_id), 303)


@settings.post("/new/simulator")
@requires(Permission.CONNECTION_EDIT)
def connect_simulator() -> Response:
    spec = _spec(request.form.get("provider", ""))
    hint = _hint(spec)
    if hint is None:
        abort(404)
    draft = query.draft(spec.name, hint.endpoint)
    if draft is None:
        draft = service.create(
            person=signed_in(),
            provider=spec.name,
            name=query.free_name(f"{spec.label} demo"),
            environment=hint.environment,
            endpoint=hint.endpoint,
            secrets={},
            settings={},
            by_sign_in=True,
            unfinished=True,
        )
    return leave(draft)


def _spec(name: str) -> ProviderSpec:
    try:
        return spec_of(name)
    except KeyError:
        abort(404)


def _form(spec: ProviderSpec | None, form: forms.NewConnection, *, status: int = 200) -> Response:
    hint = _hint(spec)
    name = spec.name if spec else ""
    page = render_template(
        "settings/new.html",
        specs=specs(),
        spec=spec,
        form=form,
        labels=forms.labels(spec) if spec else {},
        environments=forms.ENVIRONMENTS,
        hint=hint,
        simulated_app=bool(hint and oauth_apps.installed_app(name, hint.endpoint)),
        own_app=bool(spec and oauth_apps.installed_app(name, form.endpoint)),
        callback_url=oauth_apps.callback_url(name) if spec and sign_in_of(name) else "",
    )
    endpoints = [form.endpoint, hint.endpoint] if hint else [form.endpoint]
    return may_leave(page, name, endpoints, status=status)


@settings.get("/<uuid:connection_id>")
@requires(Permission.RECORD_READ)
def detail(connection_id: UUID) -> str:
    require_whole(signed_in())
    return _overview(connection_id, {})


def _overview(connection_id: UUID, errors: dict[str, str], typed: General | None = None) -> str:
    found = query.detail(connection_id)
    held = typed or General(found.card.name, found.card.environment, found.endpoint)
    fields = [
        live.live(
            name,
            value,
            url_for(".check_field", connection_id=connection_id, field=name),
            error=errors.get(name, ""),
            required=True,
        )
        for name, value in (("name", held.name), ("endpoint", held.endpoint))
    ]
    return render_template(
        "settings/detail.html",
        found=found,
        card=found.card,
        once=once_key(),
        errors=errors,
        fields=fields,
        environment=held.environment,
        environments=forms.ENVIRONMENTS,
        access=access(connection_id),
    )


@settings.post("/<uuid:connection_id>/general")
@requires(Permission.CONNECTION_EDIT)
def general(connection_id: UUID) -> Response | tuple[str, int]:
    typed = General(
        text("name", longest=200), text("environment", longest=20), text("endpoint", longest=300)
    )
    version = text("version", longest=9)
    try:
        moved = connections_settings.change(
            person=signed_in(),
            connection_id=connection_id,
            general=typed,
            seen_version=int(version) if version.isascii() and version.isdigit() else None,
        )
    except BadInput as error:
        return _overview(connection_id, {error.field: error.sentence}, typed), 422
    if moved:
        service.start_check(person=signed_in(), connection_id=connection_id)
    flash(_("Saved the settings of %(name)s.", name=typed.name), "success")
    return redirect(url_for(".detail", connection_id=connection_id), 303)


@settings.get("/<uuid:connection_id>/_checks")
@requires(Permission.RECORD_READ)
def checks(connection_id: UUID) -> Response:
    require_whole(signed_in())
    found = query.detail(connection_id)
    return last_poll(
        "settings/_checks.html",
        is_over=not found.checks.running,
        card=found.card,
        checks=found.checks,
    )


@settings.post("/<uuid:connection_id>/check")
@requires(Permission.CONNECTION_EDIT)
@limited(Costly.CHECK)
def check(connection_id: UUID) -> Response:
    service.start_check(person=signed_in(), connection_id=connection_id)
    return redirect(url_for(".detail", connection_id=connection_id), 303)


@settings.post("/<uuid:connection_id>/stance")
@requires(Permission.CONNECTION_EDIT)
def stance(connection_id: UUID) -> Response:
    chosen = Stance(one_of("stance", tuple(Stance)))
    service.set_stance(person=signed_in(), connection_id=connection_id, stance=chosen)
    name = query.detail(connection_id).card.name
    said = {
        Stance.ACTIVE: _("%(name)s now syncs by itself.", name=name),
        Stance.PAUSED: _("%(name)s is paused.", name=name),
        Stance.OBSERVE: _("%(name)s only observes.", name=name),
    }
    flash(said[chosen], "success")
    return redirect(url_for(".detail", connection_id=connection_id), 303)
