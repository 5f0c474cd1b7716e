"""What the database itself guards, read back from its catalogue and tried as each role."""

from collections.abc import Iterator
from typing import Any

import flask_migrate
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask

from crm_admin import config, database
from crm_admin.app import create_app
from crm_admin.database import Role, engine_for
from crm_admin.launcher import databases, servers
from crm_admin.models import Base
from crm_admin.models.world import GLOBAL
from tests.conftest import LOGIN_PASSWORD

TENANT = frozenset(Base.metadata.tables) - GLOBAL
SYSTEM = {"schedule", "sync_run", "wanted", "connection", "import_job"}
SEARCHED = {"record", "record_key"}
MINE = (
    "(organization_id ="
    " (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid)"
)


@pytest.fixture
def catalogue(database_url: str, cluster: servers.PostgreSQL) -> Iterator[psycopg.Connection[Any]]:
    with cluster.connect("crm_test") as connection:
        yield connection


def test_every_table_is_global_or_belongs_to_an_organisation(
    catalogue: psycopg.Connection[Any],
) -> None:
    found = {
        name
        for (name,) in catalogue.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'"
        )
    }

    assert found == TENANT | GLOBAL


@pytest.mark.parametrize("table", sorted(TENANT))
def test_a_table_of_organisations_forces_its_policies(
    catalogue: psycopg.Connection[Any], table: str
) -> None:
    forced = catalogue.execute(
        "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = %s::regclass",
        (table,),
    ).fetchone()
    policies = {
        name: (roles, verb, seen, written)
        for name, roles, verb, seen, written in catalogue.execute(
            "SELECT policyname, roles::text[], cmd, qual, with_check FROM pg_policies"
            " WHERE schemaname = 'public' AND tablename = %s",
            (table,),
        )
    }

    assert forced == (True,)
    assert policies.pop("tenant") == (["crm_app"], "ALL", MINE, MINE)
    assert policies.pop("owner") == (["crm_owner"], "ALL", "true", "true")
    if table in SYSTEM:
        assert policies.pop("system") == (["crm_system"], "SELECT", "true", None)
    if table == "schedule":
        assert policies.pop("claim") == (["crm_system"], "UPDATE", "true", "true")
    if table in SEARCHED:
        assert policies.pop("search") == (["crm_search"], "SELECT", "true", None)
    assert policies == {}


@pytest.mark.parametrize("table", sorted(GLOBAL))
def test_a_global_table_has_no_policy(catalogue: psycopg.Connection[Any], table: str) -> None:
    found = catalogue.execute(
        "SELECT relrowsecurity, (SELECT count(*) FROM pg_policies WHERE tablename = relname)"
        " FROM pg_class WHERE oid = %s::regclass",
        (table,),
    ).fetchone()

    assert found == (False, 0)


@pytest.mark.parametrize("table", sorted(TENANT))
def test_every_key_of_a_table_includes_the_organisation(
    catalogue: psycopg.Connection[Any], table: str
) -> None:
    keys = catalogue.execute(
        "SELECT i.indexrelid::regclass::text, a.attname FROM pg_index i"
        " LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE i.indrelid = %s::regclass AND i.indisunique",
        (table,),
    ).fetchall()
    foreign = catalogue.execute(
        "SELECT conname, (SELECT attname FROM pg_attribute WHERE attrelid = conrelid"
        " AND attnum = conkey[1]), confrelid::regclass::text, (SELECT attname FROM pg_attribute"
        " WHERE attrelid = confrelid AND attnum = confkey[1])"
        " FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
        (table,),
    ).fetchall()

    assert keys
    assert {column for _, column in keys} == {"organization_id"}
    for name, column, parent, target in foreign:
        expected = "id" if parent == "organization" else "organization_id"
        assert (column, target) == ("organization_id", expected), name


def test_no_column_defeats_the_indexes_below_a_policy(catalogue: psycopg.Connection[Any]) -> None:
    odd = catalogue.execute(
        "SELECT c.relname, a.attname, t.typname FROM pg_attribute a JOIN pg_class c"
        " ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND a.attnum > 0 AND NOT a.attisdropped"
        " AND (t.typname IN ('numeric', 'timestamp', 'varchar', 'json')"
        " OR t.typtype = 'e')"
    ).fetchall()

    assert [row for row in odd if row[0] != "alembic_version"] == []


def _granted(catalogue: psycopg.Connection[Any], role: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, verb in catalogue.execute(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee = %s AND table_schema = 'public'",
        (role,),
    ):
        found.setdefault(table, set()).add(verb)
    return found


def test_the_app_may_use_every_table_but_only_add_to_the_audit_log(
    catalogue: psycopg.Connection[Any],
) -> None:
    granted = _granted(catalogue, "crm_app")

    assert granted.pop("audit_event") == {"SELECT"}
    assert set(granted) == (TENANT | GLOBAL) - {"audit_event"}
    assert all(verbs == {"SELECT", "INSERT", "UPDATE", "DELETE"} for verbs in granted.values())


def test_nobody_else_holds_a_whole_table(catalogue: psycopg.Connection[Any]) -> None:
    assert _granted(catalogue, "crm_system") == {}
    assert _granted(catalogue, "crm_search") == {}
    assert _granted(catalogue, "crm_login") == {}
    assert _granted(catalogue, "PUBLIC") == {}


def test_system_and_search_see_columns_of_their_tables_only(
    catalogue: psycopg.Connection[Any],
) -> None:
    seen = {
        role: {
            table
            for (table,) in catalogue.execute(
                "SELECT DISTINCT table_name FROM information_schema.column_privileges"
                " WHERE grantee = %s",
                (role,),
            )
        }
        for role in ("crm_system", "crm_search")
    }
    secret = catalogue.execute(
        "SELECT has_column_privilege('crm_system', 'connection', 'credentials', 'SELECT')"
    ).fetchone()

    assert seen == {"crm_system": SYSTEM, "crm_search": SEARCHED}
    assert secret == (False,)


def test_no_role_of_ours_passes_by_the_policies(catalogue: psycopg.Connection[Any]) -> None:
    strong = catalogue.execute(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'crm\\_%'"
        " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication)"
    ).fetchall()

    assert strong == []


def test_models_and_migrations_agree(in_app: Flask) -> None:
    with engine_for(Role.OWNER).connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_object": _is_ours,
            },
        )
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def _is_ours(item: Any, name: str | None, type_: str, *_: object) -> bool:
    table = name if type_ == "table" else getattr(getattr(item, "table", None), "name", "")
    return not any(str(table).startswith(parent + "_2") for parent in ("operation", "api_call"))


def test_migrations_go_down_and_up_again(
    cluster: servers.PostgreSQL, environ: dict[str, str], template: str
) -> None:
    databases.create(cluster, database="crm_down_and_up", template=template)
    url = cluster.url("crm_login", LOGIN_PASSWORD, "crm_down_and_up")
    app = create_app(config.load({**environ, "DATABASE_URL": url}))
    with app.app_context():
        flask_migrate.downgrade(revision="base")
        with cluster.connect("crm_down_and_up") as catalogue:
            left = catalogue.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'p', 'S') AND relname <> 'alembic_version'"
            ).fetchall()
            functions = catalogue.execute(
                "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            ).fetchall()

        flask_migrate.upgrade()

        with cluster.connect("crm_down_and_up") as catalogue:
            again = catalogue.execute("SELECT count(*) FROM record").fetchone()
    database.dispose(app)
    assert (left, functions, again) == ([], [], (0,))
