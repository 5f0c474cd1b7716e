"""Takes a run back: inverse operations on both sides, newest first; what changed since stays and is
listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from crm_admin import clock
from crm_admin.crashpoints import crashpoint
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.providers.base import RemoteRecord
from crm_admin.records.values import is_blank, same
from crm_admin.services.engine.effects import NewEffect, write_effects
from crm_admin.services.engine.gather import load_ours, open_effects
from crm_admin.services.engine.operations import Entry, write_operations
from crm_admin.services.engine.streams import Stream
from crm_admin.services.engine.unit import Cursor, Row, transaction, unit
from crm_admin.services.engine.work import Work, dumps
from crm_admin.services.record_store import BULK, Change, fan_out, update_records
from crm_admin.sync.drafts import Draft, Ours
from crm_admin.sync.merge import hash_of
from crm_admin.sync.states import OperationAction, OperationState, Side

UNDO_SLICE = 300
BULK_SLICE = 5000
LAST = UUID(int=2**128 - 1)

DONE = """
SELECT o.id, o.run_at, o.record_id, o.link_id, o.stream_id, o.remote_object, o.remote_id, o.side,
o.action, o.fields,
       o.bases, o.label, o.reason_code, l.base_ours, l.base_theirs, l.status AS link_status,
       l.created_run AS link_run
  FROM operation o
  LEFT JOIN link l ON l.organization_id = o.organization_id AND l.id = o.link_id
 WHERE o.run_id = %(run)s AND o.run_at = %(at)s AND o.state = 'done' AND o.id < %(before)s
   AND o.action IN ('create', 'update', 'link', 'delete')
 ORDER BY o.id DESC LIMIT %(limit)s
