"""Which connections of a kind do not answer, so that a list can say how old its words are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_admin.services.queries.sql import rows

UNWELL = """
SELECT c.name, c.health_at FROM connection c
 WHERE c.health <> 'ok'
   AND EXISTS (SELECT 1 FROM stream s
                WHERE s.connection_id = c.id AND s.kind = :kind AND s.enabled)
 ORDER BY c.priority, c.name LIMIT 10
"""


@dataclass(frozen=True, slots=True)
class Unwell:
    name: str
    since: datetime | None


def unwell(kind: str) -> Sequence[Unwell]:
    """Return the connections of a kind whose last look did not go well."""
    return tuple(Unwell(row["name"], row["health_at"]) for row in rows(UNWELL, kind=kind))
