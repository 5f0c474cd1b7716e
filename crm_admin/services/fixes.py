"""What the buttons beside an error do: try again, or leave a value alone until it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import current_app

from crm_admin import dispatch, tenancy
from crm_admin.errors import BadInput, NotFound
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.engine import requests
from crm_admin.services.engine.opening import SWITCHED_OFF
from crm_admin.services.engine.requests import Request, RunRef
from crm_admin.services.queries import failures
from crm_admin.services.queries.failures import Failure
from crm_admin.services.sql import Cursor, dumps, id_array, text_array, transaction
from crm_admin.sync.facts import hash_of

NOTHING = "Nothing of this is left to do: it was made good meanwhile."


@dataclass(frozen=True, slots=True)
class Fixed:
    """How many records a fix was done for, and the runs that carry it out."""

    records: int
    runs: Sequence[RunRef] = ()


def retry(
    *,
    person: Person,
    key: str = "",
    run_id: UUID | None = None,
    once_key: str | None = None,
    wake: bool = True,
) -> Fixed:
    """Ask for every record behind an error, or behind all errors of a run, to be synced again now.

    The tries made so far are forgotten. What was made good meanwhile is not asked for; the same
    once_key asks once.
    """
    found = _found(person, key, run_id)
    by_connection: dict[UUID, list[Failure]] = {}
    for failure in found:
        by_connection.setdefault(failure.connection_id, []).append(failure)
    with transaction() as cursor:
        runs = [
            _again(cursor, person, connection_id, part, once_key)
            for connection_id, part in by_connection.items()
        ]
        audit.write(
            cursor,
            person,
            "error.retry",
            "sync_run" if run_id else "error",
            run_id or key,
            after={"records": len(found)},
        )
    for run in runs:
        if wake and not run.folded:
            dispatch.enqueue("sync.run", tenancy.organization(), run.id, urgent=True)
    return Fixed(len(found), runs)


def _found(person: Person, key: str, run_id: UUID | None) -> list[Failure]:
    if not key and run_id is None:
        raise NotFound("There is no such error.")
    found = failures.subjects(person, key=key, run_id=run_id)
    if not found:
        raise BadInput("", NOTHING)
    return found


def _again(
    cursor: Cursor,
    person: Person,
    connection_id: UUID,
    found: Sequence[Failure],
    once_key: str | None,
) -> RunRef:
    _must_write(cursor, connection_id)
    ours = [one for one in found if one.record_id and one.stream_id]
    theirs = [one for one in found if not (one.record_id and one.stream_id) and one.remote_id]
    reference = requests.ask(
        cursor,
        Request(
            connection_id=connection_id,
            mode="record",
            trigger="retry",
            by_name=person.name,
            by_user=person.user_id,
            once_key=f"{once_key}:{connection_id}" if once_key else None,
        ),
    )
    streams = id_array(one.stream_id for one in ours if one.stream_id)
    records = id_array(one.record_id for one in ours if one.record_id)
    cursor.execute(WANT_OURS, (streams, records, person.user_id, connection_id))
    cursor.execute(FORGET_TRIES, (streams, records))
    cursor.execute(
        WANT_THEIRS,
        (
            text_array(one.remote_object for one in theirs),
            text_array(one.remote_id for one in theirs),
            person.user_id,
            connection_id,
        ),
    )
    return reference


WANT_OURS = """
INSERT INTO wanted (organization_id, id, connection_id, what, stream_id, record_id, by_user,
       created_at)
SELECT c.organization_id, gen_random_uuid(), c.id, 'record', v.stream_id, v.record_id, w.by_user,
       now()
  FROM unnest(%s::uuid[], %s::uuid[]) AS v (stream_id, record_id),
       (SELECT %s::uuid AS by_user) AS w, connection c
 WHERE c.id = %s
   AND NOT EXISTS (SELECT 1 FROM wanted h WHERE h.connection_id = c.id
       AND h.record_id = v.record_id AND h.stream_id = v.stream_id)