"""


@dataclass(slots=True)
class _Inverse:
    """What a slice of an undo writes."""

    changes: list[Change] = field(default_factory=list)
    effects: list[NewEffect] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    undone: list[UUID] = field(default_factory=list)
    links: list[tuple[UUID, Mapping[str, Json]]] = field(default_factory=list)
    removed: list[UUID] = field(default_factory=list)
    restored: list[UUID] = field(default_factory=list)


def undo_slice(work: Work) -> bool:
    """Take back one slice of the run that this run undoes; return whether there was any left."""
    with transaction() as cursor:
        origin = cursor.execute(
            "SELECT o.id, o.created_at FROM sync_run u JOIN sync_run o ON o.id = u.undo_of WHERE"
            " u.id = %s",
            (work.run_id,),
        ).fetchone()
        assert origin is not None
        rows = cursor.execute(
            DONE,
            {
                "run": origin["id"],
                "at": origin["created_at"],
                "before": UUID(str(work.checkpoint.get("undone") or LAST)),
                "limit": UNDO_SLICE,
            },
        ).fetchall()
    if rows:
        _take_back(work, origin, rows)
        return True
    return _remove_created(work, origin["id"])


def _take_back(work: Work, origin: Row, rows: Sequence[Row]) -> None:
    theirs = _fetch(work, rows)
    crashpoint("undo.planned")
    with unit(work.lease) as cursor:
        ours = load_ours(
            cursor, work.connection_id, {row["record_id"] for row in rows if row["record_id"]}
        )
        blocked = open_effects(cursor, work, list(ours))
        inverse = _Inverse()
        seen: set[UUID] = set()
        for row in rows:
            record = ours.get(row["record_id"]) if row["record_id"] else None
            if record is not None and record.record_id in blocked:
                _stays(inverse, work, row, "A write to it is still open.")
                continue
            _invert(
                inverse,
                work,
                row,
                record,
                theirs.get((row["remote_object"], row["remote_id"])),
                seen,
            )
        _write(cursor, work, origin, inverse)
        work.checkpoint["undone"] = str(rows[-1]["id"])
        work.save(cursor, phase="writing")
        crashpoint("undo.half_sent")


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


def _invert(
    inverse: _Inverse,
    work: Work,
    row: Row,
    ours: Ours | None,
    theirs: RemoteRecord | None,
    seen: set[UUID],
) -> None:
    side, action = row["side"], row["action"]
    if action == "link":
        _invert_link(inverse, work, row)
    elif side == "ours" and action == "update":
        _invert_take(inverse, work, row, ours, seen)
    elif side == "ours" and action == "create":
        _invert_create(inverse, work, row, ours)
    elif side == "ours" and action == "delete":
        _invert_delete(inverse, work, row, ours)
    elif side == "theirs" and action == "update":
        _invert_send(inverse, work, row, ours, theirs)
    elif side == "theirs" and action == "create":
        _invert_remote_create(inverse, work, row, theirs)
    else:
        _stays(inverse, work, row, f"{work.connection_name} cannot bring back an archived record.")


def _entry(
    row: Row,
    side: Side,
    action: OperationAction,
    fields: Mapping[str, list[Json]],
    state: OperationState,
    **more: object,
) -> Entry:
    draft = Draft(
        side,
        action,
        fields=fields,
        reason_code=str(more.get("code", "undo")),
        reason=str(more.get("reason", "")),
    )
    return Entry(
        draft,
        state,
        row["stream_id"],
        row["remote_object"],
        row["label"] or "",
        record_id=row["record_id"],
        link_id=row["link_id"],
        remote_id=row["remote_id"],
        operation_id=new_id(),
        bases=more.get("bases"),
    )


def _stays(inverse: _Inverse, work: Work, row: Row, reason: str) -> None:
    entry = _entry(
        row,
        Side(row["side"]),
        OperationAction.SKIP,
        {},
        OperationState.SKIPPED,
        code="moved",
        reason=reason,
    )
    inverse.entries.append(entry)
    work.counts["skipped"] += 1


def _invert_link(inverse: _Inverse, work: Work, row: Row) -> None:
    """A pairing taken back stays known as detached, or the next run would make it again; and the
    other way round.
    """
    status = "linked" if row["reason_code"] == "detached" else "detached"
    code = "relinked" if status == "linked" else "detached"
    inverse.links.append((row["link_id"], {"status": status}))
    inverse.entries.append(
        _entry(row, Side.OURS, OperationAction.LINK, {}, OperationState.DONE, code=code)
    )
    inverse.undone.append(row["id"])


def _bases_before(
    row: Row, name_values: Mapping[str, list[Json]]
) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return the bases that the link's rules held before the operation; none where there was no
    agreement yet.
    """
    ours: dict[str, Json] = {}
    theirs: dict[str, Json] = {}
    stored = row["bases"] or {}
    for values in name_values.values():
        rule = str(values[3])
        held = stored.get(rule)
        ours[rule] = held["ours"] if held else values[0]
        theirs[rule] = held["theirs"] if held else values[0]
    return ours, theirs


def _now_ours(ours: Ours, stream: Stream | None, name: str) -> Json:
    if stream is not None and any(f.name == name for f in stream.facts.kind.references):
        return ours.references.get(name)
    return ours.data.get(name)


