"""What waits for a person: the work list, what people said about each piece, and the number in the
header.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from crm_admin.services.access import Person
from crm_admin.services.queries import scope
from crm_admin.services.queries.sql import Row, first, only, rows

MOST: Final = 100
FAILED_AT_ONCE: Final = 5_000
VIEWS: Final = ("", "mine", "unassigned", "snoozed")

# Long numbers differ from record to record while the cause is one.
CAUSE = "regexp_replace(f.error, '[0-9]{4,}', '#', 'g')"

FAILED = f"""
SELECT 'error:' || md5(CAST(f.connection_id AS text) || {CAUSE}) AS key, 'error' AS kind,
       f.connection_id AS subject, min(f.kind) AS code, min(f.error) AS detail, count(*) AS amount,
       count(*) FILTER (WHERE f.kind = 'pov') AS povs, min(f.since) AS since,
       CAST(NULL AS jsonb) AS fix, 0 AS rank
  FROM (SELECT l.connection_id, l.error, r.kind, l.updated_at AS since
          FROM link l JOIN record r ON r.id = l.record_id
         WHERE l.error IS NOT NULL AND l.error <> '' AND r.deleted_at IS NULL AND {scope.OWN}
         UNION ALL
        SELECT s.connection_id, o.error, r.kind, o.created_at
          FROM outbox o JOIN stream s ON s.id = o.stream_id JOIN record r ON r.id = o.record_id
         WHERE o.error IS NOT NULL AND o.error <> '' AND {scope.OWN}
           AND NOT EXISTS (SELECT 1 FROM link l WHERE l.stream_id = o.stream_id
                              AND l.record_id = o.record_id AND l.error IS NOT NULL)
         LIMIT {FAILED_AT_ONCE}) f
 GROUP BY f.connection_id, {CAUSE}
"""  # noqa: S608 - only our own conditions are pasted in

CONFLICTS = f"""
SELECT 'conflicts', 'conflict', NULL, NULL, string_agg(DISTINCT k.field, ', '), count(*),
       count(*) FILTER (WHERE k.kind = 'pov'), min(k.created_at), CAST(NULL AS jsonb), 2
  FROM (SELECT k.field, k.created_at, r.kind FROM conflict k JOIN record r ON r.id = k.record_id
         WHERE k.state = 'open' AND {scope.OWN} LIMIT {FAILED_AT_ONCE}) k
HAVING count(*) > 0
"""  # noqa: S608 - only our own conditions are pasted in

WHOLE = """
SELECT 'connection:' || c.id, 'connection', c.id, c.health, c.health_reason, 0, 0, c.health_at,
       CAST(NULL AS jsonb), 1
  FROM connection c WHERE c.health IN ('needs_reconnect', 'broken')
 UNION ALL
SELECT 'sign_in:' || c.id, 'sign_in', c.id, '', t.error, t.refusals, 0, t.renewed_at,
       CAST(NULL AS jsonb), 1
  FROM oauth_token t JOIN connection c ON c.id = t.connection_id
 WHERE t.error IS NOT NULL AND c.health = 'ok' AND c.settings ->> 'sign_in' = 'oauth'
 UNION ALL
SELECT 'plan:' || p.id, 'plan', p.connection_id, CAST(p.id AS text), p.reason, 0, 0, p.created_at,
       CAST(NULL AS jsonb), 3
  FROM sync_run p WHERE p.state = 'planned' AND (p.expires_at IS NULL OR p.expires_at > now())
 UNION ALL
SELECT 'attention:' || a.kind || ':' || a.subject, 'attention', NULL, CAST(a.id AS text),
       a.sentence, a.count, 0, a.first_at, jsonb_build_object('kind', a.kind) ||
       coalesce(a.fix, '{}'), 4
  FROM attention a WHERE a.state = 'open' AND a.kind NOT IN ('guard', 'reconnect')
 UNION ALL
