"""Decides one rule of one pair: what was changed on which side, who wins, and why."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import RuleFailed
from crm_admin.mapping.rules import Direction, FirstAgreement, Policy
from crm_admin.mapping.wire import normal_wire, same_wire
from crm_admin.records.phones import e164, region_of
from crm_admin.records.values import ABSENT, Absent, is_blank, same
from crm_admin.sync.facts import (
    Base,
    Convert,
    Declined,
    FieldDecision,
    Inputs,
    Primary,
    Rewrite,
    RuleFacts,
    Times,
    Verdict,
    Waiting,
    from_json,
    hash_of,
    inputs_json,
)
from crm_admin.sync.reasons import Reason, sentence
from crm_admin.sync.states import Side

__all__ = [
    "Base",
    "Declined",
    "FieldDecision",
    "Inputs",
    "Primary",
    "Reason",
    "Rewrite",
    "RuleFacts",
    "Times",
    "Verdict",
    "Waiting",
    "from_json",
    "hash_of",
    "inputs_json",
    "merge_field",
    "newest_side",
    "sentence",
]

MARGIN: Final = timedelta(seconds=5)
"""Two edits closer than this are not told apart by time: clocks and stamps are not that exact."""


def merge_field(
    facts: RuleFacts, inputs: Inputs, to_crm: Convert, from_crm: Convert
) -> FieldDecision:
    """Return what to do about one field of one pair; see FieldDecision for what the caller stores.

    Changes are judged in each side's own space against its own base. Values cross once, to see
    whether the sides agree, so a lossy rule costs at most one write per real edit. Never raises for
    a value: what cannot cross is refused with its reason. `Waiting` of a conversion that is needed
    passes through.
    """
    ours, theirs = inputs.ours, inputs.theirs
    # A side we were not told about decides nothing: absent is neither null nor empty.
    if isinstance(ours, Absent) or isinstance(theirs, Absent):
        return FieldDecision(Verdict.NOTHING, Reason.NOT_READ)
    sides = _Sides(facts, inputs, ours, theirs, to_crm, from_crm)
    try:
        return _merge(sides)
    except RuleFailed as failed:
        return FieldDecision(Verdict.REFUSE, Reason.RULE_FAILED, error=str(failed))


@dataclass(frozen=True, slots=True)
class _Sides:
    facts: RuleFacts
    inputs: Inputs
    ours: Json
    theirs: Json
    to_crm: Convert
    from_crm: Convert

    @property
    def may_send(self) -> bool:
        return self.facts.direction is not Direction.FROM_CRM

    @property
    def may_take(self) -> bool:
        return self.facts.direction is not Direction.TO_CRM

    def declines(self, side: Side) -> bool:
        if not self.inputs.declined:
            return False
        value = self.ours if side is Side.OURS else self.theirs
        wanted = {one.value_hash for one in self.inputs.declined if one.side is side}
        normal = value if side is Side.OURS else normal_wire(self.facts.wire_type, value)
        return bool(wanted & {hash_of(value), hash_of(normal)})

    def agree(self) -> bool:
        """Whether the values mean the same. A value that cannot cross agrees with nothing."""
        if is_blank(self.ours) and is_blank(self.theirs):
            return True
        try:
            here = self.from_crm(self.theirs)
            if _alike(here, self.ours) or (self.facts.phone and self._one_number(here)):
                return True
        except RuleFailed:
            pass
        try:
            return _alike(self.to_crm(self.ours), self.theirs, self.facts.wire_type)
        except (RuleFailed, Waiting):
            return False

    def _one_number(self, here: Json) -> bool:
        """Whether both are spellings of one phone number; digits that name none are texts."""
        if not isinstance(here, str) or not isinstance(self.ours, str):
            return False
        region = region_of(self.inputs.country) if self.inputs.country else None
        ours = e164(self.ours, region)
        return ours is not None and ours == e164(here, region)

    def take(self, reason: Reason, *, settled: bool = False) -> FieldDecision:
        value = self.from_crm(self.theirs)
        # Their blank would empty a field that must not be empty: both keep what they have.
        if self.facts.required and is_blank(value) and not is_blank(self.ours):
            return _required("The CRM's value is empty and the field is required.")
        losing = self.ours if settled else ABSENT
        return FieldDecision(Verdict.TAKE, reason, ours_after=value, settled=settled, losing=losing)

    def send(self, reason: Reason, *, settled: bool = False) -> FieldDecision:
        wire = self.to_crm(self.ours)
        # Our blank would empty a field that must not be empty there: both keep what they have.
        if self.facts.required and is_blank(wire) and not is_blank(self.theirs):
            return _required("Our value is empty and the field is required.")
        losing = self.theirs if settled else ABSENT
        return FieldDecision(
            Verdict.SEND, reason, theirs_after=wire, settled=settled, losing=losing
        )


def _alike(a: Json, b: Json, type_name: str = "") -> bool:
    """Blanks at the ends do not make two values differ across the sides; many CRMs drop them."""
    if isinstance(a, str) and isinstance(b, str):
        a, b = a.strip(), b.strip()
    return same_wire(type_name, a, b) if type_name else same(a, b)


def _required(sentence: str) -> FieldDecision:
    return FieldDecision(Verdict.REFUSE, Reason.REQUIRED_BLANK, error=sentence)


def _agreed(reason: Reason) -> FieldDecision:
    return FieldDecision(Verdict.AGREE, reason)


def _left(reason: Reason) -> FieldDecision:
    return FieldDecision(Verdict.NOTHING, reason)


def _merge(sides: _Sides) -> FieldDecision:
    base = sides.inputs.base
    # The sides never agreed on this field: two existing records met, or the rule is new to the
    # link.
    if base is None or isinstance(base.ours, Absent) or isinstance(base.theirs, Absent):
        return _first_agreement(sides)
    ours_moved = not same(sides.ours, base.ours)
    theirs_moved = not same_wire(sides.facts.wire_type, sides.theirs, base.theirs)
    ours_changed = ours_moved and not sides.declines(Side.OURS)
    theirs_changed = theirs_moved and not sides.declines(Side.THEIRS)
    # Both sides changed it: the only case in which somebody's edit could be lost.
    if ours_changed and theirs_changed:
        return _collision(sides)
    # Only we changed it.
    if ours_changed:
        return _ours_changed(sides)
    # Only they changed it.
    if theirs_changed:
        return _theirs_changed(sides)
    # A side differs from its base by a value that an undo turned down: leave it until the side
    # changes.
    if ours_moved or theirs_moved:
        return _left(Reason.DECLINED)
    # Nobody changed it; also what the echo of our own write looks like.
    return _rewritten(sides) if sides.facts.rewrite else _left(Reason.UNCHANGED)


def _ours_changed(sides: _Sides) -> FieldDecision:
    # Our edit brought us to what they already have: new bases, nothing sent.
    if sides.agree():
        return _agreed(Reason.BOTH_AGREE)
    # A rule that only reads leaves our edit where it is.
    if not sides.may_send:
        return _left(Reason.DIRECTION)
    return sides.send(Reason.OURS_CHANGED)


def _theirs_changed(sides: _Sides) -> FieldDecision:
    # Their edit says what we already have, perhaps in another spelling: new bases, nothing taken.
    if sides.agree():
        return _agreed(Reason.BOTH_AGREE)
    # A rule that only sends leaves their edit where it is.
    if not sides.may_take:
        return _left(Reason.DIRECTION)
    return sides.take(Reason.THEIRS_CHANGED)


def _rewritten(sides: _Sides) -> FieldDecision:
    """The rule was changed and a person asked for one side to be made anew by the new rule,
    once.
    """
    if sides.facts.rewrite is Rewrite.THEIRS and sides.may_send:
        if same_wire(sides.facts.wire_type, sides.to_crm(sides.ours), sides.theirs):
            return _left(Reason.UNCHANGED)
        return sides.send(Reason.MAPPING_CHANGED)
    if sides.facts.rewrite is Rewrite.OURS and sides.may_take:
        if same(sides.from_crm(sides.theirs), sides.ours):
            return _left(Reason.UNCHANGED)
        return sides.take(Reason.MAPPING_CHANGED)
    # "Only from now on": what both hold stays as it is until a side changes.
    kept = sides.facts.rewrite is Rewrite.NOW
    return _left(Reason.UNCHANGED if kept else Reason.DIRECTION)


def _first_agreement(sides: _Sides) -> FieldDecision:
    # They hold the same: this is the first agreement.
    if sides.agree():
        return _agreed(Reason.BOTH_AGREE)
    # An undo brought the sides to where they are; no base remembers what they were before.
    if sides.declines(Side.OURS) or sides.declines(Side.THEIRS):
        return _left(Reason.DECLINED)
    # A rule that is new to the link, and only counts from now on: this is where it starts.
    if sides.facts.rewrite is Rewrite.NOW:
        return _agreed(Reason.MAPPING_CHANGED)
    # One side is blank: filled from the other where the rule goes that way. Where it does not, the
    # difference becomes the state from which changes are judged.
    if is_blank(sides.ours):
        return sides.take(Reason.FILLED_OURS) if sides.may_take else _agreed(Reason.DIRECTION)
    if is_blank(sides.theirs):
        return sides.send(Reason.FILLED_THEIRS) if sides.may_send else _agreed(Reason.DIRECTION)
    # They differ: one decision per field for all records, made on the plan or by the rule.
    asked = REWRITTEN.get(sides.facts.rewrite) if sides.facts.rewrite else None
    return _first_choice(sides, sides.inputs.chosen or asked or sides.facts.first_agreement)


REWRITTEN: Final = {
    Rewrite.THEIRS: FirstAgreement.OURS,
    Rewrite.OURS: FirstAgreement.THEIRS,
}
"""Whose value counts where a changed rule meets a link for the first time."""


def _first_choice(sides: _Sides, choice: FirstAgreement) -> FieldDecision:
    match choice:
        case FirstAgreement.OURS:
            return sides.send(Reason.FIRST_OURS) if sides.may_send else _agreed(Reason.DIRECTION)
        case FirstAgreement.THEIRS:
            return sides.take(Reason.FIRST_THEIRS) if sides.may_take else _agreed(Reason.DIRECTION)
        case FirstAgreement.NEWEST:
            newest = newest_side(sides.inputs.times)
            if newest is Side.OURS:
                return (
                    sides.send(Reason.FIRST_NEWEST) if sides.may_send else _agreed(Reason.DIRECTION)
                )
            if newest is Side.THEIRS:
                return (
                    sides.take(Reason.FIRST_NEWEST) if sides.may_take else _agreed(Reason.DIRECTION)
                )
            return FieldDecision(Verdict.ASK, Reason.TOO_CLOSE)
        case FirstAgreement.ASK:
            return FieldDecision(Verdict.ASK, Reason.FIRST_ASK)


def _collision(sides: _Sides) -> FieldDecision:
    # Both were edited to the same value: new bases, nothing sent.
    if sides.agree():
        return _agreed(Reason.BOTH_AGREE)
    winner, reason = _winner(sides)
    # Nobody may win by rule: both keep their value until a person decides.
    if winner is None:
        return FieldDecision(Verdict.CONFLICT, reason)
    # The winner's value may not cross in this direction: both stay.
    if (winner is Side.OURS and not sides.may_send) or (
        winner is Side.THEIRS and not sides.may_take
    ):
        return _left(Reason.DIRECTION)
    if winner is Side.OURS:
        return sides.send(reason, settled=True)
    return sides.take(reason, settled=True)


def _winner(sides: _Sides) -> tuple[Side | None, Reason]:
    match sides.facts.policy:
        case Policy.MANUAL:
            return None, Reason.MANUAL
        case Policy.OURS_WINS:
            return Side.OURS, Reason.POLICY_OURS
        case Policy.THEIRS_WINS:
            return Side.THEIRS, Reason.POLICY_THEIRS
        case Policy.PRIMARY_WINS if sides.inputs.primary is Primary.THEIRS_IS:
            return Side.THEIRS, Reason.POLICY_PRIMARY_THEIRS
        case Policy.PRIMARY_WINS if sides.inputs.primary is Primary.OURS_CAME_FROM:
            return Side.OURS, Reason.POLICY_PRIMARY_OURS
        case Policy.NEWEST_WINS | Policy.PRIMARY_WINS:
            return _newest(sides)


def _newest(sides: _Sides) -> tuple[Side | None, Reason]:
    # A one-way rule names the winner: the other side's edit could never cross anyway.
    if sides.facts.direction is Direction.FROM_CRM:
        return Side.THEIRS, Reason.ONE_WAY_THEIRS
    if sides.facts.direction is Direction.TO_CRM:
        return Side.OURS, Reason.ONE_WAY_OURS
    newest = newest_side(sides.inputs.times)
    if newest is Side.OURS:
        return newest, Reason.POLICY_NEWEST_OURS
    if newest is Side.THEIRS:
        return newest, Reason.POLICY_NEWEST_THEIRS
    return None, Reason.TOO_CLOSE


def newest_side(times: Times) -> Side | None:
    """Return the side that was surely edited later; None when the interval leaves it open or within
    5 s.
    """
    if times.ours_at is None or times.theirs_to is None:
        return None
    if times.ours_at > times.theirs_to + MARGIN:
        return Side.OURS
    if times.theirs_from is not None and times.ours_at < times.theirs_from - MARGIN:
        return Side.THEIRS
    return None
