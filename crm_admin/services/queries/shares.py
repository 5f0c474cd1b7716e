"""With whom a POV is shared."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_admin.services.queries.sql import rows

SHARED = """
SELECT h.user_id, u.name, b.name AS by_name FROM share h
  JOIN app_user u ON u.id = h.user_id LEFT JOIN app_user b ON b.id = h.by_user
 WHERE h.record_id = :record ORDER BY u.name LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Share:
    user_id: UUID
    name: str
    by_name: str


def shared_with(record_id: UUID) -> Sequence[Share]:
    """Return the people a POV is shared with; the caller has checked that the person may see it."""
    return tuple(
        Share(row["user_id"], row["name"], row["by_name"] or "")
        for row in rows(SHARED, record=record_id)
    )
