"""`flask crm fields …`: which fields lists can be filtered by."""

import click
from flask.cli import AppGroup

from crm_admin.cli.acting import acting, json_option, organization_option, say, sentences
from crm_admin.services import field_defs

group = AppGroup("fields", help="Choose the fields that lists can be filtered by.")


@group.command("filterable")
@click.argument("kind")
@click.argument("field", required=False)
@click.option("--off", is_flag=True, help="Filter by it no longer.")
@organization_option
@json_option
@sentences
def filterable(
    kind: str, field: str | None, off: bool, organization: str | None, as_json: bool
) -> None:
    """Let lists of KIND be filtered by FIELD; without FIELD, show the fields there are."""
    with acting(organization) as person:
        if field and off:
            field_defs.unmark_filterable(person=person, kind=kind, field=field)
            click.echo(f"Lists of {kind} are no longer filtered by {field}.")
        elif field:
            marked = field_defs.mark_filterable(person=person, kind=kind, field=field)
            click.echo(f"{marked.records:,} records of {kind} have a value for {field}.")
        names = field_defs.filterable(kind)
        if not field:
            click.echo("\n".join(names) or "None yet.")
        if as_json:
            say({"kind": kind, "filterable": names})


def register(crm: click.Group) -> None:
    """Add the family to `flask crm`."""
    crm.add_command(group)
