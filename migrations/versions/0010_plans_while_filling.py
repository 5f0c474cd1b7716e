"""Keep the planner on the right index while a first pull fills the tables.

The statistics of a table that was empty a moment ago say nothing, and the planner then takes any
index that begins with the organisation: each look-up reads all that was written so far. The worker
may now have the statistics of such tables made anew, and a record's keys are found by the record
first, so that this index is never taken for looking up a value.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION refresh_statistics() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    outgrown text;
    done integer := 0;
BEGIN
    FOR outgrown IN
        SELECT c.relname FROM pg_class c
         WHERE c.oid IN ('public.record'\\:\\:regclass, 'public.record_key'\\:\\:regclass,
                         'public.reference'\\:\\:regclass, 'public.link'\\:\\:regclass)
           AND (c.reltuples <= 0 OR pg_relation_size(c.oid)
                > 4 * c.relpages\\:\\:bigint * current_setting('block_size')\\:\\:bigint)
    LOOP
        EXECUTE format('ANALYZE public.%I', outgrown);
        done := done + 1;
    END LOOP;
    RETURN done;
END
$$
"""

UP = (
    "CREATE INDEX ix_record_key_record ON record_key (record_id, organization_id)",
    "DROP INDEX ix_record_key_organization_id_record_id",
    FUNCTION,
    "REVOKE ALL ON FUNCTION refresh_statistics() FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION refresh_statistics() TO crm_app",
)
DOWN = (
    "DROP FUNCTION refresh_statistics()",
    (
        "CREATE INDEX ix_record_key_organization_id_record_id"
        " ON record_key (organization_id, record_id)"
    ),
    "DROP INDEX ix_record_key_record",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
