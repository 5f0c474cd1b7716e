"""The SQL of our database roles, for the launcher, tests and people with a server of their own."""

from typing import Final

LOGIN: Final = "crm_login"
DATABASE: Final = "crm_admin"

# crm_owner migrates, crm_app works for one organisation at a time, crm_system finds due work,
# crm_search owns the search function; none of them can sign in.
ROLES: Final = ("crm_owner", "crm_app", "crm_system", "crm_search")

_ROLE: Final = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
    CREATE ROLE {name} {how};
  END IF;
END $$;
ALTER ROLE {name} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT;
"""


def cluster_sql(password: str | None = None) -> str:
    """Return the statements that make the roles and the login; they may run again."""
    parts = [_ROLE.format(name=name, how="NOLOGIN") for name in ROLES]
    parts.append(_ROLE.format(name=LOGIN, how="LOGIN"))
    parts.append(f"GRANT crm_owner, crm_app, crm_system TO {LOGIN};")
    parts.append("GRANT crm_search TO crm_owner;")
    if password is not None:
        parts.append(f"ALTER ROLE {LOGIN} LOGIN PASSWORD {_literal(password)};")
    return "\n".join(part.strip() for part in parts) + "\n"


def database_sql(database: str = DATABASE) -> str:
    """Return the statements to run as superuser inside the database, safe to run again."""
    return f"""REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {LOGIN}, crm_owner, crm_app, crm_system;
GRANT CREATE ON DATABASE {database} TO crm_owner;
ALTER SCHEMA public OWNER TO crm_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO crm_app, crm_system, crm_search;
"""


def script() -> str:
    """Return everything a person runs once with psql as superuser on a server of their own."""
    return (
        "-- Run with psql as a superuser; the password you choose goes into DATABASE_URL.\n"
        + cluster_sql()
        + f"\\password {LOGIN}\n"
        + f"CREATE DATABASE {DATABASE} OWNER crm_owner ENCODING 'UTF8' TEMPLATE template0;\n"
        + f"\\connect {DATABASE}\n"
        + database_sql()
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
