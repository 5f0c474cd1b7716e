"""`flask crm connections …`: what the settings pages do."""

import sys

import click
from flask.cli import AppGroup

from crm_admin import tenancy
from crm_admin.cli.acting import acting, json_option, organization_option, say, sentences
from crm_admin.errors import BadInput
from crm_admin.services import connections, connections_removal
from crm_admin.services.connections import Shown
from crm_admin.services.streams import default_choices

EXIT_CHECK_FAILED = 1

group = AppGroup("connections", help="Add, show, change, test and remove connections.")


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
    """Add a connection, run its check list and switch its objects on.

    When a check fails the connection is kept, only observes, and the exit code is 1.
    """
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
        failed = is_bad(connections.show(connection_id))
        if not failed:
            connections.set_stance(person=person, connection_id=connection_id, stance=stance)
        shown = connections.show(connection_id)
    tell(shown, as_json=as_json)
    if failed:
        click.echo(
            f"{name} was added and only observes, but its check failed. Mend what is marked with !,"
            f' then: flask crm connections test "{name}"',
            err=True,
        )
        sys.exit(EXIT_CHECK_FAILED)


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


@group.command("show")
@click.argument("name")
@organization_option
@json_option
@sentences
def show(name: str, organization: str | None, as_json: bool) -> None:
    """Show a connection with its last check."""
    with acting(organization):
        tell(connections.named(name), as_json=as_json)


@group.command("test")
@click.argument("name")
@organization_option
@json_option
@sentences
def test(name: str, organization: str | None, as_json: bool) -> None:
    """Run a connection's check list; exits with 1 when a line fails."""
    with acting(organization):
        found = connections.named(name)
        connections.check(tenancy.organization(), found.id)
        shown = connections.show(found.id)
    tell(shown, as_json=as_json)
    if is_bad(shown):
        sys.exit(EXIT_CHECK_FAILED)


@group.command("stance")
@click.argument("name")
@click.argument("stance", type=click.Choice(["observe", "active", "paused"]))
@organization_option
@json_option
@sentences
def stance_of(name: str, stance: str, organization: str | None, as_json: bool) -> None:
    """Let a connection observe, be active, or pause."""
    with acting(organization) as person:
        found = connections.named(name)
        connections.set_stance(person=person, connection_id=found.id, stance=stance)
        tell(connections.show(found.id), as_json=as_json)


@group.command("disconnect")
@click.argument("name")
@organization_option
@json_option
@sentences
def disconnect(name: str, organization: str | None, as_json: bool) -> None:
    """Forget a connection's credentials; its links, mappings and history stay."""
    with acting(organization) as person:
        found = connections.named(name)
        connections_removal.disconnect(person=person, connection_id=found.id)
        tell(connections.show(found.id), as_json=as_json)


@group.command("delete")
@click.argument("name")
@click.option("--yes", "typed", default="", help="The connection's name again; without: say what.")
@organization_option
@json_option
@sentences
def delete(name: str, typed: str, organization: str | None, as_json: bool) -> None:
    """Delete a connection and forget its links; records stay on both sides."""
    with acting(organization) as person:
        found = connections.named(name)
        cost = connections_removal.consequences(found.id)
        if not typed:
            raise BadInput(
                "typed",
                f"{found.name} would be deleted with {cost.links:,} links,"
                f" {cost.waiting:,} waiting changes and {cost.streams:,} mapped objects."
                f' No record is touched. To go on, add --yes "{found.name}".',
            )
        connections_removal.delete(
            person=person, connection_id=found.id, typed=typed, in_background=False
        )
    if as_json:
        say({"deleted": found.name, "links": cost.links})
    else:
        click.echo(f"Deleted {found.name} and forgot {cost.links:,} links. No record was touched.")


def is_bad(shown: Shown) -> bool:
    """Say whether a line of the last check failed."""
    return any(line["ok"] is False for line in shown.checks)


def tell(shown: Shown, *, as_json: bool) -> None:
    """Print a connection with its check list."""
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
