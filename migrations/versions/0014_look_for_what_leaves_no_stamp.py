"""Remember when a stream was last looked at for what leaves no stamp in its CRM."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE stream ADD COLUMN swept_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE stream DROP COLUMN swept_at")
