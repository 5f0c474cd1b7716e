"""Sends planned effects in the provider's batches: committed as sending, called, and their outcomes
committed.
"""

from collections.abc import Mapping, Sequence

from crm_admin.crashpoints import crashpoint
from crm_admin.errors import NeedsAttention, RetryLater
from crm_admin.jsontypes import Json
from crm_admin.providers.base import Action, Association, Write
from crm_admin.services.engine.outcomes import apply_outcomes
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Row, transaction

CLAIM = """
WITH first AS (
    SELECT remote_object, action, (marker IS NULL) AS plain FROM effect
     WHERE connection_id = %(connection)s AND state = 'planned' AND (not_before IS NULL OR
     not_before <= now())
     ORDER BY seq LIMIT 1),
batch AS (
    SELECT e.id FROM effect e, first f
     WHERE e.connection_id = %(connection)s AND e.state = 'planned' AND (e.not_before IS NULL OR
     e.not_before <= now())
       AND e.remote_object = f.remote_object AND e.action = f.action AND (e.marker IS NULL) =
       f.plain
     ORDER BY e.seq LIMIT %(limit)s)
UPDATE effect SET state = 'sending', sent_at = now(), sent_epoch = %(epoch)s, attempts = attempts +
1
 WHERE id IN (SELECT id FROM batch)
RETURNING id, stream_id, run_id, operation_id, run_at, record_id, link_id, remote_object, remote_id,
action, marker,
          fields, associations, expected, attempts, sent_at, seq
"""


def push(work: Work) -> int:
    """Send every effect of the connection that is due, batch by batch, and return how many were
    sent.

    Raises RetryLater or NeedsAttention with the effects planned again when surely nothing happened.
    """
    sent = 0
    while rows := _claim(work):
        crashpoint("intent.sending.after_commit")
        work.lease.check()
        crashpoint("intent.before_send")
        try:
            outcomes = work.provider.write(
                rows[0]["remote_object"], [write_of(row, work) for row in rows]
            )
        except (RetryLater, NeedsAttention) as error:
            _put_back(rows, error)
            raise
        crashpoint("intent.after_send")
        with unit(work.lease) as cursor:
            apply_outcomes(cursor, work, rows, outcomes)
            work.save(cursor)
            crashpoint("intent.result.before_commit")
        crashpoint("intent.result.after_commit")
        sent += len(rows)
        later = max((o.after_seconds or 0 for o in outcomes if o.ending == "later"), default=0)
        if later:
            raise RetryLater(later)
    return sent


DUE = """
SELECT 1 FROM effect WHERE connection_id = %s AND state = 'planned'
   AND (not_before IS NULL OR not_before <= now()) LIMIT 1
"""


def _claim(work: Work) -> list[Row]:
    # After most slices of a pull nothing is due: looking costs less than a fenced write.
    with transaction() as cursor:
        if cursor.execute(DUE, (work.connection_id,)).fetchone() is None:
            return []
    with unit(work.lease) as cursor:
        rows = cursor.execute(
            CLAIM,
            {
                "connection": work.connection_id,
                "limit": work.provider.spec.batch_write,
                "epoch": work.lease.epoch,
            },
        ).fetchall()
    return sorted(rows, key=lambda row: row["seq"])


def _put_back(rows: Sequence[Row], error: RetryLater | NeedsAttention) -> None:
    seconds = error.after_seconds if isinstance(error, RetryLater) else 0
    with transaction() as cursor:
        cursor.execute(
            "UPDATE effect SET state = 'planned', attempts = attempts - 1,"
            " not_before = now() + make_interval(secs => %s) WHERE id = ANY(%s) AND state ="
            " 'sending'",
            (seconds or 0, [row["id"] for row in rows]),
        )


def write_of(row: Row, work: Work) -> Write:
    """Return the call that an effect stands for; a create carries our marker where the account has
    the field.
    """
    action = Action.ARCHIVE if row["action"] == "delete" else Action(_verb(row["action"]))
    properties: dict[str, Json] = dict(row["fields"])
    if row["marker"]:
        properties[work.provider.spec.marker_field] = row["marker"]
    return Write(
        trace=str(row["id"]),
        action=action,
        id=row["remote_id"],
        marker=row["marker"],
        properties=properties,
        associations=tuple(
            _association(name, change) for name, change in row["associations"].items()
        ),
    )


def _verb(action: str) -> str:
    return "create" if action == "create" else "update"


def _association(name: str, change: Mapping[str, Json]) -> Association:
    add, remove = change.get("add"), change.get("remove")
    return Association(
        name, (str(add),) if add else (), (str(remove),) if remove else (), leads=True
    )
