"""Find operations that are planned or being sent, and deleted records, without reading all the
others: whoever looks whether all is well asks for them at a million rows.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_operation_open ON operation (organization_id, state, run_id)"
        " WHERE state IN ('planned', 'sending')"
    )
    op.execute(
        "CREATE INDEX ix_record_deleted ON record (organization_id, id)"
        " WHERE deleted_at IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_record_deleted")
    op.execute("DROP INDEX ix_operation_open")
