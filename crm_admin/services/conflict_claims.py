"""Who looks at a conflict just now, so that two people do not settle it at once."""

from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.services import record_scope
from crm_admin.services.access import Person
from crm_admin.services.sql import transaction

CLAIM_MINUTES = 30


def claim(*, person: Person, conflict_id: UUID, take_over: bool = False) -> bool:
    """Say that this person looks at the record's open conflicts; False while somebody else does.

    A claim lapses after 30 minutes and keeps nobody from settling.
    """
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT record_id, connection_id FROM conflict WHERE id = %s", (conflict_id,)
        ).fetchone()
        if row is None:
            raise NotFound("There is no such conflict.")
        record_scope.require_record(cursor, person, row["record_id"])
        cursor.execute(
            "UPDATE conflict SET claimed_by = %s, claimed_at = CASE WHEN claimed_by = %s AND"
            " claimed_at > now() - make_interval(mins => %s) THEN claimed_at ELSE now() END"
            " WHERE record_id = %s AND connection_id = %s AND state = 'open' AND (%s OR"
            " claimed_by IS NULL OR claimed_by = %s"
            " OR claimed_at < now() - make_interval(mins => %s))",
            (
                person.user_id,
                person.user_id,
                CLAIM_MINUTES,
                row["record_id"],
                row["connection_id"],
                take_over,
                person.user_id,
                CLAIM_MINUTES,
            ),
        )
        return cursor.rowcount > 0


def release(*, person: Person, conflict_id: UUID) -> None:
    """Give back a claim of this person, so that the others see it is free."""
    with transaction() as cursor:
        cursor.execute(
            "UPDATE conflict k SET claimed_by = NULL, claimed_at = NULL FROM conflict me"
            " WHERE me.id = %s AND k.record_id = me.record_id AND k.connection_id ="
            " me.connection_id AND k.claimed_by = %s",
            (conflict_id, person.user_id),
        )
