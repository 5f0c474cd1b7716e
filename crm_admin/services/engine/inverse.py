"""Decides what takes an operation back: what goes back on either side, what stays and why. Pure:
both sides are handed in as they stand.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.providers.base import RemoteRecord
from crm_admin.records.values import is_blank, same
from crm_admin.services.engine.inverse_facts import Back, Did, Fields, LinkBack, Scene, Verdict
from crm_admin.sync.drafts import Ours, RuleUse, StreamFacts
from crm_admin.sync.merge import hash_of
from crm_admin.sync.states import LinkStatus, OperationAction, Side


def invert(did: Did, scene: Scene, only: frozenset[str] | None = None) -> Back:
    """Return what takes an operation back; ask for the newest first, so that each finds what it
    left. `only` limits it to these fields: what a plan showed.
    """
    if only is not None:
        did = replace(did, fields={n: v for n, v in did.fields.items() if n in only})
    if did.action is OperationAction.LINK:
        return _link(did)
    inverse = INVERSES.get((did.side, did.action))
    return inverse(did, scene) if inverse else stays(did, "Nothing takes this back.")


def stays(did: Did, reason: str) -> Back:
    """Return that all of an operation stays, with the reason."""
    return Back(did, Verdict.STAYS, reason, code="moved")


def ours_after(ours: Ours, back: Back) -> Ours:
    """Return our record as it stands once this is taken back."""
    return replace(
        ours,
        data={**ours.data, **back.changes},
        references={**ours.references, **back.references},
        deleted=_deleted_after(ours, back),
    )


def _deleted_after(ours: Ours, back: Back) -> bool:
    if back.did.side is Side.OURS and back.verdict is Verdict.BACK:
        if back.action is OperationAction.DELETE:
            return True
        if back.action is OperationAction.CREATE:
            return False
    return ours.deleted


def _link(did: Did) -> Back:
    """A pairing taken back stays known as detached, or the next run would make it again; and the
    other way round.
    """
    status = LinkStatus.LINKED if did.reason_code == "detached" else LinkStatus.DETACHED
    code = "relinked" if status is LinkStatus.LINKED else "detached"
    link = LinkBack(status=status.value)
    return Back(did, Verdict.BACK, action=OperationAction.LINK, code=code, link=link)


def _take(did: Did, scene: Scene) -> Back:
    facts, ours = scene.facts, scene.ours
    if facts is None:
        return stays(did, NOT_SYNCED)
    if ours is None or ours.deleted:
        return stays(did, "The record was deleted since.")
    names = {one.name for one in facts.kind.references}
    back = {n: v for n, v in did.fields.items() if same(_value_of(ours, names, n), v[1])}
    if not back:
        return stays(did, _kept("CRM Admin", did.fields))
    declined: dict[str, Json] = {}
    cleared: list[str] = []
    ours_base, theirs_base = _bases_before(did, back)
    for values in back.values():
        rule = str(values[3])
        held = _held_there(did, rule)
        if held == hash_of(theirs_base[rule]):
            cleared.append(rule)
        else:
            declined[rule] = _declined(scene, Side.THEIRS, held)
    return Back(
        did,
        Verdict.BACK,
        _kept("CRM Admin", set(did.fields) - set(back)),
        OperationAction.UPDATE,
        fields=_inverted(back),
        changes={n: v[0] for n, v in back.items() if n not in names},
        references={n: _text_or_none(v[0]) for n, v in back.items() if n in names},
        link=LinkBack(ours_base, theirs_base, declined, tuple(cleared)),
        bases=_held(did, back),
    )


def _value_of(ours: Ours, references: set[str], name: str) -> Json:
    return ours.references.get(name) if name in references else ours.data.get(name)


def _text_or_none(value: Json) -> str | None:
    return None if value is None else str(value)


def _inverted(back: Fields) -> dict[str, list[Json]]:
    return {name: [v[1], v[0], "undo", v[3]] for name, v in back.items()}


NOT_SYNCED = "This object is not synced any more, so nothing of it is put back."


def _kept(where: str, names: Iterable[str]) -> str:
    listed = _listed(names)
    return f"Changed since in {where} and kept: {listed}." if listed else ""


def _bases_before(did: Did, back: Fields) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return the bases that the link's rules held before the operation.

    The side that is put back counts as agreed on what it gets: after a collision its former base
    would make it look changed, and the next run would undo the undo.
    """
    ours: dict[str, Json] = {}
    theirs: dict[str, Json] = {}
    for values in back.values():
        rule = str(values[3])
        held = did.bases.get(rule) or {"ours": values[0], "theirs": values[0]}
        on_ours = did.side is Side.OURS
        ours[rule] = values[0] if on_ours else held["ours"]
        theirs[rule] = held["theirs"] if on_ours else values[0]
    return ours, theirs


