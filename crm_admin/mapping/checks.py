"""What is wrong with a mapping before anybody runs it, each finding with its fix."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.cycles import find_cycles
from crm_admin.mapping.engine import CompiledRule, RuleFailed, compile_rules
from crm_admin.mapping.rules import Direction, FieldRule
from crm_admin.mapping.transformers.shape import Convert
from crm_admin.mapping.wire import same_wire, wire_type
from crm_admin.providers.base import RemoteField
from crm_admin.records.kinds import FieldType, RecordKind
from crm_admin.records.values import is_blank

MOST_SHOWN: Final = 5
LONGEST_SHOWN: Final = 40


class Level(StrEnum):
    """ERROR keeps a mapping from being published; WARNING and NOTE do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """`rule_id` is empty when the finding is about the mapping as a whole."""

    rule_id: str
    level: Level
    sentence: str
    fix: str = ""


class Fit(StrEnum):
    """How well values of one type live in a field of another."""

    ALLOWED = "allowed"
    LOSSY = "lossy"
    IMPOSSIBLE = "impossible"


T = FieldType
TEXTS: Final = frozenset({T.STRING, T.TEXT})
WORDS: Final = frozenset({T.EMAIL, T.PHONE, T.URL, T.ENUM})
PLAIN: Final = frozenset({T.INTEGER, T.DECIMAL})
TIMES: Final = frozenset({T.DATE, T.DATETIME})
LISTS: Final = frozenset({T.MULTI_ENUM, T.ARRAY})


def fit(ours: FieldType, theirs: FieldType) -> Fit:
    """Return how a pair of types fits without a step that makes the type; the same both ways."""
    pair = {ours, theirs}
    if len(pair) == 1:
        # Money needs to know its currency, and a reference is no value.
        return Fit.IMPOSSIBLE if pair & {T.MONEY, T.REFERENCE} else Fit.ALLOWED
    if pair & {T.MONEY, T.REFERENCE}:
        return Fit.IMPOSSIBLE
    if pair == TEXTS or (pair & TEXTS and pair & WORDS):
        return Fit.ALLOWED
    if pair in (PLAIN, TIMES):
        return Fit.LOSSY
    if pair & TEXTS or pair == LISTS or (pair & LISTS and T.ENUM in pair):
        return Fit.LOSSY
    if pair == {T.BOOLEAN, T.ENUM} or (pair & PLAIN and T.ENUM in pair):
        return Fit.LOSSY
    return Fit.IMPOSSIBLE


def check_mapping(
    rules: Sequence[FieldRule],
    kind: RecordKind,
    remote: Sequence[RemoteField],
    samples: Mapping[str, Sequence[Json]] | None = None,
) -> list[Finding]:
    """Return everything found in a mapping, rule by rule and then as a whole.

    `samples` holds real values of the CRM by rule; they cross and come back.
    """
    described = {one.name: one for one in remote}
    compiled = compile_rules(rules, kind, {one.name: one.type for one in remote})
    found: list[Finding] = []
    for one in compiled.rules:
        found += _rule_findings(one, kind, described)
        if not one.broken:
            found += _round_trip(one, (samples or {}).get(one.rule.id, ()))
    found += _doubles(rules)
    found += _required_missing(rules, kind, remote)
    found += _cycles(rules)
    return found


def _takes(rule: FieldRule) -> bool:
    return rule.direction is not Direction.TO_CRM


def _sends(rule: FieldRule) -> bool:
    return rule.direction is not Direction.FROM_CRM


def _rule_findings(
    one: CompiledRule, kind: RecordKind, described: Mapping[str, RemoteField]
) -> Iterator[Finding]:
    rule = one.rule
    if one.broken:
        fix = "Choose a field of this kind." if "no field" in one.broken else "Correct the step."
        yield Finding(rule.id, Level.ERROR, one.broken, fix)
        return
    if rule.association:
        if kind.field(rule.ours).type is not T.REFERENCE:
            yield Finding(
                rule.id,
                Level.ERROR,
                f"{rule.ours} is not a reference and cannot hold an association.",
                "Choose a reference, or a plain field of the CRM.",
            )
        return
    theirs = described.get(rule.theirs)
    if theirs is None:
        yield Finding(
            rule.id,
            Level.ERROR,
            f"The CRM has no field {rule.theirs}.",
            "Choose another field, or read the fields anew.",
        )
        return
    if theirs.read_only and _sends(rule):
        yield Finding(
            rule.id,
            Level.ERROR,
            f"The CRM does not let anybody write {rule.theirs}.",
            "Let the rule only read.",
        )
    yield from _type_findings(one, kind)
    yield from _option_findings(one, kind, theirs)


def _type_findings(one: CompiledRule, kind: RecordKind) -> Iterator[Finding]:
    if any(transformer.typed for _, transformer in one.chain):
        return
    ours = kind.field(one.rule.ours).type
    match fit(ours, one.wire):
        case Fit.IMPOSSIBLE:
            yield Finding(
                one.rule.id,
                Level.ERROR,
                f"A {ours.value} of ours cannot hold a {one.wire.value} of the CRM.",
                "Add the money step." if ours is T.MONEY else "Add a step that converts it.",
            )
        case Fit.LOSSY:
            yield Finding(
                one.rule.id,
                Level.NOTE,
                f"Not every {one.wire.value} of the CRM fits a {ours.value} of ours unchanged.",
            )
        case Fit.ALLOWED:
            return


