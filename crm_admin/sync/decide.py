"""Decides one pair of records: which fields to take, send or leave, and the operations that say
so.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import RuleFailed
from crm_admin.providers.base import RemoteRecord
from crm_admin.records.values import ABSENT, Absent, is_blank
from crm_admin.sync.drafts import (
    PARKED,
    ConflictDraft,
    Decided,
    Draft,
    Pair,
    References,
    RuleUse,
    StreamFacts,
)
from crm_admin.sync.merge import (
    Base,
    Declined,
    FieldDecision,
    Inputs,
    Primary,
    Reason,
    Times,
    Verdict,
    Waiting,
    inputs_json,
    merge_field,
)
from crm_admin.sync.newcomers import Line, Newcomer, aim, end_of, lines_of, translate
from crm_admin.sync.states import Creates, LinkStatus, OperationAction, Side

NO_REFERENCES = References(record_of={}, remote_of={})
NO_BASE = object()


def decide(
    pair: Pair,
    stream: StreamFacts,
    references: References = NO_REFERENCES,
    *,
    newcomer: Newcomer | None = None,
    release: bool = False,
    planned: bool = True,
) -> Decided:
    """Return what this pair leads to under the stream's rules.

    With `release` the blanks that otherwise wait for the guard are part of the result. `newcomer`
    is the translation of a record of theirs alone, where it was made before; its create lists its
    fields only when it is `planned`, because a created record is its own journal.
    """
    if pair.ours is not None and pair.theirs is not None:
        return _both(pair, stream, references, release=release)
    if pair.theirs is not None:
        made = newcomer or translate(pair.theirs, stream.rules)
        return _only_theirs(pair, stream, made, references, planned=planned)
    if pair.ours is not None:
        return _only_ours(pair, stream, references)
    raise ValueError("A pair needs at least one side.")


def wire_value(use: RuleUse, theirs: RemoteRecord) -> Json | Absent:
    """Return what the CRM holds for a rule; ABSENT when it was not asked for or not returned."""
    other = use.rule.association
    if not other:
        return theirs.properties.get(use.rule.theirs, ABSENT)
    if other not in theirs.associations:
        return ABSENT
    ids = theirs.associations[other]
    return ids[0] if ids else None


def _ours_of(use: RuleUse, wire: Json, references: References) -> Json:
    other = use.rule.association
    if not other:
        return use.from_crm(wire)
    if wire is None or wire == "":
        return None
    return references.record_of.get((other, str(wire))) or f"{PARKED}{wire}"


def _theirs_of(use: RuleUse, value: Json, references: References) -> Json:
    other = use.rule.association
    if not other:
        return use.to_crm(value)
    if value is None:
        return None
    text = str(value)
    if text.startswith(PARKED):
        return text.removeprefix(PARKED)
    remote_id = references.remote_of.get((other, text))
    if remote_id is None:
        raise Waiting
    return remote_id


def _only_theirs(
    pair: Pair, stream: StreamFacts, made: Newcomer, references: References, *, planned: bool
) -> Decided:
    decided = Decided(pair)
    if not stream.takes or stream.creates not in {Creates.HERE, Creates.BOTH}:
        return decided
    required = next(((use, text) for use, text in made.failures if use.rule.required), None)
    if required is not None:
        decided.drafts.append(_left_out(*required))
        return decided
    aim(made, stream.rules, references)
    decided.take, decided.references = made.data, made.targets
    decided.base_ours, decided.base_theirs = made.base_ours, made.base_theirs
    decided.refused = [text for _, text in made.failures]
    fields: dict[str, list[Json]] = {
        line.ours: [None, value, Reason.THEIRS_CHANGED.value, line.rule_id]
        for line in (lines_of(stream.rules) if planned else ())
        if (value := made.base_ours.get(line.rule_id)) is not None
    }
    decided.drafts.append(
        Draft(
            Side.OURS,
            OperationAction.CREATE,
            fields=fields,
            reason_code="new_theirs",
            reason=_joined(decided.refused),
        )
    )
    return decided


def _left_out(use: RuleUse, sentence: str) -> Draft:
    return Draft(
        Side.OURS,
        OperationAction.SKIP,
        reason_code="required",
        reason=sentence,
        error_field=use.rule.ours,
    )


def _only_ours(pair: Pair, stream: StreamFacts, references: References) -> Decided:
    decided = Decided(pair)
    if not stream.sends or stream.creates not in {Creates.THERE, Creates.BOTH} or pair.here.deleted:
        return decided
    fields: dict[str, list[Json]] = {}
    for use in stream.rules:
        if use.rule.direction == "from_crm":
            continue
        held = _our_value(pair, use)
        value = use.rule.default if is_blank(held) else held
        if is_blank(value):
            if use.rule.required:
                return _skipped(
                    pair, use, f"{use.rule.ours} is empty and {use.rule.theirs} is required."
                )
            # Both begin blank, and agree on that: the next edit of either is a change.
            decided.sent[use.rule.id] = None
            continue
        try:
            wire = _theirs_of(use, value, references)
        except Waiting:
            decided.parked = True
            continue
        except RuleFailed as failed:
            if use.rule.required:
                return _skipped(pair, use, str(failed))
            decided.refused.append(str(failed))
            continue
        if use.rule.association:
            decided.associate[use.rule.association] = None if wire is None else str(wire)
        else:
            decided.send[use.rule.theirs] = wire
        # A default is theirs alone: were it our base, our blank would be sent as a change.
        decided.sent[use.rule.id] = held
        fields[use.rule.theirs] = [None, wire, Reason.OURS_CHANGED.value, use.rule.id]
    decided.drafts.append(
        Draft(
            Side.THEIRS,
            OperationAction.CREATE,
            fields=fields,
            reason_code="new_ours",
            reason=_joined(decided.refused),
        )
    )
    return decided


def _skipped(pair: Pair, use: RuleUse, text: str) -> Decided:
    draft = Draft(
        Side.THEIRS,
        OperationAction.SKIP,
        reason_code="required",
        reason=text,
        error_field=use.rule.ours,
    )
    return Decided(pair, drafts=[draft])


def _joined(sentences: list[str]) -> str:
    return " ".join(sentences)


def _our_value(pair: Pair, use: RuleUse) -> Json:
    if use.rule.association:
        return pair.here.references.get(use.rule.ours)
    return pair.here.data.get(use.rule.ours)


def _both(pair: Pair, stream: StreamFacts, references: References, *, release: bool) -> Decided:
    decided = Decided(pair)
    if pair.link is None:
        decided.drafts.append(
            Draft(Side.OURS, OperationAction.LINK, reason_code="matched", reason=pair.matched_by)
        )
    writes = _Writes(release=release)
    for line in _touched(pair, lines_of(stream.rules)):
        seen = _inputs(pair, stream, line.use)
        if seen is not None:
            _decide_rule(decided, writes, stream, line.use, seen, references)
    _close_conflicts(decided, writes)
    writes.into(decided)
    return decided


def _touched(pair: Pair, lines: Sequence[Line]) -> Sequence[Line]:
    """The rules whose sides do not stand exactly as they last agreed: few, of few records."""
    link, ours, theirs = pair.link, pair.here, pair.there
    if link is None:
        return lines
    found: list[Line] = []
    for line in lines:
        if line.other:
            here: object = ours.references.get(line.ours)
            there: object = end_of(line, theirs)
        else:
            here = ours.data.get(line.ours)
            there = theirs.properties.get(line.theirs, ABSENT)
        agreed = link.base_ours.get(line.rule_id, NO_BASE)
        if here != agreed or there != link.base_theirs.get(line.rule_id, NO_BASE):
            found.append(line)
    return found


def _inputs(pair: Pair, stream: StreamFacts, use: RuleUse) -> Inputs | None:
    theirs = wire_value(use, pair.there)
    if isinstance(theirs, Absent):
        return None
    link, rule_id = pair.link, use.rule.id
    base = None
    declined: tuple[Declined, ...] = ()
    if link is not None:
        if rule_id in link.base_ours and rule_id in link.base_theirs:
            base = Base(ours=link.base_ours[rule_id], theirs=link.base_theirs[rule_id])
        found = link.declined.get(rule_id)
        declined = (found,) if found is not None else ()
    return Inputs(
        ours=_our_value(pair, use),
        theirs=theirs,
        base=base,
        declined=declined,
        times=_times(pair, use),
        primary=_primary(pair, stream, use),
        chosen=stream.decisions.get(rule_id),
    )


def _primary(pair: Pair, stream: StreamFacts, use: RuleUse) -> Primary:
    if stream.primary:
        return Primary.THEIRS_IS
    came_from = pair.here.origin.get(use.rule.ours, {}).get("connection")
    return (
        Primary.OURS_CAME_FROM
        if came_from and came_from == stream.primary_connection
        else Primary.NEITHER
    )


def _times(pair: Pair, use: RuleUse) -> Times:
    """Our stamp is the field's own; theirs lies between our last read of the record and its
    modified stamp.
    """
    stamp = pair.here.origin.get(use.rule.ours, {}).get("at")
    ours_at = datetime.fromisoformat(str(stamp)) if stamp else pair.here.created_at
    offset = timedelta(seconds=pair.theirs_clock_offset)
    until = pair.there.updated_at - offset if pair.there.updated_at else None
    link = pair.link
    # An open conflict was there at our last look already, so that look bounds nothing.
    known = link is not None and use.rule.id not in link.conflicts
    seen = link.remote_updated_at if link is not None and known else None
    since = seen - offset if seen else None
    return Times(ours_at=ours_at, theirs_from=since, theirs_to=until)


class _Writes:
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


def _decide_rule(
    decided: Decided,
    writes: _Writes,
    stream: StreamFacts,
    use: RuleUse,
    seen: Inputs,
    references: References,
) -> None:
    rule = use.rule
    try:
        choice = merge_field(
            use.facts,
            seen,
            lambda value: _theirs_of(use, value, references),
            lambda wire: _ours_of(use, wire, references),
        )
    except Waiting:
        decided.parked = True
        return
    choice = _allowed(choice, stream)
    match choice.verdict:
        case Verdict.NOTHING:
            return
        case Verdict.AGREE:
            decided.base_ours[rule.id], decided.base_theirs[rule.id] = (
                _value(seen.ours),
                _value(seen.theirs),
            )
        case Verdict.TAKE:
            _take(decided, writes, use, seen, choice)
        case Verdict.SEND:
            _send(decided, writes, use, seen, choice)
        case Verdict.CONFLICT:
            _conflict(decided, writes, use, seen, choice)
        case Verdict.ASK:
            decided.asked += 1
            values = [_value(seen.ours), _value(seen.theirs), choice.reason.value, rule.id]
            writes.add(
                (Side.OURS, OperationAction.AGREE, False),
                rule.ours,
                values,
                rule.id,
                inputs_json(use.facts, seen),
            )
        case Verdict.REFUSE:
            decided.refused.append(choice.error)
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


def _take(
    decided: Decided, writes: _Writes, use: RuleUse, seen: Inputs, choice: FieldDecision
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
    decided: Decided, writes: _Writes, use: RuleUse, seen: Inputs, choice: FieldDecision
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
    decided: Decided, writes: _Writes, use: RuleUse, seen: Inputs, choice: FieldDecision
) -> None:
    decided.conflicts.append(_collision(use, seen, settled=False))
    writes.seen.add(use.rule.id)
    link = decided.pair.link
    if link is not None and use.rule.id in link.conflicts:
        return
    values = [_value(seen.ours), _value(seen.theirs), choice.reason.value, use.rule.id]
    key = (Side.OURS, OperationAction.CONFLICT, False)
    writes.add(key, use.rule.ours, values, use.rule.id, inputs_json(use.facts, seen))


def _close_conflicts(decided: Decided, writes: _Writes) -> None:
    link = decided.pair.link
    if link is not None and link.status is LinkStatus.LINKED:
        decided.closed_conflicts = sorted(link.conflicts - writes.seen)
