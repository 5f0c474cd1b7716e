"""Makes a mapping ready to run: one pair of functions per rule, and the trace that explains a
value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.rules import Direction, FieldRule
from crm_admin.mapping.transformers.registry import build
from crm_admin.mapping.transformers.shape import Convert, Transformer, unchanged
from crm_admin.mapping.wire import read_text, reader, wire_type, write_text, writer
from crm_admin.records.kinds import Field, FieldType, RecordKind
from crm_admin.records.values import ValueRefused, canonicaliser, is_blank

TYPE_STEP: Final = "type"
"""The name of the conversion by type, which comes after the named steps."""
SET_UP: Final = "set-up"
LOST: Final = (ValueError, ArithmeticError)
"""How a step says that a value cannot cross; arithmetic speaks of amounts beyond any precision."""


class RuleFailed(Exception):
    """A value that could not cross: which rule, at which step, and why as a sentence."""

    def __init__(self, rule_id: str, step: str, value: Json, reason: str) -> None:
        super().__init__(f"{rule_id}, step {step}: {reason}")
        self.rule_id = rule_id
        self.step = step
        self.value = value
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StepTrace:
    """What a value was after a step; `failed` holds the reason when it went no further."""

    step: str
    value: Json
    failed: str = ""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to run. `read` and `write` convert by type; `broken` says why a rule can never
    run.
    """

    rule: FieldRule
    wire: FieldType
    chain: tuple[tuple[str, Transformer], ...]
    read: Convert
    write: Convert
    broken: str
    from_crm: Convert = field(repr=False)
    to_crm: Convert = field(repr=False)


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    rules: tuple[CompiledRule, ...]

    def rule(self, rule_id: str) -> CompiledRule:
        """Return the rule of that id; KeyError when there is none."""
        for rule in self.rules:
            if rule.rule.id == rule_id:
                return rule
        raise KeyError(rule_id)


def compile_rules(
    rules: Sequence[FieldRule],
    kind: RecordKind,
    remote_types: Mapping[str, str],
    lookups: Mapping[str, Mapping[str, Json]] | None = None,
) -> CompiledMapping:
    """Return the mapping ready to run, rules in the order given.

    A rule that can never run is kept and fails on every value with its reason, so that the others
    go on. References pass unchanged: their ids are translated where the links are known.
    """
    fields = {one.name: one for one in kind.fields}
    return CompiledMapping(tuple(_compile(rule, fields, remote_types, lookups) for rule in rules))


def _compile(
    rule: FieldRule,
    fields: Mapping[str, Field],
    remote_types: Mapping[str, str],
    lookups: Mapping[str, Mapping[str, Json]] | None,
) -> CompiledRule:
    ours, theirs = fields.get(rule.ours), wire_type(remote_types.get(rule.theirs))
    if ours is None:
        return _broken(rule, theirs, f"There is no field {rule.ours}.")
    if rule.association or ours.type is FieldType.REFERENCE:
        return CompiledRule(rule, theirs, (), unchanged, unchanged, "", unchanged, unchanged)
    try:
        chain = tuple((step.name, build(step, lookups)) for step in rule.steps)
    except LOST as error:
        return _broken(rule, theirs, str(error))
    read, write = _conversions(ours, theirs, chain)
    return CompiledRule(
        rule,
        theirs,
        chain,
        read,
        write,
        "",
        _from_crm(rule.id, chain, read),
        _to_crm(rule.id, chain, write),
    )


def _broken(rule: FieldRule, theirs: FieldType, reason: str) -> CompiledRule:
    def fail(value: Json) -> Json:
        raise RuleFailed(rule.id, SET_UP, value, reason)

    return CompiledRule(rule, theirs, (), fail, fail, reason, fail, fail)


