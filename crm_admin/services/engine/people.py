"""Who a CRM's people are here: read now and then, matched by e-mail, handed to the rules."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from crm_admin import clock
from crm_admin.errors import NeedsAttention
from crm_admin.jsontypes import Json
from crm_admin.providers.base import Provider
from crm_admin.services import attention
from crm_admin.services.attention import Item
from crm_admin.services.sql import Cursor, Row, transaction
from crm_admin.services.users import email_key

PEOPLE_AGE = timedelta(hours=1)
KIND = "owners"

# Only rules that translate people ask for them; an account without such rules is never asked.
USED = """
SELECT 1 FROM field_rule f
  JOIN mapping_version m ON m.organization_id = f.organization_id AND m.id = f.mapping_version_id
  JOIN stream s ON s.organization_id = m.organization_id AND s.id = m.stream_id
   AND s.mapping_version = m.number
 WHERE s.connection_id = %s AND s.enabled AND f.steps @> '[{"name": "owner"}]' LIMIT 1
"""

STORE = """
INSERT INTO remote_person (organization_id, connection_id, remote_id, email, name, user_id, active)
SELECT c.organization_id, c.id, v.remote_id, v.email, v.name, u.id, v.active
  FROM connection c
 CROSS JOIN unnest(%s::text[], %s::text[], %s::text[], %s::bool[], %s::text[])
       AS v (remote_id, email, name, active, email_key)
  LEFT JOIN LATERAL (
       SELECT p.id FROM app_user p JOIN membership m ON m.user_id = p.id
        WHERE m.organization_id = c.organization_id AND p.email_key = v.email_key) AS u ON true
 WHERE c.id = %s
ON CONFLICT (organization_id, connection_id, remote_id) DO UPDATE
   SET email = excluded.email, name = excluded.name, user_id = excluded.user_id,
       active = excluded.active
"""

KNOWN = """
SELECT remote_id, user_id FROM remote_person
 WHERE connection_id = %s AND user_id IS NOT NULL ORDER BY NOT active, remote_id
"""


def refresh(provider: Provider, connection: Row) -> None:
    """Read the CRM's people where rules need them and they were not read for an hour.

    Without the right to read them the run goes on: values of people are refused, and an item in the
    work list says why.
    """
    read_at = connection["people_read_at"]
    if read_at is not None and read_at > clock.now() - PEOPLE_AGE:
        return
    with transaction() as cursor:
        if cursor.execute(USED, (connection["id"],)).fetchone() is None:
            return
    try:
        people = provider.people()
    except NeedsAttention as error:
        _tell(connection, error.sentence)
        return
    with transaction() as cursor:
        cursor.execute(
            STORE,
            (
                [one.id for one in people],
                [one.email for one in people],
                [one.name for one in people],
                [one.active for one in people],
                [email_key(one.email) for one in people],
                connection["id"],
            ),
        )
        _read_now(cursor, connection["id"])
        attention.settle_item(cursor, kind=KIND, subject=str(connection["id"]))


def _tell(connection: Row, sentence: str) -> None:
    with transaction() as cursor:
        words = f"{connection['name']}: owners cannot be paired with people here. {sentence}"
        item = Item(KIND, str(connection["id"]), words)
        attention.raise_item(cursor, connection["organization_id"], item)
        _read_now(cursor, connection["id"])


def _read_now(cursor: Cursor, connection_id: UUID) -> None:
    cursor.execute("UPDATE connection SET people_read_at = now() WHERE id = %s", (connection_id,))


def lookups(cursor: Cursor, connection_id: UUID) -> dict[str, Mapping[str, Json]]:
    """Return the tables that steps name: of each person of the CRM who has an account here."""
    rows = cursor.execute(KNOWN, (connection_id,)).fetchall()
    return {"owner": {row["remote_id"]: str(row["user_id"]) for row in rows}}
