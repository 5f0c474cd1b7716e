"""Give every list of a page the index that serves it in its own order."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UP = (
    "DROP INDEX ix_record_updated",
    "DROP INDEX ix_record_owner",
    "DROP INDEX ix_record_status",
    "CREATE INDEX ix_record_updated ON record (organization_id, kind, updated_at, id)",
    "CREATE INDEX ix_record_owner ON record (organization_id, kind, owner_id, updated_at, id)",
    "CREATE INDEX ix_record_status ON record (organization_id, kind, status, updated_at, id)",
    (
        "CREATE INDEX ix_record_due ON record (organization_id, kind, due_on, id)"
        " WHERE due_on IS NOT NULL"
    ),
    (
        "CREATE INDEX ix_link_error ON link (organization_id, connection_id, record_id)"
        " WHERE error IS NOT NULL"
    ),
    "CREATE INDEX ix_sync_run_state ON sync_run (organization_id, state, created_at, id)",
    (
        "CREATE INDEX ix_conflict_resolved ON conflict (organization_id, resolved_at)"
        " WHERE resolved_at IS NOT NULL"
    ),
)

DOWN = (
    "DROP INDEX ix_conflict_resolved",
    "DROP INDEX ix_sync_run_state",
    "DROP INDEX ix_link_error",
    "DROP INDEX ix_record_due",
    "DROP INDEX ix_record_status",
    "DROP INDEX ix_record_owner",
    "DROP INDEX ix_record_updated",
    "CREATE INDEX ix_record_status ON record (organization_id, kind, status, id)",
    "CREATE INDEX ix_record_owner ON record (organization_id, kind, owner_id, id)",
    "CREATE INDEX ix_record_updated ON record (organization_id, kind, updated_at DESC, id)",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