def _held(did: Did, back: Fields) -> dict[str, Json]:
    """Return the bases as they stand now, so that this undo can itself be undone."""
    rules = [str(values[3]) for values in back.values()]
    return {
        rule: {"ours": did.base_ours.get(rule), "theirs": did.base_theirs.get(rule)}
        for rule in rules
        if rule in did.base_ours
    }


def _held_there(did: Did, rule: str) -> str:
    """Return the hash of what they hold as we last saw it: an earlier undo may have turned it
    down.
    """
    entry = did.declined.get(rule, {})
    if entry.get("side") == Side.THEIRS.value:
        return str(entry.get("hash"))
    return hash_of(did.base_theirs.get(rule))


def _declined(scene: Scene, side: Side, value_hash: str) -> Json:
    """The merge treats this value of that side as unchanged until the side changes again."""
    return {
        "side": side.value,
        "hash": value_hash,
        "by": scene.actor,
        "run": str(scene.run_id),
    }


def _create(did: Did, scene: Scene) -> Back:
    ours = scene.ours
    if ours is None or ours.deleted:
        return Back(did, Verdict.ALREADY)
    touched = touched_since(ours, did.done_at, scene.runs)
    if touched:
        return stays(did, f"Changed since and stays: {_listed(touched)}.")
    return Back(did, Verdict.BACK, action=OperationAction.DELETE)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(name.replace("_", " ") for name in names))


def touched_since(ours: Ours, moment: datetime, runs: frozenset[str]) -> list[str]:
    """Return the fields of ours that somebody else changed after a moment."""
    return [
        name
        for name, origin in ours.origin.items()
        if str(origin.get("run") or "") not in runs and _after(str(origin.get("at") or ""), moment)
    ]


def _after(stamp: str, moment: datetime) -> bool:
    return not stamp or datetime.fromisoformat(stamp) > moment


def _delete(did: Did, scene: Scene) -> Back:
    if scene.ours is None:
        return stays(did, "The record is gone for good.")
    if not scene.ours.deleted:
        return Back(did, Verdict.ALREADY)
    return Back(did, Verdict.BACK, action=OperationAction.CREATE)


def _send(did: Did, scene: Scene) -> Back:
    facts, theirs, ours = scene.facts, scene.theirs, scene.ours
    if facts is None:
        return stays(did, NOT_SYNCED)
    if theirs is None or theirs.archived:
        return stays(did, f"{scene.crm} no longer has this record.")
    uses = {use.rule.theirs: use for use in facts.rules}
    moved = [n for n, v in did.fields.items() if not _stands(theirs, n, v[1], uses.get(n))]
    waiting = [] if ours is None else _unsent(did, scene, ours, set(did.fields) - set(moved))
    back = {n: v for n, v in did.fields.items() if n not in moved and n not in waiting}
    reason = " ".join(filter(None, (_kept(scene.crm, moved), _kept("CRM Admin", waiting))))
    if not back:
        return stays(did, reason)
    ours_base, theirs_base = _bases_before(did, back)
    by_rule = {use.rule.id: use for use in facts.rules}
    declined: dict[str, Json] = {}
    cleared: list[str] = []
    for values in back.values():
        use = by_rule.get(str(values[3]))
        if use is None or ours is None:
            continue
        now = _ours_of(ours, facts, use)
        if same(now, ours_base[use.rule.id]):
            cleared.append(use.rule.id)
        else:
            declined[use.rule.id] = _declined(scene, Side.OURS, hash_of(now))
    return Back(
        did,
        Verdict.BACK,
        reason,
        OperationAction.UPDATE,
        fields=_inverted(back),
        properties={n: _blank_text(v[0]) for n, v in back.items() if not _other(uses, n)},
        associations={
            _other(uses, n): {"add": v[0], "remove": v[1]}
            for n, v in back.items()
            if _other(uses, n)
        },
        link=LinkBack(ours_base, theirs_base, declined, tuple(cleared)),
        bases=_held(did, back),
    )


