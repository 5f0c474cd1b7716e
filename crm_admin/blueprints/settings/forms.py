"""Reads the forms of the settings pages into the inputs of the services."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from crm_admin.blueprints.forms import text
from crm_admin.errors import BadInput
from crm_admin.mapping.rules import Policy
from crm_admin.providers.base import ProviderSpec
from crm_admin.services import connections_settings
from crm_admin.services.connections_settings import NewLimits
from crm_admin.services.queries.connections import Choice
from crm_admin.services.seed.simulator import Hint
from crm_admin.services.streams import StreamChoice
from crm_admin.sync.filter_lines import MOST_LINES, Line
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
POLICIES = (
    ("newest_wins", "the newest change wins"),
    ("ours_wins", "CRM Admin wins"),
    ("theirs_wins", "the CRM wins"),
    ("primary_wins", "the primary connection wins"),
    ("manual", "a person decides"),
)


@dataclass(slots=True)
class NewConnection:
    """What was typed; secrets are never rendered back."""

    name: str = ""
    environment: str = "production"
    endpoint: str = ""
    by_sign_in: bool = False
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
        by_sign_in=request.form.get("how") == "sign_in",
        settings={
            item.name: text(f"setting-{item.name}") for item in spec.settings if not item.secret
        },
        secrets={
            item.name: text(f"setting-{item.name}", longest=4000)
            for item in spec.settings
            if item.secret
        },
    )
    if client_id := text("client_id"):
        form.settings["client_id"] = client_id
        form.secrets["client_secret"] = text("client_secret", longest=4000)
    if not form.name:
        form.errors["name"] = "Give the connection a name, for example HubSpot EU"
    if form.environment not in dict(ENVIRONMENTS):
        form.errors["environment"] = "Choose one of the listed environments"
    if not form.endpoint.startswith(("https://", "http://")):
        form.errors["endpoint"] = "Enter an address that starts with https://"
    for item in spec.settings:
        typed = form.secrets.get(item.name) if item.secret else form.settings.get(item.name)
        if item.required and not typed and not (item.secret and form.by_sign_in):
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
    own = {
        "name": "Name",
        "environment": "Environment",
        "endpoint": "Address",
        "client_id": "Client id",
        "client_secret": "Client secret",
    }
    return own | {f"setting-{item.name}": item.label for item in spec.settings}


def stream_choices(offered: tuple[Choice, ...]) -> list[StreamChoice]:
    """Read which of the offered objects are wanted; values outside the lists fall back to the
    safe ones."""
    chosen = []
    for item in offered:
        prefix = f"{item.object}-{item.kind}"
        direction = request.form.get(f"direction-{prefix}", item.direction)
        creates = request.form.get(f"creates-{prefix}", item.creates)
        policy = request.form.get(f"policy-{prefix}", "")
        chosen.append(
            StreamChoice(
                remote_object=item.object,
                kind=item.kind,
                enabled=f"enabled-{prefix}" in request.form,
                direction=StreamDirection(direction)
                if direction in dict(DIRECTIONS)
                else StreamDirection.FROM_CRM,
                creates=Creates(creates) if creates in dict(CREATES) else Creates.NONE,
                policy=Policy(policy) if policy in dict(POLICIES) else "",
            )
        )
    return chosen


def filter_lines() -> list[Line]:
    """Read the conditions of a filter, from a form or from an address."""
    given = request.values
    return [
        Line(
            given.get(f"property-{place}", "").strip()[:200],
            given.get(f"operator-{place}", "EQ").strip()[:20],
            given.get(f"value-{place}", "").strip()[:5000],
        )
        for place in range(MOST_LINES)
    ]


OPTIONAL = ("batch", "calls_per_10_seconds", "daily_calls")
NEEDED = (
    "deletes_percent",
    "deletes_floor",
    "deletes_most",
    "creates_percent",
    "creates_floor",
)


@dataclass(slots=True)
class TypedLimits:
    """Limits as they were typed, and what is wrong with them."""

    values: dict[str, str]
    errors: dict[str, str]
    limits: NewLimits | None = None


def limits() -> TypedLimits:
    """Read the form of limits; every field that cannot be used is named."""
    typed = {name: text(name, longest=20) for name in (*NEEDED, *OPTIONAL)}
    found: dict[str, int | None] = {}
    errors: dict[str, str] = {}
    for name, value in typed.items():
        try:
            found[name] = connections_settings.check_limit(name, value, optional=name in OPTIONAL)
        except BadInput as error:
            errors[name] = error.sentence
    if errors:
        return TypedLimits(typed, errors)
    needed = {name: found[name] or 0 for name in NEEDED}
    new = NewLimits(
        **needed,
        batch=found["batch"],
        calls_per_10_seconds=found["calls_per_10_seconds"],
        daily_calls=found["daily_calls"],
    )
    return TypedLimits(typed, errors, new)
