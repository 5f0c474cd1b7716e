"""Give schedules their rules, work items their marks, and conflicts their claims.

The scheduler may see what it needs to claim a tick and no more; quiet hours are read by the work.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MINE = "organization_id = nullif(current_setting('app.organization_id', true), '')\\:\\:uuid"
SEEN = "asked_at, catch_up, paused_until"

UP = (
    """
    ALTER TABLE schedule
      ADD COLUMN overlap text NOT NULL DEFAULT 'queue',
      ADD COLUMN catch_up text NOT NULL DEFAULT 'once',
      ADD COLUMN staged boolean NOT NULL DEFAULT false,
      ADD COLUMN quiet jsonb,
      ADD COLUMN paused_until timestamptz,
      ADD COLUMN late_minutes integer,
      ADD COLUMN owner_id uuid,
      ADD COLUMN asked_at timestamptz,
      ADD COLUMN done_at timestamptz,
      ADD COLUMN outcomes jsonb NOT NULL DEFAULT '[]',
      ADD COLUMN version integer NOT NULL DEFAULT 1,
      ADD CONSTRAINT ck_schedule_overlap CHECK (overlap IN ('skip', 'queue')),
      ADD CONSTRAINT ck_schedule_catch_up CHECK (catch_up IN ('once', 'none')),
      ADD CONSTRAINT ck_schedule_late CHECK (late_minutes > 0)
    """,
    "UPDATE schedule SET done_at = last_at",
    f"GRANT SELECT ({SEEN}) ON schedule TO crm_system",
    "GRANT UPDATE (asked_at) ON schedule TO crm_system",
    """
    CREATE TABLE need_mark (
      organization_id uuid NOT NULL,
      key text NOT NULL,
      assigned_to uuid,
      snoozed_until timestamptz,
      snooze_rule text,
      snoozed_amount integer,
      muted_reason text,
      muted_at timestamptz,
      by_user uuid,
      by_name text,
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_need_mark PRIMARY KEY (organization_id, key),
      CONSTRAINT fk_need_mark_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
      CONSTRAINT ck_need_mark_snooze_rule CHECK (snooze_rule IN ('day', 'worse', 'run'))
    )
    """,
    "ALTER TABLE need_mark ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE need_mark FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON need_mark TO crm_app USING ({MINE}) WITH CHECK ({MINE})",
    "CREATE POLICY owner ON need_mark TO crm_owner USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON need_mark TO crm_app",
    """
    ALTER TABLE conflict
      ADD COLUMN claimed_by uuid,
      ADD COLUMN claimed_at timestamptz,
      ADD COLUMN result jsonb,
      ADD COLUMN undo jsonb
    """,
    """
    CREATE INDEX ix_conflict_open_field
        ON conflict (organization_id, connection_id, field, created_at DESC)
     WHERE state = 'open'
    """,
)

DOWN = (
    "DROP INDEX ix_conflict_open_field",
    """
    ALTER TABLE conflict
      DROP COLUMN claimed_by, DROP COLUMN claimed_at, DROP COLUMN result, DROP COLUMN undo
    """,
    "DROP TABLE need_mark",
    """
    ALTER TABLE schedule
      DROP COLUMN overlap, DROP COLUMN catch_up, DROP COLUMN staged, DROP COLUMN quiet,
      DROP COLUMN paused_until, DROP COLUMN late_minutes, DROP COLUMN owner_id,
      DROP COLUMN asked_at, DROP COLUMN done_at, DROP COLUMN outcomes, DROP COLUMN version
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
