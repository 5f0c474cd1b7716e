"""`flask crm connections …`: what the settings page does."""

import click
from flask.cli import AppGroup

from crm_admin import tenancy
from crm_admin.cli.acting import acting, json_option, organization_option, say, sentences
from crm_admin.services import connections
from crm_admin.services.connections import Shown
from crm_admin.services.streams import default_choices

group = AppGroup("connections", help="Add, list and test connections.")


@group.command("add")
@click.argument("provider")
@click.option("--name", required=True)
@click.option("--endpoint", default="", help="Empty: the provider's own address.")
@click.option("--token", required=True, help="Access token; stored encrypted.")
@click.option(
    "--objects", default="", help="For example contacts,deals; empty: all with a default mapping."
)
@click.option("--stance", type=click.Choice(["observe", "active", "paused"]), default="observe")
@click.option(
    "--environment", type=click.Choice(["production", "sandbox", "simulator"]), default=None
)
@organization_option
@json_option
@sentences
def add(  # noqa: PLR0913 -- one argument per option
    provider: str,
    name: str,
    endpoint: str,
    token: str,
    objects: str,
    stance: str,
    environment: str | None,
    organization: str | None,
    as_json: bool,
) -> None:
    """Add a connection, run its check list and switch its objects on."""
    with acting(organization) as person:
        wanted = [part.strip() for part in objects.split(",") if part.strip()]
        choices = default_choices(provider, wanted)
        connection_id = connections.create(
            person=person,
            provider=provider,
            name=name,
            environment=environment
            or ("simulator" if endpoint.startswith("http://") else "production"),
            endpoint=endpoint,
            secrets={"access_token": token},
            settings={},
        )
        connections.choose_streams(person=person, connection_id=connection_id, choices=choices)
        connections.check(person.organization_id, connection_id)
        connections.set_stance(person=person, connection_id=connection_id, stance=stance)
        _show(connections.show(connection_id), as_json=as_json)


@group.command("list")
@organization_option
@json_option
@sentences
def show_all(organization: str | None, as_json: bool) -> None:
    """List the connections."""
    with acting(organization):
        found = connections.show_all()
    if as_json:
        say([one.as_json() for one in found])
        return
    for one in found:
        click.echo(f"{one.name}\t{one.provider}\t{one.stance}\t{one.health}")


@group.command("test")
@click.argument("name")
@organization_option
@json_option
@sentences
def test(name: str, organization: str | None, as_json: bool) -> None:
    """Run a connection's check list."""
    with acting(organization):
        found = connections.named(name)
        connections.check(tenancy.organization(), found.id)
        _show(connections.show(found.id), as_json=as_json)


def _show(shown: Shown, *, as_json: bool) -> None:
    if as_json:
        say(shown.as_json())
        return
    click.echo(f"{shown.name} ({shown.provider}), {shown.stance}, {shown.health}")
    for line in shown.checks:
        mark = {True: "+", False: "!", None: " "}[line["ok"]]  # type: ignore[index]
        click.echo(f"  {mark} {line['label']}: {line['sentence']} {line['fix']}".rstrip())


def register(crm: AppGroup) -> None:
    """Add the family to `flask crm`."""
    crm.add_command(group)
