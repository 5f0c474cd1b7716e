"""What the decisions about a pair's fields lead to: values to take, to send, or to keep."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from crm_admin.jsontypes import Json
from crm_admin.records.values import Absent, is_blank
from crm_admin.sync.crossing import ours_of, theirs_of
from crm_admin.sync.drafts import ConflictDraft, Decided, Draft, References, RuleUse, StreamFacts
from crm_admin.sync.merge import (
    FieldDecision,
    Inputs,
    Reason,
    Verdict,
    Waiting,
    inputs_json,
    merge_field,
)
from crm_admin.sync.states import LinkStatus, OperationAction, Side


class Writes:
    """Collects the fields of the drafts of one pair while its rules are decided."""

    def __init__(self, *, release: bool) -> None:
        self.release = release
        self.open: set[str] = set()
        self.seen: set[str] = set()
        self.fields: dict[tuple[Side, OperationAction, bool], dict[str, list[Json]]] = {}
        self.inputs: dict[tuple[Side, OperationAction, bool], dict[str, Json]] = {}

    def add(
        self,
        key: tuple[Side, OperationAction, bool],
        name: str,
        values: list[Json],
        rule_id: str,
        inputs: Json,
    ) -> None:
        self.fields.setdefault(key, {})[name] = values
        self.inputs.setdefault(key, {})[rule_id] = inputs

    def into(self, decided: Decided) -> None:
        for (side, action, withheld), fields in self.fields.items():
            decided.drafts.append(
                Draft(
                    side,
                    action,
                    fields=fields,
                    inputs=self.inputs[side, action, withheld],
                    reason_code=str(next(iter(fields.values()))[2]),
                    withheld=withheld,
                )
            )


def decide_rule(
    decided: Decided,
    writes: Writes,
    stream: StreamFacts,
    use: RuleUse,
    seen: Inputs,
    references: References,
) -> None:
    """Decide one rule and add what it leads to; nothing is added where both sides stay."""
    if use.facts.rewrite is not None and not decided.rewriting:
        use = replace(use, facts=replace(use.facts, rewrite=None))
    try:
        choice = merge_field(
            use.facts,
            seen,
            lambda value: theirs_of(use, value, references),
            lambda wire: ours_of(use, wire, references),
        )
    except Waiting:
        decided.parked = True
        return
    choice = _allowed(choice, stream)
    step = STEPS.get(choice.verdict)
    if step is not None:
        step(decided, writes, use, seen, choice)
    if choice.settled:
        decided.conflicts.append(_collision(use, seen, settled=True))


def _allowed(choice: FieldDecision, stream: StreamFacts) -> FieldDecision:
    """A stream that only goes one way never writes the other way, whatever the rule would allow."""
    stopped = (choice.verdict is Verdict.SEND and not stream.sends) or (
        choice.verdict is Verdict.TAKE and not stream.takes
    )
    return (
        replace(choice, verdict=Verdict.NOTHING, reason=Reason.DIRECTION, settled=False)
        if stopped
        else choice
    )


def _value(value: Json | Absent) -> Json:
    return None if isinstance(value, Absent) else value


def _agree(
    decided: Decided, _writes: Writes, use: RuleUse, seen: Inputs, _choice: FieldDecision
) -> None:
    decided.base_ours[use.rule.id] = _value(seen.ours)
    decided.base_theirs[use.rule.id] = _value(seen.theirs)


def _ask(
    decided: Decided, writes: Writes, use: RuleUse, seen: Inputs, choice: FieldDecision
) -> None:
    decided.asked += 1
    values = [_value(seen.ours), _value(seen.theirs), choice.reason.value, use.rule.id]
    key = (Side.OURS, OperationAction.AGREE, False)
    writes.add(key, use.rule.ours, values, use.rule.id, inputs_json(use.facts, seen))


def _refuse(
    decided: Decided, _writes: Writes, _use: RuleUse, _seen: Inputs, choice: FieldDecision
) -> None:
    decided.refused.append(choice.error)


def _take(
    decided: Decided, writes: Writes, use: RuleUse, seen: Inputs, choice: FieldDecision
) -> None:
    after = _value(choice.ours_after)
    withheld = is_blank(after) and not is_blank(_value(seen.ours)) and not writes.release
    values = [_value(seen.ours), after, choice.reason.value, use.rule.id]
    key = (Side.OURS, OperationAction.UPDATE, withheld)
    writes.add(key, use.rule.ours, values, use.rule.id, inputs_json(use.facts, seen))
    if withheld:
        return
    if use.rule.association:
        decided.references[use.rule.ours] = None if after is None else str(after)
    else:
        decided.take[use.rule.ours] = after
    decided.base_ours[use.rule.id], decided.base_theirs[use.rule.id] = after, _value(seen.theirs)


def _send(
    decided: Decided, writes: Writes, use: RuleUse, seen: Inputs, choice: FieldDecision
) -> None:
    after = _value(choice.theirs_after)
    withheld = is_blank(after) and not is_blank(_value(seen.theirs)) and not writes.release
    values = [_value(seen.theirs), after, choice.reason.value, use.rule.id]
    key = (Side.THEIRS, OperationAction.UPDATE, withheld)
    writes.add(key, use.rule.theirs, values, use.rule.id, inputs_json(use.facts, seen))
    if withheld:
        return
    if use.rule.association:
        decided.associate[use.rule.association] = None if after is None else str(after)
    else:
        decided.send[use.rule.theirs] = after
    decided.sent[use.rule.id] = _value(seen.ours)


def _collision(use: RuleUse, seen: Inputs, *, settled: bool) -> ConflictDraft:
    return ConflictDraft(
        rule_id=use.rule.id,
        field=use.rule.ours,
        base=None
        if seen.base is None
        else {"ours": _value(seen.base.ours), "theirs": _value(seen.base.theirs)},
        ours=_value(seen.ours),
        theirs=_value(seen.theirs),
        settled=settled,
    )


def _conflict(
    decided: Decided, writes: Writes, use: RuleUse, seen: Inputs, choice: FieldDecision
) -> None:
    decided.conflicts.append(_collision(use, seen, settled=False))
    writes.seen.add(use.rule.id)
    link = decided.pair.link
    if link is not None and use.rule.id in link.conflicts:
        return
    values = [_value(seen.ours), _value(seen.theirs), choice.reason.value, use.rule.id]
    key = (Side.OURS, OperationAction.CONFLICT, False)
    writes.add(key, use.rule.ours, values, use.rule.id, inputs_json(use.facts, seen))


Step = Callable[[Decided, Writes, RuleUse, Inputs, FieldDecision], None]

STEPS: Mapping[Verdict, Step] = {
    Verdict.AGREE: _agree,
    Verdict.TAKE: _take,
    Verdict.SEND: _send,
    Verdict.CONFLICT: _conflict,
    Verdict.ASK: _ask,
    Verdict.REFUSE: _refuse,
}


def close_conflicts(decided: Decided, writes: Writes) -> None:
    """Name the open conflicts whose sides have come to agree."""
    link = decided.pair.link
    if link is not None and link.status is LinkStatus.LINKED:
        decided.closed_conflicts = sorted(link.conflicts - writes.seen)
