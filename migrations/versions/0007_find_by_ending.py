"""Find a record by the last letters of its id, which are what pages show of it."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INDEX = 'CREATE INDEX ix_record_ending ON record (organization_id, "right"((id)\\:\\:text, 8))'

# Row-level security would make this look-up a scan; here the organisation is a plain condition.
FUNCTION = """
CREATE FUNCTION find_by_ending(ending text, most integer) RETURNS TABLE (record_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT r.id FROM record r
     WHERE r.organization_id = nullif(current_setting('app.organization_id', true), '')\\:\\:uuid
       AND "right"((r.id)\\:\\:text, 8) = lower(find_by_ending.ending)
       AND r.deleted_at IS NULL
     ORDER BY r.id LIMIT least(find_by_ending.most, 100)
$$
"""

NAME = "find_by_ending(text, integer)"


def upgrade() -> None:
    op.execute(INDEX)
    op.execute(FUNCTION)
    op.execute(f"REVOKE ALL ON FUNCTION {NAME} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {NAME} TO crm_app")
    # A function may only be given to a role that may create in its schema.
    op.execute("GRANT CREATE ON SCHEMA public TO crm_search")
    op.execute(f"ALTER FUNCTION {NAME} OWNER TO crm_search")
    op.execute("REVOKE CREATE ON SCHEMA public FROM crm_search")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {NAME}")
    op.execute("DROP INDEX ix_record_ending")
