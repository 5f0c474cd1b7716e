"""The inverse of one operation, as far as nobody has touched its fields since."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crm_admin.jsontypes import Json
from crm_admin.mapping.wire import same_wire
from crm_admin.records.values import ABSENT, Absent, same
from crm_admin.sync.facts import Base, Declined, hash_of
from crm_admin.sync.states import OperationAction, Side


class Stay(StrEnum):
    """Why something is left as it is."""

    CHANGED_SINCE = "changed_since"
    NOT_READ = "not_read"
    RECORD_GONE = "record_gone"
    RECORD_CHANGED = "record_changed"
    CANNOT_RETURN = "cannot_return"


SENTENCES: Mapping[Stay, str] = {
    Stay.CHANGED_SINCE: "{field} was changed again since and stays as it is.",
    Stay.NOT_READ: "{field} could not be read, so it stays as it is.",
    Stay.RECORD_GONE: "The record no longer exists, so there is nothing to take back.",
    Stay.RECORD_CHANGED: "The record was changed since it was made, so it is kept.",
    Stay.CANNOT_RETURN: "The CRM cannot bring back a deleted record.",
}


@dataclass(frozen=True, slots=True)
class FieldDone:
    """One field of a done operation: `name` is ours or theirs by its side, `wire_type` described
    for theirs.

    `bases` is what both sides had agreed on before the operation, None where they never had.
    """

    name: str
    rule_id: str
    before: Json
    after: Json
    bases: Base | None = None
    wire_type: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A done operation to take back."""

    side: Side
    action: OperationAction
    fields: tuple[FieldDone, ...] = ()


@dataclass(frozen=True, slots=True)
class Now:
    """What both sides hold now by rule; `written` are the values of the operation's own side by
    field.

    `exists` says whether the record is still there, `touched` whether anything but this operation
    changed it.
    """

    written: Mapping[str, Json]
    ours: Mapping[str, Json] = field(default_factory=dict)
    theirs: Mapping[str, Json] = field(default_factory=dict)
    exists: bool = True
    touched: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A field, or with an empty name the whole record, that stays, and why."""

    field: str
    why: Stay

    @property
    def sentence(self) -> str:
        text = SENTENCES[self.why].format(field=self.field)
        return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Inverse:
    """What takes an operation back. `action` is None when nothing of it can be.

    `values` go to the operation's side. `bases` replace those of the link by rule, None where there
    was no agreement: the rule's entry goes away. `declined` goes to the link by rule, one entry for
    the value that would otherwise cross again. `detach` leaves the link known and closed.
    """

    action: OperationAction | None
    values: Mapping[str, Json] = field(default_factory=dict)
    bases: Mapping[str, Base | None] = field(default_factory=dict)
    declined: Mapping[str, Declined] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    detach: bool = False


def inverse(done: Done, now: Now) -> Inverse:
    """Return what takes one operation back, given what both sides hold now.

    Values return only where the field still holds what the operation wrote; others stay and are
    listed. Taking back twice finds the fields changed and does nothing. A create is deleted only
    while nobody else touched the record; a delete on our side returns, in the CRM it cannot.
    """
    match done.action:
        case OperationAction.CREATE:
            return _inverse_create(now)
        case OperationAction.DELETE if done.side is Side.OURS:
            return Inverse(OperationAction.CREATE, {one.name: one.before for one in done.fields})
        case OperationAction.DELETE:
            return Inverse(None, kept=(Kept("", Stay.CANNOT_RETURN),))
        case OperationAction.LINK:
            return Inverse(OperationAction.LINK, detach=True)
        case OperationAction.UPDATE | OperationAction.ASSOCIATE:
            return _inverse_update(done, now)
        case _:
            return Inverse(None)


def _inverse_create(now: Now) -> Inverse:
    if not now.exists:
        return Inverse(None, kept=(Kept("", Stay.RECORD_GONE),), detach=True)
    if now.touched:
        return Inverse(None, kept=(Kept("", Stay.RECORD_CHANGED),))
    return Inverse(OperationAction.DELETE, detach=True)


def _inverse_update(done: Done, now: Now) -> Inverse:
    if not now.exists:
        return Inverse(None, kept=(Kept("", Stay.RECORD_GONE),))
    values: dict[str, Json] = {}
    bases: dict[str, Base | None] = {}
    declined: dict[str, Declined] = {}
    kept: list[Kept] = []
    for one in done.fields:
        held = now.written.get(one.name, ABSENT)
        if isinstance(held, Absent):
            kept.append(Kept(one.name, Stay.NOT_READ))
            continue
        if not _equal(done.side, one, held, one.after):
            kept.append(Kept(one.name, Stay.CHANGED_SINCE))
            continue
        values[one.name] = one.before
        bases[one.rule_id] = one.bases
        entry = declined_entry(done.side, one.rule_id, now)
        if entry is not None:
            declined[one.rule_id] = entry
    action = done.action if values else None
    return Inverse(action, values, bases, declined, tuple(kept))


def _equal(side: Side, one: FieldDone, a: Json, b: Json) -> bool:
    return same(a, b) if side is Side.OURS else same_wire(one.wire_type, a, b)


def declined_entry(side: Side, rule_id: str, now: Now) -> Declined | None:
    """Return the entry that keeps the next pass from doing the same again, for an operation on that
    side.

    What was taken came from theirs, so their value is turned down, and the other way round.
    """
    other = Side.THEIRS if side is Side.OURS else Side.OURS
    held = (now.theirs if other is Side.THEIRS else now.ours).get(rule_id, ABSENT)
    return None if isinstance(held, Absent) else Declined(other, hash_of(held))