def _conversions(
    ours: Field, theirs: FieldType, chain: Sequence[tuple[str, Transformer]]
) -> tuple[Convert, Convert]:
    """Steps that make the type themselves leave nothing to convert but the canonical form and the
    text.
    """
    canonicalise = canonicaliser(ours)
    if any(transformer.typed for _, transformer in chain):
        return canonicalise, write_text
    by_type = reader(ours.type)
    if by_type is unchanged:
        return canonicalise, writer(ours.type, theirs)
    if by_type is read_text:
        return (
            lambda value: canonicalise(value if isinstance(value, str) else by_type(value)),
            writer(ours.type, theirs),
        )
    return lambda value: canonicalise(by_type(value)), writer(ours.type, theirs)


def _from_crm(rule_id: str, chain: Sequence[tuple[str, Transformer]], read: Convert) -> Convert:
    def plain(wire: Json) -> Json:
        if wire is None or wire == "":
            return None
        try:
            return read(wire)
        except LOST as error:
            raise _failed(rule_id, TYPE_STEP, wire, error) from error

    def stepped(wire: Json) -> Json:
        value, name = wire, TYPE_STEP
        try:
            for name, transformer in chain:  # noqa: B007  (the failure names the step)
                if transformer.blanks or not is_blank(value):
                    value = transformer.from_crm(value)
            name = TYPE_STEP
            return None if is_blank(value) else read(value)
        except LOST as error:
            raise _failed(rule_id, name, value, error) from error

    return stepped if chain else plain


def _to_crm(rule_id: str, chain: Sequence[tuple[str, Transformer]], write: Convert) -> Convert:
    backwards = tuple(reversed(chain))
    # Without a step that makes the type, the conversion by type stands next to our value.
    first = not any(transformer.typed for _, transformer in chain)

    def back(ours: Json) -> Json:
        if is_blank(ours):
            return ""
        value, name = ours, TYPE_STEP
        try:
            value = write(value) if first else value
            for name, transformer in backwards:  # noqa: B007  (the failure names the step)
                if not is_blank(value):
                    value = transformer.to_crm(value)
            name = TYPE_STEP
            return "" if is_blank(value) else write_text(value)
        except LOST as error:
            raise _failed(rule_id, name, value, error) from error

    return back


def _failed(rule_id: str, step: str, value: Json, error: Exception) -> RuleFailed:
    if isinstance(error, ArithmeticError):
        return RuleFailed(rule_id, step, value, "This number is too large to calculate with.")
    reason = error.reason if isinstance(error, ValueRefused) else str(error)
    return RuleFailed(rule_id, step, value, reason)


def explain(rule: CompiledRule, value: Json, direction: Direction) -> tuple[StepTrace, ...]:
    """Return what a value is after each step in one direction (FROM_CRM or TO_CRM), the given value
    first.

    A failing step closes the trace with its reason.
    """
    if rule.broken:
        return StepTrace("given", value), StepTrace(SET_UP, None, rule.broken)
    steps = _named_steps(rule, inward=direction is Direction.FROM_CRM)
    traces = [StepTrace("given", value)]
    for name, convert in steps:
        try:
            value = convert(value)
        except LOST as error:
            traces.append(StepTrace(name, None, _failed(rule.rule.id, name, value, error).reason))
            break
        traces.append(StepTrace(name, value))
    return tuple(traces)


def _named_steps(rule: CompiledRule, *, inward: bool) -> list[tuple[str, Convert]]:
    if inward:
        steps = [(name, _sparing(t, t.from_crm)) for name, t in rule.chain]
        return [*steps, (TYPE_STEP, lambda value: None if is_blank(value) else rule.read(value))]
    steps = [(name, _sparing(t, t.to_crm)) for name, t in reversed(rule.chain)]
    last = (TYPE_STEP, lambda value: "" if is_blank(value) else write_text(value))
    if any(t.typed for _, t in rule.chain):
        return [*steps, last]
    return [(TYPE_STEP, lambda value: "" if is_blank(value) else rule.write(value)), *steps]


def _sparing(transformer: Transformer, convert: Convert) -> Convert:
    return (
        convert
        if transformer.blanks
        else lambda value: value if is_blank(value) else convert(value)
    )
