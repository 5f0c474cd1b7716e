"""`flask crm database …`: what a person with a database server of their own needs."""

import click
from flask.cli import AppGroup

from crm_admin import database_roles


def register(group: AppGroup) -> None:
    """Add the family to `flask crm`."""
    group.add_command(database)


@click.group("database")
def database() -> None:
    """Prepare a database server of your own."""


@database.command("roles")
def print_roles() -> None:
    """Print the SQL that makes the login, the roles and the database."""
    click.echo(database_roles.script(), nl=False)
