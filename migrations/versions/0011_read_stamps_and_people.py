"""Tell a read of the CRM from a write of ours on links, and when a CRM's people were read."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE link ADD COLUMN remote_read_at timestamptz")
    op.execute("ALTER TABLE remote_person ADD COLUMN active boolean NOT NULL DEFAULT true")
    op.execute("ALTER TABLE connection ADD COLUMN people_read_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE connection DROP COLUMN people_read_at")
    op.execute("ALTER TABLE remote_person DROP COLUMN active")
    op.execute("ALTER TABLE link DROP COLUMN remote_read_at")
