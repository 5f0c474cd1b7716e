"""`flask crm database …`: what a person with a database server of their own needs."""

import click
import flask_migrate
from flask.cli import AppGroup, with_appcontext

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


@database.command("upgrade")
@with_appcontext
def upgrade() -> None:
    """Apply the migrations that are missing."""
    flask_migrate.upgrade()


@database.command("draft")
@click.argument("message")
@with_appcontext
def draft(message: str) -> None:
    """Draft a migration from what the models say; read it before you keep it."""
    flask_migrate.migrate(message=message)
