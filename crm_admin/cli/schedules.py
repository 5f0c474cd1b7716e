"""`flask crm schedules …`: what recurs, when it is next, and asking for it now."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import click
from flask.cli import AppGroup, with_appcontext

from crm_admin import clock
from crm_admin.cli.acting import acting, json_option, organization_option, say, sentences
from crm_admin.jsontypes import Json
from crm_admin.services import schedule_edits as service
from crm_admin.services.access import Person
from crm_admin.services.queries import schedules as query
from crm_admin.services.queries.schedules import Line

schedules = AppGroup("schedules", help="See, switch, pause and start recurring work.")


@schedules.command("list")
@organization_option
@json_option
@with_appcontext
@sentences
def list_all(*, organization: str | None, as_json: bool) -> None:
    """List schedules with when they run next."""
    with acting(organization):
        found = query.page().lines
    if as_json:
        say([_shape(line) for line in found])
        return
    for line in found:
        following = f"{line.next_at:%Y-%m-%d %H:%M} UTC" if line.next_at else "off"
        click.echo(f"{line.id}  {line.name}  {line.connection or '-'}  {line.words}  {following}")


@schedules.command("show")
@click.argument("schedule_id", type=click.UUID)
@organization_option
@json_option
@with_appcontext
@sentences
def show(*, schedule_id: UUID, organization: str | None, as_json: bool) -> None:
    """Show a schedule with its last outcomes."""
    with acting(organization):
        line = query.one(schedule_id)
    if as_json:
        say(_shape(line))
        return
    click.echo(f"{line.name}: {line.words} ({line.when.zone})")
    for mark in line.marks:
        click.echo(f"  {mark.at or '-'}  {mark.word}  {mark.say}".rstrip())


@schedules.command("run")
@click.argument("schedule_id", type=click.UUID)
@organization_option
@with_appcontext
@sentences
def run(*, schedule_id: UUID, organization: str | None) -> None:
    """Ask a worker to do its work now."""
    _do(
        organization,
        lambda person: service.run_now(person=person, schedule_id=schedule_id),
        "Asked for now. A worker takes it up.",
    )


@schedules.command("on")
@click.argument("schedule_id", type=click.UUID)
@organization_option
@with_appcontext
@sentences
def switch_on(*, schedule_id: UUID, organization: str | None) -> None:
    """Switch a schedule on."""
    _do(
        organization,
        lambda person: service.switch(person=person, schedule_id=schedule_id, on=True),
        "It is on.",
    )


@schedules.command("off")
@click.argument("schedule_id", type=click.UUID)
@organization_option
@with_appcontext
@sentences
def switch_off(*, schedule_id: UUID, organization: str | None) -> None:
    """Switch a schedule off."""
    _do(
        organization,
        lambda person: service.switch(person=person, schedule_id=schedule_id, on=False),
        "It is off.",
    )


@schedules.command("pause")
@click.argument("schedule_id", type=click.UUID)
@click.option("--hours", type=click.IntRange(0, 8784), default=24, help="0 lets it go on.")
@organization_option
@with_appcontext
@sentences
def pause(*, schedule_id: UUID, hours: int, organization: str | None) -> None:
    """Let a schedule rest for some hours."""
    until = clock.now() + timedelta(hours=hours) if hours else None
    _do(
        organization,
        lambda person: service.pause(person=person, schedule_id=schedule_id, until=until),
        f"Paused for {hours} hours." if hours else "It goes on.",
    )


def _do(organization: str | None, verb: Callable[[Person], None], said: str) -> None:
    with acting(organization) as person:
        verb(person)
    click.echo(said)


def _shape(line: Line) -> dict[str, Json]:
    return {
        "id": str(line.id),
        "name": line.name,
        "job": line.job,
        "connection": line.connection or None,
        "everySeconds": line.when.every_seconds,
        "cron": line.when.cron,
        "zone": line.when.zone,
        "words": line.words,
        "enabled": line.enabled,
        "nextAt": line.next_at.isoformat() if line.next_at else None,
        "late": line.is_late,
        "outcomes": [mark.word for mark in line.marks],
    }


def register(group: AppGroup) -> None:
    """Add the family to `flask crm`."""
    group.add_command(schedules)
