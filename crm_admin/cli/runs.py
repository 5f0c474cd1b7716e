"""`flask crm sync list|show|stop|pause|resume|retry`: runs as their pages show and steer them."""

from collections.abc import Callable
from uuid import UUID

import click

from crm_admin.cli import sync
from crm_admin.cli.acting import acting, json_option, organization_option, say, sentences
from crm_admin.jsontypes import Json
from crm_admin.services import connections, fixes, run_control, runs, sync_runs
from crm_admin.services.access import Person
from crm_admin.services.queries import errors, history
from crm_admin.services.queries.runs import RunLine
from crm_admin.sync.states import RunMode, RunState, run_word

Control = Callable[..., None]


@sync.group.command("list")
@click.option("--connection", help="Only runs of this connection.")
@click.option("--status", type=click.Choice([state.value for state in RunState]))
@click.option("--mode", type=click.Choice([mode.value for mode in RunMode]))
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@organization_option
@json_option
@sentences
def list_runs(
    connection: str | None,
    status: str | None,
    mode: str | None,
    limit: int,
    organization: str | None,
    as_json: bool,
) -> None:
    """List runs, the newest first."""
    with acting(organization) as person:
        found = connections.named(connection) if connection else None
        filters = history.filters_of(
            status=status or "", mode=mode or "", connection=str(found.id) if found else ""
        )
        lines, _ = history.listed(person, filters, amount=limit)
    if as_json:
        say([_as_json(line) for line in lines])
        return
    for line in lines:
        click.echo(_in_words(line))
    if not lines:
        click.echo("No run matches.")


@sync.group.command("show")
@click.argument("run_id")
@organization_option
@json_option
@sentences
def show(run_id: str, organization: str | None, as_json: bool) -> None:
    """Say what a run or a plan came to, and what failed in it."""
    with acting(organization) as person:
        report = runs.report(runs.find(run_id))
        groups = errors.groups(person, run_id=report.run)
    if as_json:
        causes: list[Json] = [
            {"key": one.key, "title": one.title, "cause": one.cause, "records": one.count}
            for one in groups
        ]
        say({**report.as_json(), "errors": causes})
        return
    click.echo(f"Run {report.run}: {run_word(report.state)}. {report.message}")
    for one in groups:
        click.echo(f"! {one.title}: {one.cause}  [{one.key}]")


@sync.group.command("retry")
@click.argument("run_id")
@organization_option
@json_option
@sentences
def retry(run_id: str, organization: str | None, as_json: bool) -> None:
    """Try what failed in a run again, in this process."""
    with acting(organization) as person:
        done = fixes.retry(person=person, run_id=runs.find(run_id), wake=False)
        reports = [sync.work(reference.id) for reference in done.runs]
    sync.finish(reports[0], as_json=as_json)


def _control(name: str, act: Control, said: str, text: str) -> None:
    """Add a command that steers one run and says so."""

    @sync.group.command(name, help=text)
    @click.argument("run_id")
    @organization_option
    @json_option
    @sentences
    def command(run_id: str, organization: str | None, as_json: bool) -> None:
        with acting(organization) as person:
            found = _steer(act, person, runs.find(run_id))
        if as_json:
            say(found.as_json())
        else:
            click.echo(f"Run {found.run}: {said}")


def _steer(act: Control, person: Person, run_id: UUID) -> runs.Report:
    act(person=person, run_id=run_id)
    return runs.report(run_id)


def _as_json(line: RunLine) -> dict[str, Json]:
    return {
        "run": str(line.id),
        "connection": line.connection,
        "mode": line.mode,
        "state": line.state,
        "paused": line.is_paused,
        "by": line.started_by,
        "created": line.created_at.isoformat(),
        "seconds": round(line.seconds, 3) if line.seconds is not None else None,
        "written": line.counts.written,
        "failed": line.counts.failed,
        "conflicts": line.counts.conflicts,
        "reason": line.reason,
    }


def _in_words(line: RunLine) -> str:
    word = "Paused" if line.is_paused else run_word(line.state, undone=line.undone)
    counts = line.counts
    return (
        f"{str(line.id)[-8:]}  {line.created_at:%Y-%m-%d %H:%M}  {word:<16}  {line.mode:<7}"
        f"  {line.connection}  +{counts.created} ~{counts.updated} -{counts.deleted}"
        f" !{counts.failed}"
    )


_control("stop", sync_runs.stop, "stops after its batch.", "Stop a run after its batch.")
_control("pause", run_control.pause, "pauses after its batch.", "Pause a run after its batch.")
_control("resume", run_control.resume, "goes on.", "Let a paused run go on.")
