"""The inverse of one operation: what goes back on either side, and what stays as it moved since."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from crm_admin.errors import present
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.mapping.rules import FieldRule
from crm_admin.providers.base import RemoteRecord
from crm_admin.records.values import is_blank, same
from crm_admin.services.engine.effects import NewEffect
from crm_admin.services.engine.operations import Entry
from crm_admin.services.engine.streams import Stream
from crm_admin.services.engine.work import Work
from crm_admin.services.record_store import Change
from crm_admin.services.sql import Row
from crm_admin.sync.drafts import Draft, Ours
from crm_admin.sync.merge import hash_of
from crm_admin.sync.states import OperationAction, OperationState, Side


@dataclass(slots=True)
class Inverse:
    """What a slice of an undo writes; `ours` and `theirs` are both sides as they stand then."""

    ours: dict[UUID, Ours] = field(default_factory=dict)
    theirs: dict[tuple[str, str], RemoteRecord] = field(default_factory=dict)
    changes: dict[UUID, Change] = field(default_factory=dict)
    effects: list[NewEffect] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    undone: list[UUID] = field(default_factory=list)
    links: list[tuple[UUID, Mapping[str, Json]]] = field(default_factory=list)
    removed: list[UUID] = field(default_factory=list)
    restored: list[UUID] = field(default_factory=list)


def invert(inverse: Inverse, work: Work, row: Row) -> None:
    """Add the inverse of an operation that was done: newest first, so that each finds what it
    left.
    """
    ours = inverse.ours.get(row["record_id"])
    theirs = inverse.theirs.get((row["remote_object"], row["remote_id"]))
    side, action = row["side"], row["action"]
    if action == "link":
        _invert_link(inverse, row)
    elif side == "ours" and action == "update":
        _invert_take(inverse, work, row, ours)
    elif side == "ours" and action == "create":
        _invert_create(inverse, work, row, ours)
    elif side == "ours" and action == "delete":
        _invert_delete(inverse, work, row, ours)
    elif side == "theirs" and action == "update":
        _invert_send(inverse, work, row, ours, theirs)
    elif side == "theirs" and action == "create":
        _invert_remote_create(inverse, work, row, theirs)
    else:
        stays(inverse, work, row, f"{work.connection_name} cannot bring back an archived record.")


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


def stays(inverse: Inverse, work: Work, row: Row, reason: str) -> None:
    """List an operation whose result stays, with the reason."""
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


def _invert_link(inverse: Inverse, row: Row) -> None:
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

    The side that is put back counts as agreed on what it gets: after a collision its former base
    would make it look changed, and the next run would undo the undo.
    """
    ours: dict[str, Json] = {}
    theirs: dict[str, Json] = {}
    stored = row["bases"] or {}
    for values in name_values.values():
        rule = str(values[3])
        held = stored.get(rule) or {"ours": values[0], "theirs": values[0]}
        on_ours = row["side"] == Side.OURS.value
        ours[rule] = values[0] if on_ours else held["ours"]
        theirs[rule] = held["theirs"] if on_ours else values[0]
    return ours, theirs


def _now_ours(ours: Ours, stream: Stream | None, name: str) -> Json:
    if stream is not None and any(f.name == name for f in stream.facts.kind.references):
        return ours.references.get(name)
    return ours.data.get(name)


def _invert_take(inverse: Inverse, work: Work, row: Row, ours: Ours | None) -> None:
    stream = work.stream(row["stream_id"])
    if ours is None or ours.deleted or stream is None:
        stays(inverse, work, row, "The record was deleted since.")
        return
    back = {n: v for n, v in row["fields"].items() if same(_now_ours(ours, stream, n), v[1])}
    if len(back) < len(row["fields"]):
        kept = ", ".join(sorted(set(row["fields"]) - set(back)))
        stays(inverse, work, row, f"Changed since and kept: {kept}.")
    if not back:
        return
    names = {f.name for f in stream.facts.kind.references}
    changes = {n: v[0] for n, v in back.items() if n not in names}
    references = {n: None if v[0] is None else str(v[0]) for n, v in back.items() if n in names}
    origin: dict[str, Json] = {"by": work.actor, "run": str(work.run_id)}
    earlier = inverse.changes.get(ours.record_id)
    inverse.changes[ours.record_id] = Change(
        ours.record_id,
        stream.facts.kind,
        ours.version,
        ours.data,
        {**(earlier.changes if earlier else {}), **changes},
        {**(earlier.references if earlier else {}), **references},
        origin,
    )
    inverse.ours[ours.record_id] = replace(
        ours, data={**ours.data, **changes}, references={**ours.references, **references}
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


def _invert_create(inverse: Inverse, work: Work, row: Row, ours: Ours | None) -> None:
    if ours is None or ours.deleted:
        return
    if ours.version != 1:
        stays(inverse, work, row, "The record was changed since and stays.")
        return
    inverse.removed.append(ours.record_id)
    inverse.entries.append(_entry(row, Side.OURS, OperationAction.DELETE, {}, OperationState.DONE))
    inverse.undone.append(row["id"])
    work.counts["ours_deleted"] += 1


def _invert_delete(inverse: Inverse, work: Work, row: Row, ours: Ours | None) -> None:
    if ours is None or not ours.deleted:
        return
    inverse.restored.append(ours.record_id)
    inverse.entries.append(_entry(row, Side.OURS, OperationAction.CREATE, {}, OperationState.DONE))
    inverse.undone.append(row["id"])
    work.counts["ours_created"] += 1


def _invert_send(
    inverse: Inverse, work: Work, row: Row, ours: Ours | None, theirs: RemoteRecord | None
) -> None:
    stream = work.stream(row["stream_id"])
    if theirs is None or stream is None:
        stays(inverse, work, row, f"{work.connection_name} no longer has this record.")
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
        stays(inverse, work, row, f"Changed since in {work.connection_name} and kept: {kept}.")
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
    inverse.effects.append(
        _effect(row, present(entry.operation_id), "update", plain, associations, restore)
    )
    inverse.undone.append(row["id"])


def _association(rules: Mapping[str, FieldRule], name: str) -> str:
    rule = rules.get(name)
    return rule.association if rule else ""


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
    inverse: Inverse, work: Work, row: Row, theirs: RemoteRecord | None
) -> None:
    if theirs is None:
        stays(inverse, work, row, f"{work.connection_name} no longer has this record.")
        return
    stream = work.stream(row["stream_id"])
    rules = {use.rule.theirs: use.rule for use in stream.facts.rules} if stream else {}
    changed = [
        name
        for name, values in row["fields"].items()
        if not _same_wire(_now_theirs(theirs, name, _association(rules, name)), values[1])
    ]
    if changed:
        stays(
            inverse,
            work,
            row,
            f"Changed since in {work.connection_name} and kept: {', '.join(changed)}.",
        )
        return
    entry = _entry(row, Side.THEIRS, OperationAction.DELETE, {}, OperationState.SENDING)
    inverse.entries.append(entry)
    inverse.effects.append(
        _effect(row, present(entry.operation_id), "delete", {}, {}, {"status": "detached"})
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
