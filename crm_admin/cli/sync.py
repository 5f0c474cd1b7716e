"""`flask crm sync …` and `flask crm undo`: claims the run and works in this process, under the same
lease.
"""

import sys
import time
from uuid import UUID

import click
from flask.cli import AppGroup

from crm_admin import tenancy
from crm_admin.cli.acting import acting, json_option, organization_option, say, sentences
from crm_admin.errors import BadInput
from crm_admin.services import connections, connections_health, plans, runs, sync_runs, undo
from crm_admin.services.access import Person
from crm_admin.services.engine import run as engine
from crm_admin.services.queries import plan as plan_query
from crm_admin.services.runs import Report
from crm_admin.services.sync_runs import Started

group = AppGroup("sync", help="Plan and run syncs.")

EXITS = {"succeeded": 0, "failed": 1, "cancelled": 1, "planned": 3, "partial": 4}
POLL_SECONDS = 0.2


def _start(person: Person, name: str, mode: str, *, staged: bool) -> UUID:
    found = connections.named(name)
    connections_health.require_reachable(found.id)
    reference = sync_runs.start(
        person=Started(person.name, person.user_id, "cli"),
        connection_id=found.id,
        mode=mode,
        staged=staged,
        wake=False,
    )
    return reference.id


def work(run_id: UUID) -> Report:
    """Work on a run until it ends, waits for a person, or another worker has ended it."""
    told = ""
    while True:
        state = engine.execute(tenancy.organization(), run_id, seconds=None)
        report = runs.report(run_id)
        if report.state in EXITS:
            return report
        if report.state == "waiting" and report.message != told:
            told = report.message
            wait = f" {report.wait_seconds:.0f} s" if report.wait_seconds else ""
            click.echo(f"Waiting{wait}: {told}", err=True)
        time.sleep(POLL_SECONDS if state is None else max(POLL_SECONDS, report.wait_seconds))


def finish(report: Report, *, as_json: bool) -> None:
    """Say what a run came to and end with the exit code of its state."""
    if as_json:
        say(report.as_json())
    else:
        click.echo(f"Run {report.run}: {report.message}")
    sys.exit(EXITS.get(report.state, 1))


@group.command("plan")
@click.option("--connection", required=True)
@click.option("--mode", type=click.Choice(["full", "delta"]), default="full")
@organization_option
@json_option
@sentences
def plan(connection: str, mode: str, organization: str | None, as_json: bool) -> None:
    """Read both sides and say what would be written; nothing is."""
    with acting(organization) as person:
        report = work(_start(person, connection, mode, staged=True))
    finish(report, as_json=as_json)


@group.command("run")
@click.option("--connection", required=True)
@click.option("--mode", type=click.Choice(["full", "delta"]), default="delta")
@click.option("--no-wait", is_flag=True, help="Queue it for the workers.")
@click.option("--approve", is_flag=True, help="Apply the plan of a connection that observes.")
@organization_option
@json_option
@sentences
def run(
    connection: str,
    mode: str,
    no_wait: bool,
    approve: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Bring both sides into agreement."""
    with acting(organization) as person:
        if no_wait:
            found = connections.named(connection)
            reference = sync_runs.start(
                person=Started(person.name, person.user_id, "cli"),
                connection_id=found.id,
                mode=mode,
                staged=False,
            )
            report = runs.report(reference.id)
            say(report.as_json()) if as_json else click.echo(f"Queued as {reference.id}.")
            return
        report = work(_start(person, connection, mode, staged=False))
        if approve and report.state == "planned":
            plans.approve(person=person, run_id=report.run, plan_hash=report.plan_hash, wake=False)
            report = work(report.run)
    finish(report, as_json=as_json)


@group.command("apply")
@click.argument("run_id")
@click.option("--release", type=int, help="The number of changes, for a plan of the guard.")
@organization_option
@json_option
@sentences
def apply(run_id: str, release: int | None, organization: str | None, as_json: bool) -> None:
    """Apply a plan; what the guard held back is released with its number only."""
    with acting(organization) as person:
        report = runs.report(runs.find(run_id))
        _require_number(report.run, release)
        plans.approve(person=person, run_id=report.run, plan_hash=report.plan_hash, wake=False)
        report = work(report.run)
    finish(report, as_json=as_json)


def _require_number(run_id: UUID, typed: int | None) -> None:
    found = plan_query.plan(run_id)
    if found.guard and typed != found.applies:
        raise BadInput(
            "release",
            f"The guard held these {found.applies} changes back: {found.line.reason} Look at them"
            f" with `show`, then add --release {found.applies}.",
        )


@click.command("undo")
@click.argument("run_id")
@organization_option
@json_option
@sentences
def undo_run(run_id: str, organization: str | None, as_json: bool) -> None:
    """Take a run back on both sides; what changed since stays and is listed."""
    with acting(organization) as person:
        reference = undo.start(person=person, run_id=runs.find(run_id), wake=False)
        report = work(reference.id)
    finish(report, as_json=as_json)


def register(crm: AppGroup) -> None:
    """Add the commands to `flask crm`."""
    crm.add_command(group)
    crm.add_command(undo_run)