SELECT 'late:' || h.id, 'late', h.connection_id, CAST(h.id AS text), h.name,
       CAST(extract(epoch FROM now() - greatest(h.next_at, h.last_at)) AS bigint) / 60, 0,
       CASE WHEN h.next_at < now() THEN h.next_at ELSE h.last_at END, CAST(NULL AS jsonb), 2
  FROM schedule h
 WHERE h.enabled AND h.late_minutes IS NOT NULL
   AND (h.paused_until IS NULL OR h.paused_until < now())
   AND (h.next_at < now() - make_interval(mins => h.late_minutes)
        OR (h.last_at > coalesce(h.done_at, '-infinity')
            AND h.last_at < now() - make_interval(mins => h.late_minutes)))
 UNION ALL
SELECT p.kind, p.kind, NULL, '', '', p.waiting, 0, p.seen_at, CAST(NULL AS jsonb), 0
  FROM (SELECT kinds.kind, max(x.seen_at) AS seen_at,
               (SELECT count(*) FROM sync_run WHERE state = 'queued') AS waiting
          FROM (VALUES ('worker'), ('scheduler')) AS kinds (kind)
          LEFT JOIN process x ON x.kind = kinds.kind GROUP BY kinds.kind) p
 WHERE (p.seen_at IS NULL OR p.seen_at < now() - interval '60 seconds')
   AND (p.seen_at IS NOT NULL OR (p.kind = 'worker' AND p.waiting > 0))
   AND EXISTS (SELECT 1 FROM connection)
"""

# All conflicts are one piece of work: what was said of some of them says nothing of later ones.
MUTED = """
m.muted_at IS NOT NULL AND (i.kind <> 'conflict'
    OR (i.amount <= coalesce(m.snoozed_amount, i.amount)
        AND NOT EXISTS (SELECT 1 FROM conflict k
                         WHERE k.state = 'open' AND k.created_at > m.muted_at)))
"""

# Marks are made for the whole organisation; POV owners, who cannot take them back, see past them.
MARKED = f"""
SELECT marks.*, c.name AS connection, u.name AS assignee,
       CASE WHEN marks.muted THEN marks.reason END AS muted_reason,
       (CAST(:owner AS uuid) IS NULL AND (marks.muted OR marks.snoozed)) AS hidden
  FROM (SELECT i.*, m.assigned_to, m.snooze_rule, m.snoozed_until, m.by_name AS marked_by,
               m.muted_reason AS reason, CAST(:owner AS uuid) IS NULL AND {MUTED} AS muted,
               coalesce(CASE m.snooze_rule
                    WHEN 'day' THEN m.snoozed_until > now()
                    WHEN 'worse' THEN i.amount <= m.snoozed_amount
                                  AND (i.kind <> 'conflict' OR i.since <= m.updated_at)
                    WHEN 'run' THEN m.updated_at > (SELECT coalesce(max(finished_at), '-infinity')
                                                      FROM sync_run WHERE state IN
                                                           ('succeeded', 'partial', 'failed'))
               END, false) AS snoozed
          FROM items i LEFT JOIN need_mark m ON m.key = i.key) marks
  LEFT JOIN connection c ON c.id = marks.subject
  LEFT JOIN app_user u ON u.id = marks.assigned_to
"""  # noqa: S608 - only our own condition is pasted in

OWN = f"WITH items AS ({FAILED} UNION ALL {CONFLICTS})"
ALL = f"WITH items AS ({FAILED} UNION ALL {CONFLICTS} UNION ALL {WHOLE})"

CHOSEN = """
SELECT * FROM marked
 WHERE (CASE CAST(:view AS text) WHEN 'snoozed' THEN hidden WHEN '*' THEN true ELSE NOT hidden END)
   AND (:view <> 'mine' OR assigned_to = CAST(:me AS uuid))
   AND (:view <> 'unassigned' OR assigned_to IS NULL)
   AND (CAST(:key AS text) IS NULL OR key = :key)
 ORDER BY rank, amount DESC, since, key LIMIT :most
"""

COUNTED = """
SELECT count(*) FILTER (WHERE NOT hidden) AS needs,
       count(*) FILTER (WHERE NOT hidden AND assigned_to = CAST(:me AS uuid)) AS mine,
       count(*) FILTER (WHERE NOT hidden AND assigned_to IS NULL) AS unassigned,
       count(*) FILTER (WHERE hidden) AS snoozed,
       coalesce(sum(amount) FILTER (WHERE kind = 'conflict'), 0) AS conflicts,
       count(*) FILTER (WHERE kind = 'plan') AS plans
  FROM marked
