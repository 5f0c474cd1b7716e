"""`flask crm conflicts …`: fields both sides changed, and the choice that settles them."""

from uuid import UUID

import click
from flask.cli import AppGroup, with_appcontext

from crm_admin.blueprints.records.typed import entered
from crm_admin.cli.acting import acting, json_option, organization_option, say, sentences
from crm_admin.errors import BadInput, NotFound, Stale
from crm_admin.jsontypes import Json
from crm_admin.services import conflict_undo
from crm_admin.services import conflicts as service
from crm_admin.services.access import Person
from crm_admin.services.conflicts import Decision
from crm_admin.services.queries import conflicts as query
from crm_admin.services.queries import settling
from crm_admin.services.queries.conflicts import Conflict, Filter
from crm_admin.services.queries.settling import Line

conflicts = AppGroup("conflicts", help="See and settle fields that both sides changed.")


@conflicts.command("list")
@click.option("--settled", is_flag=True, help="Those that are settled instead.")
@click.option("--field", default="", help="Only this field.")
@click.option("--limit", default=50, type=click.IntRange(1, 10_000))
@organization_option
@json_option
@with_appcontext
@sentences
def list_all(
    *, settled: bool, field: str, limit: int, organization: str | None, as_json: bool
) -> None:
    """List conflicts, the newest first."""
    with acting(organization) as person:
        chosen = Filter(field=field)
        found = (
            query.settled(person, chosen, amount=limit).conflicts
            if settled
            else query.open_ones(person, chosen, amount=limit)
        )
    if as_json:
        say([_shape(one) for one in found])
        return
    for one in found:
        click.echo(f"{one.id}  {one.title}  {one.label}: {_plain(one.ours)} | {_plain(one.theirs)}")
    click.echo(f"{len(found)} conflicts.")


@conflicts.command("show")
@click.argument("conflict_id", type=click.UUID)
@organization_option
@json_option
@with_appcontext
@sentences
def show(*, conflict_id: UUID, organization: str | None, as_json: bool) -> None:
    """Show both values, what each choice would write, and which one we would take."""
    with acting(organization) as person:
        line = _line(person, conflict_id)
    one = line.conflict
    if as_json:
        say(_shape(one) | {"advice": line.advice.choice if line.advice else None})
        return
    click.echo(f"{one.title}, {one.label} ({one.state})")
    click.echo(f"  last agreed    {_plain(one.agreed)}")
    click.echo(f"  CRM Admin      {_plain(one.ours)}  {one.ours_by}")
    click.echo(f"  {one.connection}  {_plain(one.theirs)}")
    if line.advice:
        click.echo(f"We suggest {line.advice.choice}. {line.advice.why}")


@conflicts.command("resolve")
@click.argument("conflict_id", type=click.UUID)
@click.option("--choice", required=True, type=click.Choice(service.CHOICES))
@click.option("--value", default="", help="With --choice typed: the value for both sides.")
@organization_option
@json_option
@with_appcontext
@sentences
def resolve(
    *, conflict_id: UUID, choice: str, value: str, organization: str | None, as_json: bool
) -> None:
    """Settle a conflict as it stands now; exit code 1 when it changed meanwhile."""
    with acting(organization) as person:
        one = _line(person, conflict_id).conflict
        typed: Json = entered(one.field, value, one.ours) if one.field else value
        (made,) = service.settle(
            person=person, decisions=[Decision(conflict_id, choice, one.seen, typed)]
        )
    if made.state == "refused":
        raise BadInput("choice", made.sentence)
    if made.state in {"reopened", "late"}:
        raise Stale(made.sentence)
    if as_json:
        say({"id": conflict_id, "state": made.state, "choice": made.choice})
    else:
        click.echo(f"Settled {one.label} of {one.title}. {made.sentence}".strip())


@conflicts.command("reopen")
@click.argument("conflict_id", type=click.UUID)
@organization_option
@with_appcontext
@sentences
def reopen(*, conflict_id: UUID, organization: str | None) -> None:
    """Open a settled conflict again while nothing is written yet."""
    with acting(organization) as person:
        done = conflict_undo.reopen(person=person, conflict_id=conflict_id)
    if not done.reopened:
        raise Stale(f"It is written already. Undo its run {done.run_id}, or use the other value.")
    click.echo("It is open again.")


def _line(person: Person, conflict_id: UUID) -> Line:
    found = settling.subject(person, conflict_id)
    for line in found.lines:
        if line.conflict.id == conflict_id:
            return line
    raise NotFound("This conflict is not there.")


def _plain(value: Json) -> str:
    if isinstance(value, dict) and "amount" in value:
        return f"{value.get('amount')} {value.get('currency', '')}".strip()
    return "empty" if value in (None, "", []) else str(value)


def _shape(one: Conflict) -> dict[str, Json]:
    return {
        "id": str(one.id),
        "record": str(one.record_id),
        "title": one.title,
        "kind": one.kind,
        "connection": one.connection,
        "field": one.field_name,
        "agreed": one.agreed,
        "ours": one.ours,
        "theirs": one.theirs,
        "state": one.state,
        "how": one.how,
        "foundAt": one.created_at.isoformat(),
    }


def register(group: AppGroup) -> None:
    """Add the family to `flask crm`."""
    group.add_command(conflicts)
