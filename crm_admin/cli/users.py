"""`flask crm user …`: people who can sign in."""

from typing import Final

import click
from flask.cli import AppGroup

from crm_admin.cli.acting import json_option, say, sentences
from crm_admin.security.permissions import Role
from crm_admin.services import organizations, users
from crm_admin.services.users import NewPerson

NEW: Final = "My organisation"


user = AppGroup("user", help="Add people, and keep them from signing in.")


@user.command("create")
@click.option("--email", required=True, help="The address they sign in with.")
@click.option("--name", required=True, help="Their name as others see it.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.ADMIN.value)
@click.option("--organization", help="Name or slug; a new name makes a new organisation.")
@click.password_option(help="Asked for when left out, which keeps it out of your shell's history.")
@json_option
@sentences
def create(
    *,
    email: str,
    name: str,
    role: str,
    organization: str | None,
    password: str,
    as_json: bool,
) -> None:
    """Make an account, with its organisation when there is none of that name."""
    found = organizations.find(organization) if organization else organizations.only_one()
    organization_id = found.id if found else organizations.create(name=organization or NEW)
    new = NewPerson(email, name, password, Role(role), organization_id)
    user_id = users.create(new=new)
    if as_json:
        say({"id": user_id, "email": email, "role": role, "organization": organization_id})
    else:
        click.echo(f"{name} can sign in as {email}.")


@user.command("disable")
@click.option("--email", required=True, help="The address they sign in with.")
@sentences
def disable(*, email: str) -> None:
    """Keep a person from signing in, and end their sessions at once."""
    users.disable(user_id=users.find(email))
    click.echo(f"{email} can no longer sign in.")


def register(group: AppGroup) -> None:
    """Add the family to `flask crm`."""
    group.add_command(user)
