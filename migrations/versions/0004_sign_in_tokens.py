"""Keep what a CRM gave out for a sign-in: the pair in use, the one before it, and who renews it.

The row is small and of its own, so that renewing a token locks nothing that pages or runs read.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MINE = "organization_id = nullif(current_setting('app.organization_id', true), '')\\:\\:uuid"

UP = (
    """
    CREATE TABLE oauth_token (
      organization_id uuid NOT NULL,
      connection_id uuid NOT NULL,
      secrets jsonb NOT NULL DEFAULT '{}',
      previous jsonb NOT NULL DEFAULT '{}',
      scopes text[] NOT NULL DEFAULT '{}',
      generation integer NOT NULL DEFAULT 0,
      refusals integer NOT NULL DEFAULT 0,
      error text,
      claim uuid,
      claimed_until timestamptz,
      expires_at timestamptz,
      signed_in_at timestamptz NOT NULL DEFAULT now(),
      signed_in_by uuid,
      renewed_at timestamptz,
      CONSTRAINT pk_oauth_token PRIMARY KEY (organization_id, connection_id),
      CONSTRAINT fk_oauth_token_organization_id_connection_id
        FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE
    )
    """,
    "ALTER TABLE oauth_token ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE oauth_token FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON oauth_token TO crm_app USING ({MINE}) WITH CHECK ({MINE})",
    "CREATE POLICY owner ON oauth_token TO crm_owner USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON oauth_token TO crm_app",
    "ALTER TABLE connection ADD COLUMN secrets_set jsonb NOT NULL DEFAULT '{}'",
)

DOWN = (
    "ALTER TABLE connection DROP COLUMN secrets_set",
    "DROP TABLE oauth_token",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
