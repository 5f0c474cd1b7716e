"""`flask crm attention …`: what needs a person, and letting it wait."""

import click
from flask.cli import AppGroup, with_appcontext

from crm_admin.cli.acting import acting, json_option, organization_option, say, sentences
from crm_admin.jsontypes import Json
from crm_admin.services import need_marks
from crm_admin.services.queries import needs as query
from crm_admin.services.queries.needs import Need

attention = AppGroup("attention", help="See what needs a person, snooze it or mute it.")


@attention.command("list")
@click.option("--snoozed", is_flag=True, help="What is snoozed or muted instead.")
@organization_option
@json_option
@with_appcontext
@sentences
def list_all(*, snoozed: bool, organization: str | None, as_json: bool) -> None:
    """List what needs a person, worst first."""
    with acting(organization) as person:
        found = query.needs(person, "snoozed" if snoozed else "")
    if as_json:
        say([_shape(need) for need in found])
        return
    for need in found:
        words = " ".join(part for part in (need.name, need.detail) if part)
        click.echo(f"{need.key}  {need.amount}  {words}")
    click.echo(f"{len(found)} need you." if found else "Nothing needs you.")


@attention.command("snooze")
@click.argument("key")
@click.option("--until", "rule", type=click.Choice(need_marks.SNOOZES), default="day")
@organization_option
@with_appcontext
@sentences
def snooze(*, key: str, rule: str, organization: str | None) -> None:
    """Let a piece of work wait: a day, until it gets worse, or until the next run."""
    with acting(organization) as person:
        need_marks.snooze(person=person, key=key, rule=rule)
    click.echo("It waits.")


@attention.command("mute")
@click.argument("key")
@click.option("--reason", required=True, help="Why this needs nobody.")
@organization_option
@with_appcontext
@sentences
def mute(*, key: str, reason: str, organization: str | None) -> None:
    """Take a piece of work off the list."""
    with acting(organization) as person:
        need_marks.mute(person=person, key=key, reason=reason)
    click.echo("Off the list.")


@attention.command("wake")
@click.argument("key")
@organization_option
@with_appcontext
@sentences
def wake(*, key: str, organization: str | None) -> None:
    """Put a piece of work back on the list."""
    with acting(organization) as person:
        need_marks.wake(person=person, key=key)
    click.echo("It is back on the list.")


def _shape(need: Need) -> dict[str, Json]:
    return {
        "key": need.key,
        "kind": need.kind,
        "connection": need.name or None,
        "detail": need.detail,
        "amount": need.amount,
        "since": need.since.isoformat() if need.since else None,
        "assignee": need.assignee or None,
        "mutedReason": need.muted_reason or None,
    }


def register(group: AppGroup) -> None:
    """Add the family to `flask crm`."""
    group.add_command(attention)