def _option_findings(one: CompiledRule, kind: RecordKind, theirs: RemoteField) -> Iterator[Finding]:
    """Options without a counterpart fail one record at a time, long after the mapping was made."""
    ours = kind.field(one.rule.ours)
    if not ours.options or not theirs.options:
        return
    if _takes(one.rule):
        lost = [option.label for option in theirs.options if _fails(one.from_crm, option.value)]
        if lost:
            sentence = f"{_listed(lost)} of the CRM mean nothing in {ours.label}."
            yield Finding(one.rule.id, Level.WARNING, sentence, "Add them to the value table.")
    if _sends(one.rule):
        known = {option.value for option in theirs.options}
        lost = [option.label for option in ours.options if not _lands(one, option.code, known)]
        if lost:
            sentence = f"{_listed(lost)} of {ours.label} are no options of the CRM."
            yield Finding(one.rule.id, Level.WARNING, sentence, "Add them to the value table.")


def _fails(convert: Convert, value: Json) -> bool:
    try:
        convert(value)
    except RuleFailed:
        return True
    return False


def _lands(one: CompiledRule, code: str, known: set[str]) -> bool:
    try:
        return one.to_crm(code) in known
    except RuleFailed:
        return False


def _round_trip(one: CompiledRule, samples: Sequence[Json]) -> Iterator[Finding]:
    failed: list[str] = []
    changed: list[str] = []
    for wire in samples:
        if is_blank(wire):
            continue
        try:
            ours = one.from_crm(wire) if _takes(one.rule) else None
            back = one.to_crm(ours) if _takes(one.rule) and _sends(one.rule) else wire
        except RuleFailed as error:
            failed.append(f"{_shown(wire)} ({error.reason})")
            continue
        if not same_wire(one.wire.value, back, wire):
            changed.append(f"{_shown(wire)} as {_shown(back)}")
    of = f"of {len(samples):,} samples"
    if failed:
        sentence = f"{len(failed):,} {of} cannot cross: {_listed(failed)}."
        yield Finding(one.rule.id, Level.WARNING, sentence, "Add or change a step.")
    if changed:
        sentence = f"{len(changed):,} {of} come back changed: {_listed(changed)}."
        fix = "Each is written at most once per edit. Let the rule only read to leave theirs alone."
        yield Finding(one.rule.id, Level.WARNING, sentence, fix)


def _shown(value: Json) -> str:
    text = value if isinstance(value, str) else repr(value)
    return f"“{text[:LONGEST_SHOWN]}…”" if len(text) > LONGEST_SHOWN else f"“{text}”"


def _listed(parts: Sequence[str]) -> str:
    shown = ", ".join(parts[:MOST_SHOWN])
    return shown if len(parts) <= MOST_SHOWN else f"{shown} and {len(parts) - MOST_SHOWN:,} more"


def _doubles(rules: Sequence[FieldRule]) -> Iterator[Finding]:
    """Two rules that write one field would undo each other in every run."""
    writers: dict[tuple[str, str], list[FieldRule]] = defaultdict(list)
    for rule in rules:
        if _takes(rule):
            writers["ours", rule.ours].append(rule)
        if _sends(rule):
            writers["theirs", rule.theirs].append(rule)
    for (side, name), several in writers.items():
        owner = "ours" if side == "ours" else "the CRM"
        for rule in several[1:]:
            yield Finding(
                rule.id,
                Level.ERROR,
                f"The rules {several[0].id} and {rule.id} both write the field {name} of {owner}.",
                "Take one of them away, or let it go the other way only.",
            )


def _required_missing(
    rules: Sequence[FieldRule], kind: RecordKind, remote: Sequence[RemoteField]
) -> Iterator[Finding]:
    taken = {rule.ours for rule in rules if _takes(rule)}
    sent = {rule.theirs for rule in rules if _sends(rule)}
    takes_any, sends_any = bool(taken), bool(sent)
    for field in kind.fields:
        if takes_any and field.required and field.name not in taken:
            yield Finding(
                "",
                Level.WARNING,
                f"{field.label} is required here and no rule fills it.",
                "Add a rule, or let this stream create nothing here.",
            )
    for other in remote:
        if sends_any and other.required and not other.read_only and other.name not in sent:
            yield Finding(
                "",
                Level.WARNING,
                f"{other.label} is required by the CRM and no rule fills it.",
                "Add a rule with a default, or let this stream create nothing there.",
            )


def _cycles(rules: Sequence[FieldRule]) -> Iterator[Finding]:
    for cycle in find_cycles(rules):
        yield Finding(
            cycle.rule_id,
            Level.ERROR,
            f"A value goes round: {' → '.join(cycle.path)}.",
            "Take one of these rules away, or let it go one way only.",
        )


def wire_types(remote: Sequence[RemoteField]) -> dict[str, str]:
    """Return the described types by field, as the engine takes them; unknown types count as
    text.
    """
    return {one.name: wire_type(one.type).value for one in remote}
