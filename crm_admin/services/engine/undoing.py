"""Takes a run back slice by slice, newest first, on both sides; what changed since stays and is
listed. Staged, the same decisions become a plan, and approved, exactly that plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from crm_admin.crashpoints import crashpoint
from crm_admin.errors import RetryLater, present
from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.gather import load_ours, open_effects
from crm_admin.services.engine.inverse import invert, ours_after, stays
from crm_admin.services.engine.inverse_facts import Back, Did, Scene
from crm_admin.services.engine.settle import next_settling
from crm_admin.services.engine.takeback import Taking, take_back
from crm_admin.services.engine.undoing_made import made_slice
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, id_array, transaction
from crm_admin.sync.drafts import Ours
from crm_admin.sync.states import OperationAction, Side

UNDO_SLICE = 300
LAST = UUID(int=2**128 - 1)
NOBODY = UUID(int=0)

COLUMNS = """
SELECT o.id, o.record_id, o.link_id, o.stream_id, o.remote_object, o.remote_id, o.side, o.action,
       o.fields, o.bases, o.label, o.reason_code, coalesce(o.done_at, o.at) AS done_at,
       l.base_ours, l.base_theirs, l.declined, l.remote_updated_at
"""

DONE = f"""
{COLUMNS}, NULL::uuid AS planned_id, NULL::jsonb AS planned_fields, NULL AS planned_action
  FROM operation o
  LEFT JOIN link l ON l.organization_id = o.organization_id AND l.id = o.link_id
 WHERE o.run_id = %(origin)s AND o.run_at = %(at)s AND o.state = 'done' AND o.id < %(before)s
   AND o.action IN ('create', 'update', 'link', 'delete')
 ORDER BY o.id DESC LIMIT %(limit)s
"""

PLANNED = f"""
{COLUMNS}, u.id AS planned_id, u.fields AS planned_fields, u.action AS planned_action
  FROM operation u
  JOIN operation o ON o.organization_id = u.organization_id AND o.run_at = %(at)s
       AND o.id = (u.inputs ->> 'of')::uuid AND o.state = 'done'
  LEFT JOIN link l ON l.organization_id = o.organization_id AND l.id = o.link_id
 WHERE u.run_id = %(run)s AND u.run_at = %(run_at)s AND u.state = 'planned' AND NOT u.excluded
   AND u.inputs ? 'of' AND u.id > %(after)s
 ORDER BY u.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """The run that is taken back; `runs` are itself and whatever took it back before."""

    id: UUID
    created_at: datetime
    runs: frozenset[str]


def undo_slice(work: Work) -> bool:
    """Take back one slice of the run that this run undoes, or plan it; return whether there was
    any left.
    """
    origin, carries = _origin(work), carries_out(work)
    place = work.checkpoint.get("undone")
    with transaction() as cursor:
        rows = cursor.execute(
            PLANNED if carries else DONE,
            {
                "origin": origin.id,
                "at": origin.created_at,
                "run": work.run_id,
                "run_at": work.run_at,
                "before": UUID(str(place or LAST)),
                "after": UUID(str(place or NOBODY)),
                "limit": UNDO_SLICE,
            },
        ).fetchall()
    if rows:
        _take_back(work, origin, _each_record_once(rows))
        return True
    if made_slice(work, origin.id, origin.runs, carries=carries):
        return True
    if carries:
        _close_rest(work)
    return False


REST = """
UPDATE operation SET state = 'skipped', done_at = now(), reason_code = 'moved',
       reason = 'It was taken back meanwhile.'
 WHERE run_id = %s AND run_at = %s AND state = 'planned' AND NOT excluded AND NOT inputs ? 'remade'
"""


def _close_rest(work: Work) -> None:
    """Close what the plan held and somebody else took back; what is made anew is applied next."""
    with unit(work.lease) as cursor:
        cursor.execute(REST, (work.run_id, work.run_at))


def carries_out(work: Work) -> bool:
    """Return whether this undo was planned before, so that exactly its plan is carried out."""
    return not work.staged and bool(work.checkpoint.get("planned"))


def _origin(work: Work) -> Origin:
    with transaction() as cursor:
        row = present(
            cursor.execute(
                "SELECT o.id, o.created_at, ARRAY(SELECT x.id::text FROM sync_run x"
                " WHERE x.undo_of = o.id) AS undos"
                " FROM sync_run u JOIN sync_run o ON o.id = u.undo_of WHERE u.id = %s",
                (work.run_id,),
            ).fetchone()
        )
    return Origin(row["id"], row["created_at"], frozenset({str(row["id"]), *row["undos"]}))


