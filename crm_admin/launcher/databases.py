"""Makes roles and databases on a server of our own."""

from psycopg import sql

from crm_admin import database_roles
from crm_admin.launcher.servers import PostgreSQL

EMPTY = "template0"


def prepare(server: PostgreSQL, *, password: str, database: str = database_roles.DATABASE) -> str:
    """Make login, roles and database where they are missing; returns the address to work with."""
    with server.connect() as connection:
        connection.execute(database_roles.cluster_sql(password))
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [database]
        ).fetchone()
    if found is None:
        create(server, database=database)
    return server.url(database_roles.LOGIN, password, database)


def create(server: PostgreSQL, *, database: str, template: str = EMPTY) -> None:
    """Make a database, like a template that nobody uses at this moment."""
    make = sql.SQL("CREATE DATABASE {} OWNER crm_owner TEMPLATE {} STRATEGY file_copy")
    with server.connect() as connection:
        connection.execute(make.format(sql.Identifier(database), sql.Identifier(template)))
    with server.connect(database) as connection:
        connection.execute(database_roles.database_sql(database))


def drop(server: PostgreSQL, *, database: str) -> None:
    """Remove a database and whoever still uses it."""
    with server.connect() as connection:
        remove = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(remove.format(sql.Identifier(database)))
