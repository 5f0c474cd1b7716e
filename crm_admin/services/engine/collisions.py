"""Keeps collisions: open ones for a person, settled ones with the value that lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_admin.ids import new_id
from crm_admin.services.engine.gather import Subject
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, dumps
from crm_admin.sync.drafts import ConflictDraft
from crm_admin.sync.merge import hash_of


@dataclass(frozen=True, slots=True)
class Opened:
    """A collision on a link."""

    link_id: UUID
    conflict: ConflictDraft
    subject: Subject


OPEN_CONFLICT = """
INSERT INTO conflict (organization_id, id, link_id, stream_id, record_id, connection_id, rule_id,
field, base, ours,
       theirs, ours_at, theirs_at, ours_by, state, how, resolved_at, run_id, seen, created_at)
VALUES (%(org)s, %(id)s, %(link)s, %(stream)s, %(record)s, %(connection)s, %(rule)s, %(field)s,
%(base)s, %(ours)s,
       %(theirs)s, %(ours_at)s, %(theirs_at)s, %(ours_by)s, %(state)s, %(how)s,
       CASE WHEN %(state)s = 'resolved' THEN now() END, %(run)s, %(seen)s, now())
ON CONFLICT (organization_id, link_id, rule_id) WHERE state = 'open' DO UPDATE
   SET base = excluded.base, ours = excluded.ours, theirs = excluded.theirs, ours_at =
   excluded.ours_at,
       theirs_at = excluded.theirs_at, ours_by = excluded.ours_by, seen = excluded.seen
"""


def write_conflicts(
    cursor: Cursor, work: Work, opened: Sequence[Opened], closed: Sequence[tuple[UUID, list[str]]]
) -> None:
    """Open or refresh conflicts, and close those whose sides have come to agree."""
    for one in opened:
        conflict, subject = one.conflict, one.subject
        ours, theirs = subject.pair.here, subject.pair.theirs
        origin = ours.origin.get(conflict.field, {})
        cursor.execute(
            OPEN_CONFLICT,
            {
                "org": work.organization_id,
                "id": new_id(),
                "link": one.link_id,
                "stream": subject.stream.id,
                "record": ours.record_id,
                "connection": work.connection_id,
                "rule": conflict.rule_id,
                "field": conflict.field,
                "base": dumps({"v": conflict.base}),
                "ours": dumps({"v": conflict.ours}),
                "theirs": dumps({"v": conflict.theirs}),
                "ours_at": origin.get("at") or ours.created_at,
                "theirs_at": theirs.updated_at if theirs else None,
                "ours_by": origin.get("by"),
                "state": "resolved" if conflict.settled else "open",
                "how": "by_policy" if conflict.settled else None,
                "run": work.run_id,
                "seen": dumps({"ours": hash_of(conflict.ours), "theirs": hash_of(conflict.theirs)}),
            },
        )
    for link_id, rules in closed:
        cursor.execute(
            "UPDATE conflict SET state = 'superseded', resolved_at = now()"
            " WHERE link_id = %s AND rule_id = ANY(%s) AND state = 'open'",
            (link_id, rules),
        )
