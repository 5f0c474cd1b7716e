"""Reads the forms of the settings pages into the inputs of the services."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from crm_admin.blueprints.forms import text
from crm_admin.providers.base import ProviderSpec
from crm_admin.services.queries.connections import Choice
from crm_admin.services.seed.simulator import Hint
from crm_admin.services.streams import StreamChoice
from crm_admin.sync.states import Creates, StreamDirection

ENVIRONMENTS = (("production", "Production"), ("sandbox", "Sandbox"), ("simulator", "Simulator"))
DIRECTIONS = (
    ("both", "both ways"),
    ("from_crm", "only to CRM Admin"),
    ("to_crm", "only to the CRM"),
)
CREATES = (
    ("both", "on both sides"),
    ("here", "only in CRM Admin"),
    ("there", "only in the CRM"),
    ("none", "nowhere"),
)


@dataclass(slots=True)
class NewConnection:
    """What was typed; secrets are never rendered back."""

    name: str = ""
    environment: str = "production"
    endpoint: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    open_secrets: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def new_connection(spec: ProviderSpec) -> NewConnection:
    """Read the form of a new connection and say per field what is missing."""
    form = NewConnection(
        name=text("name", longest=100),
        environment=request.form.get("environment", "production"),
        endpoint=text("endpoint", longest=300) or spec.endpoint,
        settings={
            item.name: text(f"setting-{item.name}") for item in spec.settings if not item.secret
        },
        secrets={
            item.name: text(f"setting-{item.name}", longest=4000)
            for item in spec.settings
            if item.secret
        },
    )
    if not form.name:
        form.errors["name"] = "Give the connection a name, for example HubSpot EU"
    if form.environment not in dict(ENVIRONMENTS):
        form.errors["environment"] = "Choose one of the listed environments"
    if not form.endpoint.startswith(("https://", "http://")):
        form.errors["endpoint"] = "Enter an address that starts with https://"
    for item in spec.settings:
        typed = form.secrets.get(item.name) if item.secret else form.settings.get(item.name)
        if item.required and not typed:
            form.errors[f"setting-{item.name}"] = (
                f"Enter the {item.label[:1].lower()}{item.label[1:]}"
            )
    return form


def of_simulator(spec: ProviderSpec, hint: Hint) -> NewConnection:
    """Fill the form in for the simulator, whose token is no secret."""
    return NewConnection(
        name=f"{spec.label} demo",
        environment=hint.environment,
        endpoint=hint.endpoint,
        open_secrets={item.name: hint.token for item in spec.settings if item.secret},
    )


def labels(spec: ProviderSpec) -> Mapping[str, str]:
    """Return the label of every field of the form, for its error summary."""
    own = {"name": "Name", "environment": "Environment", "endpoint": "Address"}
    return own | {f"setting-{item.name}": item.label for item in spec.settings}


def stream_choices(offered: tuple[Choice, ...]) -> list[StreamChoice]:
    """Read which of the offered objects are wanted; values outside the lists fall back to the
    safe ones."""
    chosen = []
    for item in offered:
        prefix = f"{item.object}-{item.kind}"
        direction = request.form.get(f"direction-{prefix}", item.direction)
        creates = request.form.get(f"creates-{prefix}", item.creates)
        chosen.append(
            StreamChoice(
                remote_object=item.object,
                kind=item.kind,
                enabled=f"enabled-{prefix}" in request.form,
                direction=StreamDirection(direction)
                if direction in dict(DIRECTIONS)
                else StreamDirection.FROM_CRM,
                creates=Creates(creates) if creates in dict(CREATES) else Creates.NONE,
            )
        )
    return chosen
