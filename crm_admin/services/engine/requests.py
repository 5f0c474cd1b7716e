"""Asking for a run: one live run per connection, everything else asked for meanwhile is wanted of
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from crm_admin.crashpoints import crashpoint
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.services.sql import Cursor, dumps

LIVE = (
    "SELECT id, mode, state FROM sync_run WHERE connection_id = %s AND state IN ('queued',"
    " 'running', 'waiting')"
)


@dataclass(frozen=True, slots=True)
class Request:
    """A run to ask for; `records` are (stream, record) pairs for mode record."""

    connection_id: UUID
    mode: str
    trigger: str
    by_name: str
    by_user: UUID | None = None
    staged: bool = False
    once_key: str | None = None
    records: Sequence[tuple[UUID, UUID]] = ()
    undo_of: UUID | None = None
    checkpoint: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunRef:
    """A run that was started, or the live one that the request was folded into."""

    id: UUID
    state: str
    folded: bool = False


INSERT = """
INSERT INTO sync_run (organization_id, id, connection_id, stream_ids, mode, trigger, by_user,
by_name,
       mapping_versions, state, staged, checkpoint, undo_of, once_key, created_at)
SELECT c.organization_id, %(id)s, c.id,
       coalesce((SELECT array_agg(s.id) FROM stream s WHERE s.connection_id = c.id AND s.enabled),
       '{}'),
       %(mode)s, %(trigger)s, %(by_user)s, %(by_name)s,
       coalesce((SELECT jsonb_object_agg(s.id, s.mapping_version) FROM stream s
                  WHERE s.connection_id = c.id AND s.enabled), '{}'),
       'queued', %(staged)s, %(checkpoint)s, %(undo_of)s, %(once_key)s, now()
  FROM connection c WHERE c.id = %(connection)s
ON CONFLICT DO NOTHING
"""


def ask(cursor: Cursor, request: Request) -> RunRef:
    """Insert a queued run, or fold the request into the connection's live run through wanted rows.

    The same once_key gives the run it gave before. The live run is locked, so it cannot end between
    the look and
    the fold.
    """
    if request.once_key:
        known = cursor.execute(
            "SELECT id, state FROM sync_run WHERE once_key = %s", (request.once_key,)
        ).fetchone()
        if known is not None:
            return RunRef(known["id"], known["state"], folded=True)
    for _ in range(3):
        live = cursor.execute(LIVE + " FOR UPDATE", (request.connection_id,)).fetchone()
        if live is not None:
            _want(cursor, request, None if request.records else request.mode)
            return RunRef(live["id"], live["state"], folded=True)
        run_id = new_id()
        cursor.execute(
            INSERT,
            {
                "id": run_id,
                "connection": request.connection_id,
                "mode": request.mode,
                "trigger": request.trigger,
                "by_user": request.by_user,
                "by_name": request.by_name,
                "staged": request.staged,
                "checkpoint": dumps(request.checkpoint),
                "undo_of": request.undo_of,
                "once_key": request.once_key,
            },
        )
        if cursor.rowcount == 1:
            _want(cursor, request, None)
            crashpoint("run.created.before_commit")
            return RunRef(run_id, "queued")
    raise RuntimeError("A live run appeared and ended three times while this one was asked for.")


def _want(cursor: Cursor, request: Request, mode: str | None) -> None:
    """A second delta or full run is wanted once; single records are wanted each."""
    for stream_id, record_id in request.records:
        cursor.execute(
            "INSERT INTO wanted (organization_id, id, connection_id, what, stream_id, record_id,"
            " by_user, created_at)"
            " SELECT organization_id, %s, id, 'record', %s, %s, %s, now() FROM connection WHERE id"
            " = %s",
            (new_id(), stream_id, record_id, request.by_user, request.connection_id),
        )
    if mode in {"delta", "full"} and not request.staged:
        cursor.execute(
            "INSERT INTO wanted (organization_id, id, connection_id, what, by_user, created_at)"
            " SELECT c.organization_id, %s, c.id, %s, %s, now() FROM connection c WHERE c.id = %s"
            " AND NOT EXISTS"
            " (SELECT 1 FROM wanted w WHERE w.organization_id = c.organization_id AND"
            " w.connection_id = c.id"
            " AND w.what = %s)",
            (new_id(), mode, request.by_user, request.connection_id, mode),
        )


def queue_wanted(cursor: Cursor, connection_id: UUID) -> UUID | None:
    """Queue the delta or full run that was asked for while another one was live; return its id."""
    rows = cursor.execute(
        "DELETE FROM wanted WHERE connection_id = %s AND what IN ('delta', 'full') RETURNING what,"
        " by_user",
        (connection_id,),
    ).fetchall()
    if not rows:
        return None
    mode = "full" if any(row["what"] == "full" for row in rows) else "delta"
    reference = ask(cursor, Request(connection_id, mode, "wanted", "CRM Admin", rows[0]["by_user"]))
    return None if reference.folded else reference.id
