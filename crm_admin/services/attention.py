"""What needs a person: raised and settled inside the transaction that found it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from crm_admin.ids import new_id
from crm_admin.services.sql import Cursor, dumps


@dataclass(frozen=True, slots=True)
class Item:
    """One thing for a person; `fix` may hold {label, url} of the page where it is mended."""

    kind: str
    subject: str
    sentence: str
    fix: Mapping[str, str] = field(default_factory=dict)


RAISE = """
INSERT INTO attention (organization_id, id, kind, subject, sentence, fix, count, first_at, last_at,
       state)
VALUES (%s, %s, %s, %s, %s, %s, 1, now(), now(), 'open')
ON CONFLICT (organization_id, kind, subject) DO UPDATE
   SET sentence = excluded.sentence, fix = excluded.fix, count = attention.count + 1,
       last_at = now(), state = 'open'
"""


def raise_item(cursor: Cursor, organization_id: UUID, item: Item) -> None:
    """Make sure that one open item of this kind and subject stands, with this sentence."""
    cursor.execute(
        RAISE,
        (organization_id, new_id(), item.kind, item.subject, item.sentence, dumps(item.fix)),
    )


def settle_item(cursor: Cursor, *, kind: str, subject: str) -> None:
    """Close the item of this kind and subject, if there is one, and forget what was said of it."""
    cursor.execute(
        "UPDATE attention SET state = 'done', last_at = now()"
        " WHERE kind = %s AND subject = %s AND state = 'open'",
        (kind, subject),
    )
    if cursor.rowcount:
        cursor.execute("DELETE FROM need_mark WHERE key = %s", (f"attention:{kind}:{subject}",))
