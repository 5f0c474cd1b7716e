"""Give streams their policies for what is gone, links a first miss, and sweeps a place to go on."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE stream
  ADD COLUMN gone_there text NOT NULL DEFAULT 'keep',
  ADD COLUMN deleted_here text NOT NULL DEFAULT 'keep',
  ADD COLUMN associations_after text,
  ADD COLUMN archived_after text,
  ADD COLUMN remap_due boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT ck_stream_gone_there CHECK (gone_there IN ('keep', 'delete')),
  ADD CONSTRAINT ck_stream_deleted_here CHECK (deleted_here IN ('keep', 'archive'));
ALTER TABLE link ADD COLUMN missing_at timestamptz
"""

DOWN = """
ALTER TABLE link DROP COLUMN missing_at;
ALTER TABLE stream
  DROP CONSTRAINT ck_stream_deleted_here,
  DROP CONSTRAINT ck_stream_gone_there,
  DROP COLUMN remap_due,
  DROP COLUMN archived_after,
  DROP COLUMN associations_after,
  DROP COLUMN deleted_here,
  DROP COLUMN gone_there
"""


def upgrade() -> None:
    for statement in UP.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN.split(";"):
        op.execute(statement)
