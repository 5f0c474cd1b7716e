"""Doors of the connections."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.formats import count_of
from crm_admin.blueprints.forms import argument, once_key, one_of, text
from crm_admin.blueprints.rendering import last_poll
from crm_admin.blueprints.settings import forms
from crm_admin.errors import BadInput
from crm_admin.providers.base import ProviderSpec
from crm_admin.providers.registry import spec_of, specs
from crm_admin.security.permissions import Permission
from crm_admin.services import connections as service
from crm_admin.services.queries import connections as query
from crm_admin.services.queries.scope import require_whole
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
def new() -> str:
    chosen = argument("provider")
    spec = _spec(chosen) if chosen else None
    hint = _hint(spec)
    if spec and hint and argument("simulator"):
        return _form(spec, forms.of_simulator(spec, hint))
    form = forms.NewConnection(
        endpoint=argument("endpoint") or (spec.endpoint if spec else ""),
        name=argument("name") or (spec.label if spec else ""),
    )
    return _form(spec, form)


def _hint(spec: ProviderSpec | None) -> Hint | None:
    """Return how to reach the simulator of this CRM, where one runs."""
    found = simulator.hint()
    return found if spec and found and found.provider == spec.name else None


@settings.post("/new")
@requires(Permission.CONNECTION_EDIT)
def create() -> Response | tuple[str, int]:
    spec = _spec(request.form.get("provider", ""))
    form = forms.new_connection(spec)
    if form.errors:
        return _form(spec, form), 422
    try:
        connection_id = service.create(
            person=signed_in(),
            provider=spec.name,
            name=form.name,
            environment=form.environment,
            endpoint=form.endpoint,
            secrets={name: value for name, value in form.secrets.items() if value},
            settings={name: value for name, value in form.settings.items() if value},
        )
    except BadInput as error:
        form.errors[error.field] = error.sentence
        return _form(spec, form), 422
    service.start_check(person=signed_in(), connection_id=connection_id)
    flash(f"Added {form.name}. It only observes until you approve its first plan.", "success")
    return redirect(url_for(".detail", connection_id=connection_id), 303)


def _spec(name: str) -> ProviderSpec:
    try:
        return spec_of(name)
    except KeyError:
        abort(404)


def _form(spec: ProviderSpec | None, form: forms.NewConnection) -> str:
    return render_template(
        "settings/new.html",
        specs=specs(),
        spec=spec,
        form=form,
        labels=forms.labels(spec) if spec else {},
        environments=forms.ENVIRONMENTS,
        hint=_hint(spec),
    )


@settings.get("/<uuid:connection_id>")
@requires(Permission.RECORD_READ)
def detail(connection_id: UUID) -> str:
    require_whole(signed_in())
    found = query.detail(connection_id)
    return render_template(
        "settings/detail.html", found=found, card=found.card, once=once_key(), errors={}
    )


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
def check(connection_id: UUID) -> Response:
    service.start_check(person=signed_in(), connection_id=connection_id)
    return redirect(url_for(".detail", connection_id=connection_id), 303)


@settings.post("/<uuid:connection_id>/secret")
@requires(Permission.CONNECTION_EDIT)
def rotate(connection_id: UUID) -> Response | tuple[str, int]:
    found = query.detail(connection_id)
    secrets = {
        item.name: text(f"setting-{item.name}", longest=4000)
        for item in found.spec.settings
        if item.secret
    }
    typed = {name: value for name, value in secrets.items() if value}
    errors = (
        {}
        if typed
        else {"setting-" + next(iter(secrets), ""): "Paste the new key; an empty one keeps the old"}
    )
    if not errors:
        try:
            service.rotate_secret(person=signed_in(), connection_id=connection_id, secrets=typed)
        except BadInput as error:
            errors[f"setting-{error.field}"] = error.sentence
    if errors:
        page = render_template(
            "settings/detail.html", found=found, card=found.card, once=once_key(), errors=errors
        )
        return page, 422
    service.start_check(person=signed_in(), connection_id=connection_id)
    flash(f"Replaced the key of {found.card.name}.", "success")
    return redirect(url_for(".detail", connection_id=connection_id), 303)


@settings.get("/<uuid:connection_id>/objects")
@requires(Permission.CONNECTION_EDIT)
def objects(connection_id: UUID) -> str:
    found = query.detail(connection_id)
    return render_template(
        "settings/objects.html",
        found=found,
        card=found.card,
        choices=query.choices(found),
        directions=forms.DIRECTIONS,
        creates=forms.CREATES,
    )


@settings.post("/<uuid:connection_id>/objects")
@requires(Permission.CONNECTION_EDIT)
def choose(connection_id: UUID) -> Response:
    found = query.detail(connection_id)
    chosen = forms.stream_choices(query.choices(found))
    service.choose_streams(person=signed_in(), connection_id=connection_id, choices=chosen)
    amount = count_of(sum(1 for item in chosen if item.enabled), "object", "objects")
    flash(
        f"{found.card.name} syncs {amount} from the next run on.",
        "success",
    )
    return redirect(url_for(".detail", connection_id=connection_id), 303)


@settings.post("/<uuid:connection_id>/stance")
@requires(Permission.CONNECTION_EDIT)
def stance(connection_id: UUID) -> Response:
    chosen = Stance(one_of("stance", tuple(Stance)))
    service.set_stance(person=signed_in(), connection_id=connection_id, stance=chosen)
    words = {
        Stance.ACTIVE: "now syncs by itself",
        Stance.PAUSED: "is paused",
        Stance.OBSERVE: "only observes",
    }
    flash(f"{query.detail(connection_id).card.name} {words[chosen]}.", "success")
    return redirect(url_for(".detail", connection_id=connection_id), 303)
