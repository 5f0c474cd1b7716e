"""What waits for a person: the work list of Home and the count in the header."""

from dataclasses import dataclass
from datetime import datetime

from crm_admin.services.access import Person
from crm_admin.services.queries import scope
from crm_admin.services.queries.sql import Row, rows

ORGANISATION = """
SELECT 'connection' AS kind, c.id::text AS subject, c.name AS name, c.health AS code,
  c.health_reason AS detail,
       (SELECT count(*) FROM outbox o JOIN stream s ON s.id = o.stream_id
         WHERE s.connection_id = c.id) AS amount,
       c.health_at AS since, NULL::jsonb AS fix, 1 AS rank
  FROM connection c WHERE c.health <> 'ok'
UNION ALL
SELECT 'plan', p.id::text, c.name, p.reason_code, p.reason,
       coalesce((SELECT count(*) FROM operation o WHERE o.run_id = p.id AND o.run_at = p.created_at
                  AND o.state = 'planned' AND NOT o.excluded
                  AND o.action IN ('create', 'update', 'delete', 'link', 'associate',
                    'property')), 0),
       p.created_at, NULL::jsonb, 3
  FROM sync_run p LEFT JOIN connection c ON c.id = p.connection_id
 WHERE p.state = 'planned' AND (p.expires_at IS NULL OR p.expires_at > now())
UNION ALL
SELECT 'attention', a.id::text, a.subject, a.kind, a.sentence, a.count, a.first_at, a.fix, 4
  FROM attention a
 WHERE a.state = 'open' AND a.kind NOT IN ('guard', 'reconnect')
   AND (a.snoozed_until IS NULL OR a.snoozed_until < now())
UNION ALL
"""

RECORDS = f"""
SELECT 'error' AS kind, c.id::text AS subject, c.name AS name, min(r.kind) AS code, l.error AS
detail,
  count(*) AS amount,
       min(l.updated_at) AS since, NULL::jsonb AS fix, 0 AS rank
  FROM link l JOIN connection c ON c.id = l.connection_id JOIN record r ON r.id = l.record_id
 WHERE l.error IS NOT NULL AND l.error <> '' AND r.deleted_at IS NULL AND {scope.OWN}
 GROUP BY c.id, c.name, l.error
UNION ALL
SELECT 'conflict', '', string_agg(DISTINCT k.field, ', '), '', '', count(*), min(k.created_at),
  NULL::jsonb, 2
  FROM conflict k JOIN record r ON r.id = k.record_id
 WHERE k.state = 'open' AND {scope.OWN}
HAVING count(*) > 0
ORDER BY rank, amount DESC, since LIMIT 30
"""  # noqa: S608 - only our own condition is pasted in


@dataclass(frozen=True, slots=True)
class Need:
    """One piece of work. `subject` is the id of what it is about; `fix` may name a label and a
    local address."""

    kind: str
    subject: str
    name: str
    code: str
    detail: str
    amount: int
    since: datetime | None
    fix_label: str
    fix_href: str


def needs(person: Person) -> tuple[Need, ...]:
    """Return what waits for this person, worst first, at most 30; POV owners get what concerns
    their POVs."""
    owner = scope.owner_of(person)
    statement = RECORDS if owner else ORGANISATION + RECORDS
    return tuple(_need(row) for row in rows(statement, owner=owner))


def _need(row: Row) -> Need:
    fix = row["fix"] if isinstance(row["fix"], dict) else {}
    href = str(fix.get("url") or fix.get("href") or "")
    return Need(
        kind=row["kind"],
        subject=row["subject"],
        name=row["name"] or "",
        code=row["code"] or "",
        detail=row["detail"] or "",
        amount=int(row["amount"] or 0),
        since=row["since"],
        fix_label=str(fix.get("label") or "Open"),
        fix_href=href if href.startswith("/") and not href.startswith("//") else "",
    )
