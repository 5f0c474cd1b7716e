"""`flask crm connections rename` and `set`: one setting of a connection at a time."""

import click
from flask.cli import AppGroup

from crm_admin.cli.acting import acting, json_option, organization_option, sentences
from crm_admin.cli.connections import group, tell
from crm_admin.errors import BadInput
from crm_admin.services import (
    connections,
    connections_credentials,
    connections_settings,
    save_trigger,
    schedules,
)
from crm_admin.services.access import Person
from crm_admin.services.connections import Shown
from crm_admin.services.connections_settings import General
from crm_admin.services.queries import connections as query


@group.command("rename")
@click.argument("name")
@click.argument("new_name")
@organization_option
@json_option
@sentences
def rename(name: str, new_name: str, organization: str | None, as_json: bool) -> None:
    """Give a connection another name."""
    with acting(organization) as person:
        found = connections.named(name)
        _change(person, found, name=new_name)
        tell(connections.show(found.id), as_json=as_json)


@group.command("set")
@click.argument("name")
@click.option("--endpoint", help="Another address of the same account; it is tried first.")
@click.option("--environment", type=click.Choice(["production", "sandbox", "simulator"]))
@click.option("--token", help="A new access token; it is tried first.")
@click.option("--every", help="Minutes between two syncs, or off.")
@click.option("--quiet", help="Hours without scheduled syncs: 22:00-06:00, or off.")
@click.option("--on-save", type=click.Choice(["on", "off"]), help="Send records when saved.")
@click.option("--zone", default="UTC", help="Time zone of the quiet hours.")
@click.option("--daily-calls", help="Calls a day for runs and schedules, or off.")
@organization_option
@json_option
@sentences
def change(  # noqa: PLR0913 -- one argument per option
    name: str,
    endpoint: str | None,
    environment: str | None,
    token: str | None,
    every: str | None,
    quiet: str | None,
    on_save: str | None,
    zone: str,
    daily_calls: str | None,
    organization: str | None,
    as_json: bool,
) -> None:
    """Change settings of a connection; what is not named stays."""
    with acting(organization) as person:
        found = connections.named(name)
        if endpoint or environment:
            _change(person, found, endpoint=endpoint, environment=environment)
        if token:
            connections_credentials.rotate_secret(
                person=person, connection_id=found.id, secrets={"access_token": token}
            )
        if every:
            schedules.set_interval(
                person=person, connection_id=found.id, minutes=_amount("every", every)
            )
        if quiet:
            connections_settings.set_quiet_hours(
                person=person, connection_id=found.id, quiet=_quiet(quiet, zone)
            )
        if on_save:
            save_trigger.choose(person=person, connection_id=found.id, on_save=on_save == "on")
        if daily_calls:
            connections_settings.set_daily_calls(
                person=person, connection_id=found.id, calls=_amount("daily_calls", daily_calls)
            )
        tell(connections.show(found.id), as_json=as_json)


def _change(
    person: Person,
    found: Shown,
    *,
    name: str | None = None,
    endpoint: str | None = None,
    environment: str | None = None,
) -> None:
    now = query.detail(found.id)
    general = General(
        name or found.name, environment or now.card.environment, endpoint or now.endpoint
    )
    connections_settings.change(person=person, connection_id=found.id, general=general)


def _amount(field: str, text: str) -> int | None:
    if text == "off":
        return None
    if not text.isascii() or not text.isdigit():
        raise BadInput(field, f"--{field.replace('_', '-')} takes a whole number, or off.")
    return int(text)


def _quiet(text: str, zone: str) -> dict[str, str] | None:
    if text == "off":
        return None
    begin, _, end = text.partition("-")
    return {"from": begin.strip(), "until": end.strip(), "zone": zone}


def register(_crm: AppGroup) -> None:
    """Nothing to add: the commands join the family of connections when this module is loaded."""
