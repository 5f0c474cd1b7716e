"""The daily clean-up: partitions made ahead, expired plans closed, old calls and webhooks
forgotten.
"""

from crm_admin.services import sign_in
from crm_admin.services.sql import transaction

CALL_BODY_DAYS = 7
PARTITION_MONTHS = 3


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