"""

WANT_THEIRS = """
INSERT INTO wanted (organization_id, id, connection_id, what, remote_object, remote_id, by_user,
       created_at)
SELECT c.organization_id, gen_random_uuid(), c.id, 'record', v.object, v.remote_id, w.by_user, now()
  FROM unnest(%s::text[], %s::text[]) AS v (object, remote_id),
       (SELECT %s::uuid AS by_user) AS w, connection c
 WHERE c.id = %s
"""

FORGET_TRIES = """
UPDATE outbox o SET not_before = now(), attempts = 0, rank = 0
  FROM unnest(%s::uuid[], %s::uuid[]) AS v (stream_id, record_id)
 WHERE o.stream_id = v.stream_id AND o.record_id = v.record_id
"""


def _must_write(cursor: Cursor, connection_id: UUID) -> None:
    row = cursor.execute(
        "SELECT stance, name FROM connection WHERE id = %s", (connection_id,)
    ).fetchone()
    if row is None:
        raise NotFound("The connection of this error was deleted.")
    if not current_app.config["CRM"].crm_enabled:
        raise BadInput("", SWITCHED_OFF)
    if row["stance"] != "active":
        raise BadInput("", f"{row['name']} only observes or is paused. Make it active, then retry.")


def skip_until_changed(*, person: Person, key: str, run_id: UUID | None = None) -> Fixed:
    """Leave the values behind an error alone, each until CRM Admin changes it again.

    Only values of records that are linked can be skipped; both sides keep them, and the next sync
    sends what else waits of these records.
    """
    found = [
        one
        for one in _found(person, key, run_id)
        if one.link_id and one.record_id and one.side == "theirs" and one.action == "update"
    ]
    if not found:
        raise BadInput(
            "", "Only values of linked records can be skipped. Retry or edit the record."
        )
    with transaction() as cursor:
        declined = _declined(cursor, person, found)
        cursor.execute(
            DECLINE, (id_array(declined), text_array(dumps(one) for one in declined.values()))
        )
        cursor.execute(
            FORGET_TRIES,
            (
                id_array(one.stream_id for one in found if one.stream_id),
                id_array(one.record_id for one in found if one.record_id),
            ),
        )
        audit.write(cursor, person, "error.skip", "error", key, after={"records": len(declined)})
    return Fixed(len(declined))


DECLINE = """
UPDATE link l SET declined = l.declined || v.declined::jsonb, error = NULL, updated_at = now()
  FROM unnest(%s::uuid[], %s::text[]) AS v (id, declined) WHERE l.id = v.id
"""

HELD = """
SELECT l.id, v.rule_id, r.data -> f.ours AS value
  FROM unnest(%s::uuid[], %s::text[]) AS v (link_id, rule_id)
  JOIN link l ON l.id = v.link_id
  JOIN record r ON r.id = l.record_id
  JOIN stream s ON s.id = l.stream_id
  JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version
  JOIN field_rule f ON f.mapping_version_id = m.id AND f.rule_id = v.rule_id
 WHERE NOT f.theirs LIKE 'association:%%'
"""


def _declined(
    cursor: Cursor, person: Person, found: Sequence[Failure]
) -> dict[UUID, dict[str, dict[str, str]]]:
    """By link, what the merge treats as unchanged: the value our side holds now."""
    pairs = [(one.link_id, rule) for one in found if one.link_id for rule in one.rules]
    held = cursor.execute(
        HELD, (id_array(link for link, _ in pairs), text_array(rule for _, rule in pairs))
    ).fetchall()
    declined: dict[UUID, dict[str, dict[str, str]]] = {
        one.link_id: {} for one in found if one.link_id
    }
    for row in held:
        declined[row["id"]][row["rule_id"]] = {
            "side": "ours",
            "hash": hash_of(row["value"]),
            "by": person.name,
        }
    return declined