def _invert_take(
    inverse: _Inverse, work: Work, row: Row, ours: Ours | None, seen: set[UUID]
) -> None:
    stream = work.stream(row["stream_id"])
    if ours is None or ours.deleted or stream is None:
        _stays(inverse, work, row, "The record was deleted since.")
        return
    if ours.record_id in seen:
        _stays(
            inverse,
            work,
            row,
            "The record was changed twice by this run; undo it again for the earlier change.",
        )
        return
    back = {n: v for n, v in row["fields"].items() if same(_now_ours(ours, stream, n), v[1])}
    if len(back) < len(row["fields"]):
        kept = ", ".join(sorted(set(row["fields"]) - set(back)))
        _stays(inverse, work, row, f"Changed since and kept: {kept}.")
    if not back:
        return
    seen.add(ours.record_id)
    names = {f.name for f in stream.facts.kind.references}
    changes = {n: v[0] for n, v in back.items() if n not in names}
    references = {n: None if v[0] is None else str(v[0]) for n, v in back.items() if n in names}
    origin: dict[str, Json] = {"by": work.actor, "run": str(work.run_id)}
    inverse.changes.append(
        Change(
            ours.record_id, stream.facts.kind, ours.version, ours.data, changes, references, origin
        )
    )
    declined = {
        str(v[3]): _declined(work, "theirs", (row["base_theirs"] or {}).get(str(v[3])))
        for v in back.values()
    }
    base_ours, base_theirs = _bases_before(row, back)
    inverse.links.append(
        (row["link_id"], {"base_ours": base_ours, "base_theirs": base_theirs, "declined": declined})
    )
    fields = {n: [v[1], v[0], "undo", v[3]] for n, v in back.items()}
    held = _held(row, back)
    inverse.entries.append(
        _entry(row, Side.OURS, OperationAction.UPDATE, fields, OperationState.DONE, bases=held)
    )
    inverse.undone.append(row["id"])
    work.counts["ours_updated"] += 1


def _held(row: Row, back: Mapping[str, list[Json]]) -> dict[str, Json]:
    """Return the bases as they stand now, so that this undo can itself be undone."""
    rules = [str(values[3]) for values in back.values()]
    ours, theirs = row["base_ours"] or {}, row["base_theirs"] or {}
    return {
        rule: {"ours": ours.get(rule), "theirs": theirs.get(rule)} for rule in rules if rule in ours
    }


def _declined(work: Work, side: str, value: Json) -> Json:
    """The merge treats this value of that side as unchanged until the side changes again."""
    return {"side": side, "hash": hash_of(value), "by": work.actor, "run": str(work.run_id)}


def _invert_create(inverse: _Inverse, work: Work, row: Row, ours: Ours | None) -> None:
    if ours is None or ours.deleted:
        return
    if ours.version != 1:
        _stays(inverse, work, row, "The record was changed since and stays.")
        return
    inverse.removed.append(ours.record_id)
    inverse.entries.append(_entry(row, Side.OURS, OperationAction.DELETE, {}, OperationState.DONE))
    inverse.undone.append(row["id"])
    work.counts["ours_deleted"] += 1


def _invert_delete(inverse: _Inverse, work: Work, row: Row, ours: Ours | None) -> None:
    if ours is None or not ours.deleted:
        return
    inverse.restored.append(ours.record_id)
    inverse.entries.append(_entry(row, Side.OURS, OperationAction.CREATE, {}, OperationState.DONE))
    inverse.undone.append(row["id"])
    work.counts["ours_created"] += 1


def _invert_send(
    inverse: _Inverse, work: Work, row: Row, ours: Ours | None, theirs: RemoteRecord | None
) -> None:
    stream = work.stream(row["stream_id"])
    if theirs is None or stream is None:
        _stays(inverse, work, row, f"{work.connection_name} no longer has this record.")
        return
    rules = {use.rule.theirs: use.rule for use in stream.facts.rules}
    back: dict[str, list[Json]] = {}
    for name, values in row["fields"].items():
        rule = rules.get(name)
        now = _now_theirs(theirs, name, rule.association if rule else "")
        if _same_wire(now, values[1]):
            back[name] = values
    if len(back) < len(row["fields"]):
        kept = ", ".join(sorted(set(row["fields"]) - set(back)))
        _stays(inverse, work, row, f"Changed since in {work.connection_name} and kept: {kept}.")
    if not back:
        return
    base_ours, base_theirs = _bases_before(row, back)
    declined: dict[str, Json] = {}
    for values in back.values():
        use = next((u for u in stream.facts.rules if u.rule.id == values[3]), None)
        if use is not None and ours is not None:
            declined[use.rule.id] = _declined(work, "ours", _now_ours(ours, stream, use.rule.ours))
    entry = _entry(
        row,
        Side.THEIRS,
        OperationAction.UPDATE,
        {n: [v[1], v[0], "undo", v[3]] for n, v in back.items()},
        OperationState.SENDING,
        bases=_held(row, back),
    )
    assert entry.operation_id is not None
    inverse.entries.append(entry)
    plain = {n: _blank_text(v[0]) for n, v in back.items() if not _association(rules, n)}
    associations = {
        _association(rules, n): {"add": v[0], "remove": v[1]}
        for n, v in back.items()
        if _association(rules, n)
    }
    restore: dict[str, Json] = {
        "base_ours": base_ours,
        "base_theirs": base_theirs,
        "declined": declined,
    }
    inverse.effects.append(_effect(row, entry.operation_id, "update", plain, associations, restore))
    inverse.undone.append(row["id"])


