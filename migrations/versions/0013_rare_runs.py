"""Find the few runs that were approved or undo another, and count links, by an index alone."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_sync_run_approved ON sync_run (organization_id, approved_at)"
        " WHERE approved_at IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX ix_sync_run_undo_of ON sync_run (organization_id, undo_of)"
        " WHERE undo_of IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX ix_link_linked ON link (organization_id, connection_id)"
        " WHERE status = 'linked'"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_link_linked")
    op.execute("DROP INDEX ix_sync_run_undo_of")
    op.execute("DROP INDEX ix_sync_run_approved")