def _ours_of(ours: Ours, facts: StreamFacts, use: RuleUse) -> Json:
    return _value_of(ours, {one.name for one in facts.kind.references}, use.rule.ours)


def _unsent(did: Did, scene: Scene, ours: Ours, names: set[str]) -> list[str]:
    """Fields whose value of ours was edited since and waits to be sent: that edit is newer than
    what would go back.
    """
    facts = scene.facts
    uses = {use.rule.theirs: use for use in facts.rules} if facts else {}
    found = []
    for name in names:
        use = uses.get(name)
        if facts is None or use is None or use.rule.id not in did.base_ours:
            continue
        now = _ours_of(ours, facts, use)
        entry = did.declined.get(use.rule.id, {})
        told = entry.get("side") == Side.OURS.value and entry.get("hash") == hash_of(now)
        if not told and not same(now, did.base_ours[use.rule.id]):
            found.append(name)
    return found


def _other(uses: Mapping[str, RuleUse], name: str) -> str:
    use = uses.get(name)
    return use.rule.association if use else ""


def _blank_text(value: Json) -> Json:
    return "" if value is None else value


def _stands(theirs: RemoteRecord, name: str, after: Json, use: RuleUse | None) -> bool:
    other = use.rule.association if use else ""
    if other:
        ids = theirs.associations.get(other, ())
        return (str(after) in ids) if after else not ids
    return same_text(theirs.properties.get(name), after)


def same_text(now: Json, then: Json) -> bool:
    """Say whether a CRM holds what was sent, in its own spelling of numbers and days."""
    if is_blank(now) or is_blank(then):
        return is_blank(now) and is_blank(then)
    if str(now) == str(then):
        return True
    try:
        return float(str(now)) == float(str(then))
    except ValueError:
        return str(now)[:10] == str(then)[:10] and len(str(then)) == len("2026-11-20")


def _remote_create(did: Did, scene: Scene) -> Back:
    theirs = scene.theirs
    if theirs is None or theirs.archived:
        return stays(did, f"{scene.crm} no longer has this record.")
    uses = {use.rule.theirs: use for use in scene.facts.rules} if scene.facts else {}
    changed = [n for n, v in did.fields.items() if not _stands(theirs, n, v[1], uses.get(n))]
    changed += [n for n, use in uses.items() if n not in did.fields and _added(did, theirs, use)]
    if changed:
        return stays(did, _kept(scene.crm, changed))
    return Back(
        did,
        Verdict.BACK,
        action=OperationAction.DELETE,
        fields=_inverted(did.fields),
        link=LinkBack(status=LinkStatus.DETACHED.value),
    )


def _added(did: Did, theirs: RemoteRecord, use: RuleUse) -> bool:
    """Whether somebody filled a field there since that we left blank. What a CRM fills by itself
    is there as long as the record's stamp is the one we saw.
    """
    known = use.rule.id in did.base_theirs
    if not known and did.seen_at is not None and theirs.updated_at == did.seen_at:
        return False
    if use.rule.association:
        ids = theirs.associations.get(use.rule.association, ())
        return bool(ids) and did.base_theirs.get(use.rule.id) not in ids
    now = theirs.properties.get(use.rule.theirs)
    return not is_blank(now) and not same_text(now, did.base_theirs.get(use.rule.id))


def _remote_delete(did: Did, scene: Scene) -> Back:
    """What an undo archived is made anew when that undo is undone: archived records do not come
    back by themselves, so it gets a new id there.
    """
    if did.reason_code != "undo" or scene.ours is None or scene.ours.deleted:
        return stays(did, f"{scene.crm} cannot bring back an archived record.")
    return Back(
        did,
        Verdict.BACK,
        action=OperationAction.CREATE,
        fields=_inverted(did.fields),
        remade=True,
    )


INVERSES: Final[Mapping[tuple[Side, OperationAction], Callable[[Did, Scene], Back]]] = {
    (Side.OURS, OperationAction.UPDATE): _take,
    (Side.OURS, OperationAction.CREATE): _create,
    (Side.OURS, OperationAction.DELETE): _delete,
    (Side.THEIRS, OperationAction.UPDATE): _send,
    (Side.THEIRS, OperationAction.CREATE): _remote_create,
    (Side.THEIRS, OperationAction.DELETE): _remote_delete,
}