def _association(rules: Mapping[str, object], name: str) -> str:
    return str(getattr(rules.get(name), "association", ""))


def _blank_text(value: Json) -> Json:
    return "" if value is None else value


def _now_theirs(theirs: RemoteRecord, name: str, other: str) -> Json:
    if other:
        ids = theirs.associations.get(other, ())
        return ids[0] if ids else None
    return theirs.properties.get(name)


def _same_wire(now: Json, then: Json) -> bool:
    if is_blank(now) or is_blank(then):
        return is_blank(now) and is_blank(then)
    if str(now) == str(then):
        return True
    try:
        return float(str(now)) == float(str(then))
    except ValueError:
        return str(now)[:10] == str(then)[:10] and len(str(then)) == len("2026-11-20")


def _invert_remote_create(
    inverse: _Inverse, work: Work, row: Row, theirs: RemoteRecord | None
) -> None:
    if theirs is None:
        _stays(inverse, work, row, f"{work.connection_name} no longer has this record.")
        return
    stream = work.stream(row["stream_id"])
    rules = {use.rule.theirs: use.rule for use in stream.facts.rules} if stream else {}
    changed = [
        name
        for name, values in row["fields"].items()
        if not _same_wire(_now_theirs(theirs, name, _association(rules, name)), values[1])
    ]
    if changed:
        _stays(
            inverse,
            work,
            row,
            f"Changed since in {work.connection_name} and kept: {', '.join(changed)}.",
        )
        return
    entry = _entry(row, Side.THEIRS, OperationAction.DELETE, {}, OperationState.SENDING)
    assert entry.operation_id is not None
    inverse.entries.append(entry)
    inverse.effects.append(
        _effect(row, entry.operation_id, "delete", {}, {}, {"status": "detached"})
    )
    inverse.undone.append(row["id"])


def _effect(
    row: Row,
    operation_id: UUID,
    action: str,
    properties: Mapping[str, Json],
    associations: Mapping[str, Json],
    restore: Mapping[str, Json],
) -> NewEffect:
    return NewEffect(
        operation_id=operation_id,
        stream_id=None,
        record_id=row["record_id"],
        link_id=row["link_id"],
        remote_object=row["remote_object"],
        remote_id=row["remote_id"],
        action=action,
        marker=None,
        properties=properties,
        associations=associations,
        sent={},
        version=0,
        restore=restore,
    )


def _write(cursor: Cursor, work: Work, origin: Row, inverse: _Inverse) -> None:
    update_records(
        cursor, work.organization_id, inverse.changes, clock.now(), parked_on=work.connection_id
    )
    remove_records(cursor, inverse.removed)
    restore_records(cursor, inverse.restored)
    for link_id, change in inverse.links:
        if link_id is None:
            continue
        cursor.execute(
            "UPDATE link l SET base_ours = base_ours || %s, base_theirs = base_theirs || %s,"
            " declined = declined || %s, status = coalesce(%s, status), updated_at = now(),"
            " ours_version = (SELECT version FROM record r WHERE r.organization_id ="
            " l.organization_id"
            " AND r.id = l.record_id) WHERE l.id = %s",
            (
                dumps(change.get("base_ours", {})),
                dumps(change.get("base_theirs", {})),
                dumps(change.get("declined", {})),
                change.get("status"),
                link_id,
            ),
        )
    write_operations(cursor, work, inverse.entries)
    write_effects(cursor, work, inverse.effects)
    fan_out(
        cursor, [change.record_id for change in inverse.changes], rank=BULK, but=work.connection_id
    )
    cursor.execute(
        "UPDATE operation SET state = 'undone' WHERE id = ANY(%s) AND run_at = %s",
        (inverse.undone, origin["created_at"]),
    )


