"""Decides one pair of records: which fields to take, send or leave, and the operations that say
so.
"""

from collections.abc import Sequence

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import RuleFailed
from crm_admin.records.values import ABSENT, is_blank
from crm_admin.sync.crossing import inputs_of, our_value, theirs_of
from crm_admin.sync.drafts import (
    Decided,
    Draft,
    Pair,
    References,
    RuleUse,
    StreamFacts,
)
from crm_admin.sync.fields import Writes, close_conflicts, decide_rule
from crm_admin.sync.merge import (
    Reason,
    Waiting,
)
from crm_admin.sync.newcomers import (
    Line,
    Newcomer,
    aim,
    end_of,
    lines_of,
    takes_newcomers,
    translate,
)
from crm_admin.sync.states import Creates, OperationAction, Side

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


def _only_theirs(
    pair: Pair, stream: StreamFacts, made: Newcomer, references: References, *, planned: bool
) -> Decided:
    decided = Decided(pair)
    if not takes_newcomers(stream):
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
        failure = _give(decided, fields, use, references)
        if failure and use.rule.required:
            return _skipped(pair, use, failure)
        if failure:
            decided.refused.append(failure)
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


def _give(
    decided: Decided, fields: dict[str, list[Json]], use: RuleUse, references: References
) -> str:
    """Add one field of a record to be created there; return why it cannot be, or nothing."""
    held = our_value(decided.pair, use)
    value = use.rule.default if is_blank(held) else held
    if is_blank(value):
        # Both begin blank, and agree on that: the next edit of either is a change.
        decided.sent[use.rule.id] = None
        return (
            f"{use.rule.ours} is empty in CRM Admin, and {use.rule.theirs} is required there."
            * use.rule.required
        )
    try:
        wire = theirs_of(use, value, references)
    except Waiting:
        decided.parked = True
        return ""
    except RuleFailed as failed:
        return str(failed)
    if use.rule.association:
        decided.associate[use.rule.association] = None if wire is None else str(wire)
    else:
        decided.send[use.rule.theirs] = wire
    # A default is theirs alone: were it our base, our blank would be sent as a change.
    decided.sent[use.rule.id] = held
    fields[use.rule.theirs] = [None, wire, Reason.OURS_CHANGED.value, use.rule.id]
    return ""


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


def _both(pair: Pair, stream: StreamFacts, references: References, *, release: bool) -> Decided:
    decided = Decided(pair)
    if pair.link is None:
        decided.drafts.append(
            Draft(Side.OURS, OperationAction.LINK, reason_code="matched", reason=pair.matched_by)
        )
    writes = Writes(release=release)
    decided.rewriting = _is_older(pair, stream)
    for line in _touched(pair, lines_of(stream.rules), rewriting=decided.rewriting):
        seen = inputs_of(pair, stream, line.use)
        if seen is not None:
            decide_rule(decided, writes, stream, line.use, seen, references)
    close_conflicts(decided, writes)
    writes.into(decided)
    return decided


def _is_older(pair: Pair, stream: StreamFacts) -> bool:
    """Whether the link was last agreed on under an older mapping than the stream has now."""
    known = pair.link.mapping_version if pair.link is not None else None
    return known is not None and known < stream.version


def _touched(pair: Pair, lines: Sequence[Line], *, rewriting: bool) -> Sequence[Line]:
    """The rules whose sides do not stand exactly as they last agreed: few, of few records. Those
    that are to be written anew come along once.
    """
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
        anew = rewriting and line.use.facts.rewrite is not None
        if anew or here != agreed or there != link.base_theirs.get(line.rule_id, NO_BASE):
            found.append(line)
    return found
