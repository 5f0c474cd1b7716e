"""Every rule of merging one field, as a table of cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import RuleFailed
from crm_admin.mapping.rules import Direction, FirstAgreement, Policy
from crm_admin.records.values import ABSENT, Absent
from crm_admin.sync.merge import (
    Base,
    FieldDecision,
    Inputs,
    Primary,
    Reason,
    Rewrite,
    RuleFacts,
    Times,
    Verdict,
    Waiting,
    merge_field,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FACTS = RuleFacts("r1", Direction.BOTH, Policy.NEWEST_WINS, FirstAgreement.ASK, required=False)
TAKE_ONLY = replace(FACTS, direction=Direction.FROM_CRM)
SEND_ONLY = replace(FACTS, direction=Direction.TO_CRM)
NUMBER = replace(FACTS, wire_type="decimal")
BASE = Base("a", "a")
OURS_NEWER = Times(NOON + timedelta(minutes=1), NOON - timedelta(minutes=1), NOON)
THEIRS_NEWER = Times(NOON - timedelta(minutes=2), NOON - timedelta(minutes=1), NOON)
OVERLAP = Times(NOON - timedelta(seconds=30), NOON - timedelta(minutes=1), NOON)


def to_crm(value: Json) -> Json:
    if value == "cannot go":
        raise RuleFailed("r1", "value_table", value, "It is not in the table.")
    if value == "later":
        raise Waiting
    return "" if value in (None, "") else value


def from_crm(wire: Json) -> Json:
    if wire == "cannot come":
        raise RuleFailed("r1", "value_table", wire, "It is not in the table.")
    return None if wire in (None, "") else wire


def decide(facts: RuleFacts, inputs: Inputs) -> FieldDecision:
    return merge_field(facts, inputs, to_crm, from_crm)


def seen(
    ours: Json | Absent,
    theirs: Json | Absent,
    base: Base | None = BASE,
    times: Times | None = None,
    primary: Primary = Primary.NEITHER,
    chosen: FirstAgreement | None = None,
) -> Inputs:
    return Inputs(ours, theirs, base, times=times or Times(), primary=primary, chosen=chosen)


def by_policy(policy: Policy, direction: Direction = Direction.BOTH) -> RuleFacts:
    return replace(FACTS, policy=policy, direction=direction)


CASES = {
    "nobody changed it": (FACTS, seen("a", "a"), Verdict.NOTHING, Reason.UNCHANGED),
    "the blanks of both sides are one": (
        FACTS,
        seen(None, "", Base("", None)),
        Verdict.NOTHING,
        Reason.UNCHANGED,
    ),
    "a number in another spelling is unchanged": (
        NUMBER,
        seen("10", "10.00", Base("10", "10")),
        Verdict.NOTHING,
        Reason.UNCHANGED,
    ),
    "a text that looks like a number is a text": (
        FACTS,
        seen("007", "7", Base("007", "007")),
        Verdict.TAKE,
        Reason.THEIRS_CHANGED,
    ),
    "we changed it": (FACTS, seen("b", "a"), Verdict.SEND, Reason.OURS_CHANGED),
    "they changed it": (FACTS, seen("a", "b"), Verdict.TAKE, Reason.THEIRS_CHANGED),
    "we blanked it": (FACTS, seen(None, "a"), Verdict.SEND, Reason.OURS_CHANGED),
    "they blanked it": (FACTS, seen("a", None), Verdict.TAKE, Reason.THEIRS_CHANGED),
    "both changed it to the same": (FACTS, seen("b", "b"), Verdict.AGREE, Reason.BOTH_AGREE),
    "both blanked it": (FACTS, seen(None, ""), Verdict.AGREE, Reason.BOTH_AGREE),
    "our change meets what they have": (
        FACTS,
        seen("x", "x", Base("y", "x")),
        Verdict.AGREE,
        Reason.BOTH_AGREE,
    ),
    "their change meets what we have": (
        FACTS,
        seen("x", "x", Base("x", "y")),
        Verdict.AGREE,
        Reason.BOTH_AGREE,
    ),
    "their blanks at the end say the same": (
        FACTS,
        seen("a", "a "),
        Verdict.AGREE,
        Reason.BOTH_AGREE,
    ),
    "theirs was not returned": (FACTS, seen("b", ABSENT), Verdict.NOTHING, Reason.NOT_READ),
    "ours is not known": (FACTS, seen(ABSENT, "b"), Verdict.NOTHING, Reason.NOT_READ),
    # Directions.
    "a rule that only takes leaves our change": (
        TAKE_ONLY,
        seen("b", "a"),
        Verdict.NOTHING,
        Reason.DIRECTION,
    ),
    "a rule that only sends leaves their change": (
        SEND_ONLY,
        seen("a", "b"),
        Verdict.NOTHING,
        Reason.DIRECTION,
    ),
    "a rule that only takes takes": (
        TAKE_ONLY,
        seen("a", "b"),
        Verdict.TAKE,
        Reason.THEIRS_CHANGED,
    ),
    "a rule that only sends sends": (SEND_ONLY, seen("b", "a"), Verdict.SEND, Reason.OURS_CHANGED),
    "a rule that only takes settles a collision for them": (
        TAKE_ONLY,
        seen("b", "c"),
        Verdict.TAKE,
        Reason.ONE_WAY_THEIRS,
    ),
    "a rule that only sends settles a collision for us": (
        SEND_ONLY,
        seen("b", "c"),
        Verdict.SEND,
        Reason.ONE_WAY_OURS,
    ),
    "a one-way rule left to a person stays with one": (
        by_policy(Policy.MANUAL, Direction.FROM_CRM),
        seen("b", "c"),
        Verdict.CONFLICT,
        Reason.MANUAL,
    ),
    "ours wins and may not be sent": (
        by_policy(Policy.OURS_WINS, Direction.FROM_CRM),
        seen("b", "c"),
        Verdict.NOTHING,
        Reason.DIRECTION,
    ),
    "theirs wins and may not be taken": (
        by_policy(Policy.THEIRS_WINS, Direction.TO_CRM),
        seen("b", "c"),
        Verdict.NOTHING,
        Reason.DIRECTION,
    ),
    # Collisions.
    "ours wins": (by_policy(Policy.OURS_WINS), seen("b", "c"), Verdict.SEND, Reason.POLICY_OURS),
    "theirs wins": (
        by_policy(Policy.THEIRS_WINS),
        seen("b", "c"),
        Verdict.TAKE,
        Reason.POLICY_THEIRS,
    ),
    "left to a person": (by_policy(Policy.MANUAL), seen("b", "c"), Verdict.CONFLICT, Reason.MANUAL),
    "newest and we were later": (
        FACTS,
        seen("b", "c", times=OURS_NEWER),
        Verdict.SEND,
        Reason.POLICY_NEWEST_OURS,
    ),
    "newest and they were later": (
        FACTS,
        seen("b", "c", times=THEIRS_NEWER),
        Verdict.TAKE,
        Reason.POLICY_NEWEST_THEIRS,
    ),
    "newest and the times overlap": (
        FACTS,
        seen("b", "c", times=OVERLAP),
        Verdict.CONFLICT,
        Reason.TOO_CLOSE,
    ),
    "newest and no times are known": (FACTS, seen("b", "c"), Verdict.CONFLICT, Reason.TOO_CLOSE),
    "they are the primary": (
        by_policy(Policy.PRIMARY_WINS),
        seen("b", "c", primary=Primary.THEIRS_IS),
        Verdict.TAKE,
        Reason.POLICY_PRIMARY_THEIRS,
    ),
    "ours came from the primary": (
        by_policy(Policy.PRIMARY_WINS),
        seen("b", "c", primary=Primary.OURS_CAME_FROM),
        Verdict.SEND,
        Reason.POLICY_PRIMARY_OURS,
    ),
    "neither is the primary, so the newest": (
        by_policy(Policy.PRIMARY_WINS),
        seen("b", "c", times=OURS_NEWER),
        Verdict.SEND,
        Reason.POLICY_NEWEST_OURS,
    ),
    "a decision about first agreements settles no collision": (
        by_policy(Policy.MANUAL),
        seen("b", "c", chosen=FirstAgreement.OURS),
        Verdict.CONFLICT,
        Reason.MANUAL,
    ),
    # First agreements.
    "first and equal": (FACTS, seen("a", "a", None), Verdict.AGREE, Reason.BOTH_AGREE),
    "first and both blank": (FACTS, seen(None, "", None), Verdict.AGREE, Reason.BOTH_AGREE),
    "first and ours is blank": (FACTS, seen(None, "b", None), Verdict.TAKE, Reason.FILLED_OURS),
    "first and theirs is blank": (FACTS, seen("b", None, None), Verdict.SEND, Reason.FILLED_THEIRS),
    "first, ours blank, only sends": (
        SEND_ONLY,
        seen(None, "b", None),
        Verdict.AGREE,
        Reason.DIRECTION,
    ),
    "first, theirs blank, only takes": (
        TAKE_ONLY,
        seen("b", "", None),
        Verdict.AGREE,
        Reason.DIRECTION,
    ),
    "first and different asks": (FACTS, seen("b", "c", None), Verdict.ASK, Reason.FIRST_ASK),
    "first and a person chose ours": (
        FACTS,
        seen("b", "c", None, chosen=FirstAgreement.OURS),
        Verdict.SEND,
        Reason.FIRST_OURS,
    ),
    "first and a person chose theirs": (
        FACTS,
        seen("b", "c", None, chosen=FirstAgreement.THEIRS),
        Verdict.TAKE,
        Reason.FIRST_THEIRS,
    ),
    "first and the rule says ours": (
        replace(FACTS, first_agreement=FirstAgreement.OURS),
        seen("b", "c", None),
        Verdict.SEND,
        Reason.FIRST_OURS,
    ),
    "a person's choice outdoes the rule": (
        replace(FACTS, first_agreement=FirstAgreement.OURS),
        seen("b", "c", None, chosen=FirstAgreement.THEIRS),
        Verdict.TAKE,
        Reason.FIRST_THEIRS,
    ),
    "first, newest, ours later": (
        FACTS,
        seen("b", "c", None, OURS_NEWER, chosen=FirstAgreement.NEWEST),
        Verdict.SEND,
        Reason.FIRST_NEWEST,
    ),
    "first, newest, theirs later": (
        FACTS,
        seen("b", "c", None, THEIRS_NEWER, chosen=FirstAgreement.NEWEST),
        Verdict.TAKE,
        Reason.FIRST_NEWEST,
    ),
    "first, newest, nobody can tell": (
        FACTS,
        seen("b", "c", None, OVERLAP, chosen=FirstAgreement.NEWEST),
        Verdict.ASK,
        Reason.TOO_CLOSE,
    ),
    "first, ours chosen, only takes": (
        TAKE_ONLY,
        seen("b", "c", None, chosen=FirstAgreement.OURS),
        Verdict.AGREE,
        Reason.DIRECTION,
    ),
    "first, theirs chosen, only sends": (
        SEND_ONLY,
        seen("b", "c", None, chosen=FirstAgreement.THEIRS),
        Verdict.AGREE,
        Reason.DIRECTION,
    ),
    "first, newest is ours, only takes": (
        TAKE_ONLY,
        seen("b", "c", None, OURS_NEWER, chosen=FirstAgreement.NEWEST),
        Verdict.AGREE,
        Reason.DIRECTION,
    ),
    "a base of one side is no base": (
        FACTS,
        seen("b", "c", Base("b", ABSENT)),
        Verdict.ASK,
        Reason.FIRST_ASK,
    ),
    # Values that cannot cross.
    "ours cannot be sent": (FACTS, seen("cannot go", "a"), Verdict.REFUSE, Reason.RULE_FAILED),
    "theirs cannot be taken": (FACTS, seen("a", "cannot come"), Verdict.REFUSE, Reason.RULE_FAILED),
    "a value that cannot cross is no trouble while nothing changed": (
        FACTS,
        seen("cannot go", "cannot come", Base("cannot go", "cannot come")),
        Verdict.NOTHING,
        Reason.UNCHANGED,
    ),
    "the winner of a collision cannot cross": (
        by_policy(Policy.OURS_WINS),
        seen("cannot go", "b"),
        Verdict.REFUSE,
        Reason.RULE_FAILED,
    ),
    "the loser of a collision need not cross": (
        by_policy(Policy.THEIRS_WINS),
        seen("cannot go", "b"),
        Verdict.TAKE,
        Reason.POLICY_THEIRS,
    ),
    "a value of ours that waits does not keep theirs out": (
        FACTS,
        seen("later", "b", Base("later", "a")),
        Verdict.TAKE,
        Reason.THEIRS_CHANGED,
    ),
    # Required fields.
    "our blank of a required field": (
        replace(FACTS, required=True),
        seen(None, "a"),
        Verdict.REFUSE,
        Reason.REQUIRED_BLANK,
    ),
    "their blank of a required field": (
        replace(FACTS, required=True),
        seen("a", ""),
        Verdict.REFUSE,
        Reason.REQUIRED_BLANK,
    ),
    # A changed mapping.
    "a changed rule writes theirs anew": (
        replace(FACTS, rewrite=Rewrite.THEIRS),
        seen("A", "a", Base("A", "a")),
        Verdict.SEND,
        Reason.MAPPING_CHANGED,
    ),
    "a changed rule writes ours anew": (
        replace(FACTS, rewrite=Rewrite.OURS),
        seen("A", "a", Base("A", "a")),
        Verdict.TAKE,
        Reason.MAPPING_CHANGED,
    ),
    "a changed rule leaves what it would not change": (
        replace(FACTS, rewrite=Rewrite.THEIRS),
        seen("a", "a"),
        Verdict.NOTHING,
        Reason.UNCHANGED,
    ),
    "a changed rule leaves ours where it would not change": (
        replace(FACTS, rewrite=Rewrite.OURS),
        seen("a", "a"),
        Verdict.NOTHING,
        Reason.UNCHANGED,
    ),
    "a changed rule that only takes rewrites nothing of theirs": (
        replace(TAKE_ONLY, rewrite=Rewrite.THEIRS),
        seen("A", "a", Base("A", "a")),
        Verdict.NOTHING,
        Reason.DIRECTION,
    ),
    "a real edit outdoes the rewriting": (
        replace(FACTS, rewrite=Rewrite.THEIRS),
        seen("a", "b"),
        Verdict.TAKE,
        Reason.THEIRS_CHANGED,
    ),
}
