"""Let a person pause a run: the run carries who asked until it goes on."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE sync_run ADD COLUMN pause_by text")


def downgrade() -> None:
    op.execute("ALTER TABLE sync_run DROP COLUMN pause_by")
