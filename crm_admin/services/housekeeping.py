"""The work that keeps the tables tidy: what expired is closed, what failed is tried again, what two
sides came to agree on leaves the queue.
"""

from crm_admin.services import sign_in
from crm_admin.services.sql import transaction

CALL_BODY_DAYS = 7
PARTITION_MONTHS = 3
TRIES = 3
AT_ONCE = 1_000


def clean_up() -> None:
    """Close what expired and forget what is past its retention; open effects and conflicts never
    expire.
    """
    sign_in.forget_old_attempts()
    with transaction() as cursor:
        cursor.execute("SELECT ensure_partitions(%s)", (PARTITION_MONTHS,))
        cursor.execute(
            "UPDATE sync_run SET state = 'cancelled', finished_at = now(), reason_code = 'expired',"
            " reason = 'Nobody answered this plan within 7 days.' WHERE state = 'planned' AND"
            " expires_at < now()"
        )
        cursor.execute(
            "UPDATE api_call SET request_body = NULL, answer_body = NULL"
            " WHERE at < now() - make_interval(days => %s) AND (request_body IS NOT NULL OR"
            " answer_body IS NOT NULL)",
            (CALL_BODY_DAYS,),
        )
        cursor.execute("DELETE FROM need_mark WHERE updated_at < now() - interval '400 days'")


def retry_failed() -> int:
    """Make what failed fewer than three times due at once, and return how many records that is; the
    next run takes them up.
    """
    with transaction() as cursor:
        cursor.execute(
            "UPDATE outbox SET not_before = now() WHERE attempts BETWEEN 1 AND %s AND not_before >"
            " now()",
            (TRIES - 1,),
        )
        return cursor.rowcount


MOVED = """
SELECT k.stream_id, k.record_id FROM conflict k
  JOIN record r ON r.organization_id = k.organization_id AND r.id = k.record_id
  JOIN connection c ON c.organization_id = k.organization_id AND c.id = k.connection_id
 WHERE k.state = 'open' AND c.stance = 'active' AND r.deleted_at IS NULL
   AND r.data ? k.field AND r.data -> k.field IS DISTINCT FROM k.ours -> 'v'
 ORDER BY k.created_at LIMIT %s
"""

AGAIN = f"""
INSERT INTO outbox (organization_id, stream_id, record_id, version, rank, not_before, attempts,
       created_at)
SELECT DISTINCT r.organization_id, m.stream_id, r.id, r.version, 1, now(), 0, now()
  FROM ({MOVED}) m JOIN record r ON r.id = m.record_id
ON CONFLICT (organization_id, stream_id, record_id) DO UPDATE SET not_before = now()
"""  # noqa: S608 - only our own statement is pasted in


def look_at_conflicts() -> int:
    """Send records whose open conflicts show an old value of ours to the next run, which refreshes
    or closes them; return how many records.

    A conflict of a record that is gone is superseded: there is nothing left to choose.
    """
    with transaction() as cursor:
        cursor.execute(
            "UPDATE conflict k SET state = 'superseded', resolved_at = now() FROM record r"
            " WHERE k.state = 'open' AND r.organization_id = k.organization_id"
            " AND r.id = k.record_id AND r.deleted_at IS NOT NULL"
        )
        cursor.execute(AGAIN, (AT_ONCE,))
        return cursor.rowcount