def remove_records(cursor: Cursor, record_ids: Sequence[UUID]) -> None:
    """Mark records deleted: they leave lists and look-ups, their links are detached, nothing is
    sent.

    Their match keys stay: a twin that was left out because of them is not made now.
    """
    if record_ids:
        ids = list(record_ids)
        cursor.execute(
            "UPDATE record SET deleted_at = now(), version = version + 1 WHERE id = ANY(%s)", (ids,)
        )
        cursor.execute("DELETE FROM outbox WHERE record_id = ANY(%s)", (ids,))
        cursor.execute(
            "UPDATE link SET status = 'detached', updated_at = now() WHERE record_id = ANY(%s) AND"
            " status = 'linked'",
            (ids,),
        )


def restore_records(cursor: Cursor, record_ids: Sequence[UUID]) -> None:
    """Bring deleted records back with their links."""
    if record_ids:
        ids = list(record_ids)
        cursor.execute(
            "UPDATE record SET deleted_at = NULL, version = version + 1 WHERE id = ANY(%s)", (ids,)
        )
        cursor.execute(
            "UPDATE link SET status = 'linked', updated_at = now() WHERE record_id = ANY(%s) AND"
            " status = 'detached'",
            (ids,),
        )


REMOVE = """
WITH mine AS (
    SELECT id FROM record WHERE created_run = %(origin)s AND deleted_at IS NULL AND version = 1
     ORDER BY id LIMIT %(limit)s),
gone AS (
    UPDATE record r SET deleted_at = now(), version = 2 FROM mine WHERE r.id = mine.id
    RETURNING r.id, r.title)
INSERT INTO operation (organization_id, id, run_id, run_at, record_id, link_id, stream_id,
remote_object, remote_id,
       side, action, fields, inputs, label, reason_code, state, actor, at, done_at, attempts,
       excluded)
SELECT %(org)s, gen_random_uuid(), %(run)s, %(at)s, g.id, l.id, l.stream_id, l.remote_object,
l.remote_id,
       'ours', 'delete', '{}', '{}', g.title, 'undo', 'done', %(actor)s, now(), now(), 0, false
  FROM gone g LEFT JOIN link l ON l.organization_id = %(org)s AND l.record_id = g.id AND
  l.created_run = %(origin)s
RETURNING record_id
"""


def _remove_created(work: Work, origin: UUID) -> bool:
    """Remove what the run created here in bulk and nobody touched since; the rest stays and is
    counted.
    """
    with unit(work.lease) as cursor:
        rows = cursor.execute(
            REMOVE,
            {
                "origin": origin,
                "limit": BULK_SLICE,
                "org": work.organization_id,
                "run": work.run_id,
                "at": work.run_at,
                "actor": work.actor,
            },
        ).fetchall()
        ids = [row["record_id"] for row in rows]
        if ids:
            cursor.execute("DELETE FROM outbox WHERE record_id = ANY(%s)", (ids,))
            cursor.execute(
                "UPDATE link SET status = 'detached', updated_at = now()"
                " WHERE record_id = ANY(%s) AND created_run = %s AND status = 'linked'",
                (ids, origin),
            )
        work.counts["ours_deleted"] += len(ids)
        work.save(cursor, phase="writing")
    return bool(ids)
