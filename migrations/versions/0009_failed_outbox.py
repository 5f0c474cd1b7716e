"""Find what failed in the outbox without reading what only waits: every page counts it."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_outbox_failed ON outbox (organization_id, stream_id, record_id)"
        " WHERE error IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_outbox_failed")
