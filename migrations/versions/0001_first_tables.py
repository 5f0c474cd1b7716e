"""Make the first tables with their policies, grants and functions.

Tables and functions are plain SQL beside this file. Policies, grants and owners are what
autogenerate cannot see; tests/models/test_catalogue.py reads them back from the server.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parent.parent / "sql"
MINE = "organization_id = nullif(current_setting('app.organization_id', true), '')::uuid"

GLOBAL = """
api_token app_user membership organization process session sign_in_attempt webhook_route
"""

TENANT = """
api_call attention audit_event conflict connection delivery duplicate effect field_def field_rule
file idempotency_key import_job import_row link link_alias mapping_template mapping_version
notification_rule oauth_state operation outbox outgoing_webhook preference record record_key
record_value reference remote_person remote_schema saved_view schedule share stream sync_run usage
wanted webhook_event webhook_subscription
"""

# The scheduler finds what is due in all organisations; the work itself runs as crm_app.
SYSTEM = {
    "schedule": (
        "organization_id, id, connection_id, job, every_seconds, cron, zone, enabled, next_at,"
        " last_at"
    ),
    "sync_run": (
        "organization_id, id, connection_id, mode, trigger, state, lease_epoch, lease_until,"
        " wake_at, attempt, stalled, created_at, finished_at, expires_at"
    ),
    "wanted": "organization_id, id, connection_id, what, created_at",
    "connection": "organization_id, id, provider, stance, health, health_at",
    "import_job": (
        "organization_id, id, state, lease_epoch, lease_until, start_at, created_at, finished_at"
    ),
}
CLAIMED = "next_at, last_at"

# What the search function may read; its owner cannot sign in.
SEARCHED = {
    "record": "organization_id, id, kind, title, owner_id, deleted_at",
    "record_key": "organization_id, kind, key_type, value, record_id",
}

UNSEALED = (
    "organization_id, id, at, actor_id, actor_name, action, object_type, object_id, before, after,"
    " address, request_id"
)

FUNCTIONS = {
    "ensure_partitions(integer, integer)": "crm_app, crm_system",
    "drop_partitions(text, date)": "crm_system",
    "audit_hash(text, bigint, audit_event)": None,
    "seal_audit()": "crm_app",
    "audit_broken_at()": "crm_app",
    "search_records(text, text[], uuid, integer)": "crm_app",
}


def upgrade() -> None:
    op.execute(_read("0001_tables.sql"))
    op.execute(_read("0001_functions.sql"))
    for table in GLOBAL.split():
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO crm_app")
    for table in TENANT.split():
        _guard(table)
    _restrict_audit()
    _let_system_look()
    _let_search_look()
    _grant_functions()
    op.execute("SELECT ensure_partitions(3)")


def downgrade() -> None:
    for function in ("search_records", "audit_broken_at", "seal_audit", "audit_hash"):
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP FUNCTION drop_partitions")
    op.execute("DROP FUNCTION ensure_partitions")
    op.execute(f"DROP TABLE {', '.join((TENANT + GLOBAL).split())}")


def _read(name: str) -> str:
    # Colons would be taken for bound parameters.
    return (SQL / name).read_text(encoding="utf-8").replace(":", "\\:")


def _guard(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} TO crm_app USING ({MINE}) WITH CHECK ({MINE})".replace(
            ":", "\\:"
        )
    )
    # Without it migrations and dumps would silently see no rows.
    op.execute(f"CREATE POLICY owner ON {table} TO crm_owner USING (true) WITH CHECK (true)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO crm_app")


def _restrict_audit() -> None:
    op.execute("REVOKE INSERT, UPDATE, DELETE ON audit_event FROM crm_app")
    op.execute(f"GRANT INSERT ({UNSEALED}) ON audit_event TO crm_app")


def _let_system_look() -> None:
    for table, columns in SYSTEM.items():
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO crm_system")
        op.execute(f"CREATE POLICY system ON {table} FOR SELECT TO crm_system USING (true)")
    op.execute(f"GRANT UPDATE ({CLAIMED}) ON schedule TO crm_system")
    op.execute(
        "CREATE POLICY claim ON schedule FOR UPDATE TO crm_system USING (true) WITH CHECK (true)"
    )


def _let_search_look() -> None:
    for table, columns in SEARCHED.items():
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO crm_search")
        op.execute(f"CREATE POLICY search ON {table} FOR SELECT TO crm_search USING (true)")


def _grant_functions() -> None:
    for function, roles in FUNCTIONS.items():
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        if roles:
            op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {roles}")
    # A function may only be given to a role that may create in its schema.
    op.execute("GRANT CREATE ON SCHEMA public TO crm_search")
    op.execute("ALTER FUNCTION search_records(text, text[], uuid, integer) OWNER TO crm_search")
    op.execute("REVOKE CREATE ON SCHEMA public FROM crm_search")