def _each_record_once(rows: Sequence[Row]) -> list[Row]:
    """Return the first rows, no record of theirs twice: the second write to it is decided when the
    first has arrived.
    """
    seen: set[tuple[str, str]] = set()

    def is_first(row: Row) -> bool:
        key = row["remote_object"], row["remote_id"]
        again = row["side"] == Side.THEIRS.value and key in seen
        if row["side"] == Side.THEIRS.value:
            seen.add(key)
        return not again

    return list(takewhile(is_first, rows))


def _take_back(work: Work, origin: Origin, rows: Sequence[Row]) -> None:
    theirs = _fetch(work, rows)
    crashpoint("undo.planned")
    with unit(work.lease) as cursor:
        records = {row["record_id"] for row in rows if row["record_id"]}
        ours = load_ours(cursor, work.connection_id, records)
        held = open_effects(cursor, work, list(ours))
        due = rows if work.staged else _before_open_writes(cursor, work, rows, held)
        if due:
            backs = _decide(work, origin, due, _Sides(ours, theirs, held))
            planned = {row["id"]: row["planned_id"] for row in due if row["planned_id"]}
            take_back(cursor, work, Taking(origin.created_at, backs, ours, planned))
            work.checkpoint["undone"] = str(due[-1]["planned_id"] or due[-1]["id"])
            if work.staged:
                work.checkpoint["planned"] = True
            work.save(cursor, phase="writing")
            crashpoint("undo.half_sent")
    if not due:
        raise RetryLater(next_settling(work.connection_id) or 0.1, UNSETTLED)


UNSETTLED = "A write to a record that goes back is not confirmed yet; it is checked first."


def _fetch(work: Work, rows: Sequence[Row]) -> dict[tuple[str, str], RemoteRecord]:
    wanted: dict[str, dict[str, None]] = {}
    for row in rows:
        if row["side"] == "theirs" and row["remote_id"]:
            wanted.setdefault(row["remote_object"], {})[row["remote_id"]] = None
    found: dict[tuple[str, str], RemoteRecord] = {}
    for name, ids in wanted.items():
        remote = work.remote(name)
        if remote is not None:
            for record in work.provider.get(
                name, list(ids), work.properties(remote), remote.associations
            ):
                found[name, record.asked_id or record.id] = record
    return found


BUSY = "SELECT record_id FROM effect WHERE connection_id = %s AND record_id = ANY(%s::uuid[])"


def _before_open_writes(
    cursor: Cursor, work: Work, rows: Sequence[Row], held: frozenset[UUID]
) -> list[Row]:
    """Return the rows before the first whose record has a write open: how that ends decides."""
    if not held:
        return list(rows)
    found = cursor.execute(BUSY, (work.connection_id, id_array(held))).fetchall()
    busy = {row["record_id"] for row in found}
    return list(takewhile(lambda row: row["record_id"] not in busy, rows))


@dataclass(frozen=True, slots=True)
class _Sides:
    ours: dict[UUID, Ours]
    theirs: dict[tuple[str, str], RemoteRecord]
    held: frozenset[UUID]


def _decide(work: Work, origin: Origin, rows: Sequence[Row], sides: _Sides) -> list[Back]:
    ours = dict(sides.ours)
    backs: list[Back] = []
    for row in rows:
        did, stream = _did(row), work.stream(row["stream_id"])
        scene = Scene(
            crm=work.connection_name,
            actor=work.actor,
            run_id=work.run_id,
            runs=origin.runs | {str(work.run_id)},
            facts=stream.facts if stream else None,
            ours=ours.get(row["record_id"]),
            theirs=sides.theirs.get((row["remote_object"], row["remote_id"])),
        )
        only = None if row["planned_fields"] is None else frozenset(row["planned_fields"])
        held = row["record_id"] in sides.held
        back = stays(did, HELD) if held else invert(did, scene, only)
        if row["planned_action"] not in {None, back.action.value}:
            back = stays(did, back.reason or MOVED)
        backs.append(back)
        if scene.ours is not None:
            ours[scene.ours.record_id] = ours_after(scene.ours, back)
    return backs


HELD = "Another write to it is open, or waits in a plan that a person must release or discard."
MOVED = "One side changed since the plan was made."


def _did(row: Row) -> Did:
    return Did(
        operation_id=row["id"],
        side=Side(row["side"]),
        action=OperationAction(row["action"]),
        fields=row["fields"] or {},
        done_at=row["done_at"],
        bases=row["bases"] or {},
        reason_code=row["reason_code"] or "",
        label=row["label"] or "",
        record_id=row["record_id"],
        link_id=row["link_id"],
        stream_id=row["stream_id"],
        remote_object=row["remote_object"] or "",
        remote_id=row["remote_id"],
        base_ours=row["base_ours"] or {},
        base_theirs=row["base_theirs"] or {},
        declined=row["declined"] or {},
        seen_at=row["remote_updated_at"],
    )