"""

PLANNED = """
SELECT count(*) AS amount FROM operation o JOIN sync_run p ON p.id = o.run_id
   AND p.created_at = o.run_at
 WHERE p.id = :plan AND o.state = 'planned' AND NOT o.excluded
   AND o.action IN ('create', 'update', 'delete', 'link', 'associate', 'property')
"""


@dataclass(frozen=True, slots=True)
class Need:
    """One piece of work. `key` names it for marks; `subject` is the connection it is about, `code`
    what it needs to be opened; `fix` may name a label and a local address.
    """

    key: str
    kind: str
    subject: UUID | None
    name: str
    code: str
    detail: str
    amount: int
    povs: int
    since: datetime | None
    fix_label: str
    fix_href: str
    about: str
    assigned_to: UUID | None
    assignee: str
    hidden: bool
    snooze_rule: str
    snoozed_until: datetime | None
    muted_reason: str
    marked_by: str


@dataclass(frozen=True, slots=True)
class Open:
    """How much is open, by view; `conflicts` and `plans` are for the side bar."""

    needs: int
    mine: int
    unassigned: int
    snoozed: int
    conflicts: int
    plans: int


def needs(person: Person, view: str = "") -> tuple[Need, ...]:
    """Return what waits for this person, worst first, at most 100; POV owners get what concerns
    their POVs.
    """
    return _found(person, view if view in VIEWS else "", None)


def find(person: Person, key: str) -> Need | None:
    """Return a piece of work by its key, snoozed or not; None when it is done or not theirs."""
    return next(iter(_found(person, "*", key)), None)


def _found(person: Person, view: str, key: str | None) -> tuple[Need, ...]:
    found = rows(
        f"{_items(person)}, marked AS ({MARKED}) {CHOSEN}",
        owner=scope.owner_of(person),
        me=person.user_id,
        view=view,
        key=key,
        most=MOST,
    )
    return tuple(_need(row) for row in found)


def counted(person: Person) -> Open:
    """Return how much is open, in one statement: every page shows it."""
    row = only(
        f"{_items(person)}, marked AS ({MARKED}) {COUNTED}",
        owner=scope.owner_of(person),
        me=person.user_id,
    )
    return Open(
        row["needs"],
        row["mine"],
        row["unassigned"],
        row["snoozed"],
        int(row["conflicts"]),
        row["plans"],
    )


def planned(plan_id: str) -> int:
    """Return how many changes a plan holds."""
    row = first(PLANNED, plan=plan_id)
    return row["amount"] if row else 0


def _items(person: Person) -> str:
    return OWN if scope.owner_of(person) else ALL


def _need(row: Row) -> Need:
    fix = row["fix"] if isinstance(row["fix"], dict) else {}
    href = str(fix.get("url") or fix.get("href") or "")
    is_plan = row["kind"] == "plan"
    return Need(
        key=row["key"],
        kind=row["kind"],
        subject=row["subject"],
        name=row["connection"] or "",
        code=row["code"] or "",
        detail=row["detail"] or "",
        amount=planned(row["code"]) if is_plan else int(row["amount"] or 0),
        povs=int(row["povs"] or 0),
        since=row["since"],
        fix_label=str(fix.get("label") or ""),
        fix_href=href if href.startswith("/") and not href.startswith("//") else "",
        about=str(fix.get("kind") or ""),
        assigned_to=row["assigned_to"],
        assignee=row["assignee"] or "",
        hidden=row["hidden"],
        snooze_rule=row["snooze_rule"] or "",
        snoozed_until=row["snoozed_until"],
        muted_reason=row["muted_reason"] or "",
        marked_by=row["marked_by"] or "",
    )


def listed_plans(found: Sequence[Need]) -> int:
    """Return how many of these wait as plans."""
    return sum(1 for need in found if need.kind == "plan")
