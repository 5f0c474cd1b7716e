"""Translates a record of the CRM that we do not have yet into the one it would become."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import RuleFailed
from crm_admin.mapping.rules import Direction
from crm_admin.providers.base import RemoteRecord
from crm_admin.records.values import ABSENT, Absent, is_blank
from crm_admin.sync.drafts import PARKED, References, RuleUse, StreamFacts
from crm_admin.sync.states import Creates

MOST_PLANS: Final = 64


class Line(NamedTuple):
    """A rule laid open for loops over many records; `other` is the object of an association."""

    use: RuleUse
    rule_id: str
    ours: str
    theirs: str
    other: str
    from_crm: Callable[[Json], Json]
    default: Json
    required: bool
    takes: bool


@dataclass(slots=True)
class Newcomer:
    """What a record would become, its references parked at first; bases are by rule id."""

    data: dict[str, Json] = field(default_factory=dict)
    targets: dict[str, str | None] = field(default_factory=dict)
    base_ours: dict[str, Json] = field(default_factory=dict)
    base_theirs: dict[str, Json] = field(default_factory=dict)
    failures: list[tuple[RuleUse, str]] = field(default_factory=list)


_laid_open: dict[int, tuple[tuple[RuleUse, ...], tuple[Line, ...]]] = {}


def lines_of(rules: tuple[RuleUse, ...]) -> tuple[Line, ...]:
    """Return the rules of a stream laid open, looked up by identity: hashing them costs more."""
    known = _laid_open.get(id(rules))
    if known is not None and known[0] is rules:
        return known[1]
    if len(_laid_open) >= MOST_PLANS:
        _laid_open.clear()
    lines = tuple(map(_line, rules))
    _laid_open[id(rules)] = (rules, lines)
    return lines


def _line(use: RuleUse) -> Line:
    rule = use.rule
    return Line(
        use=use,
        rule_id=rule.id,
        ours=rule.ours,
        theirs=rule.theirs,
        other=rule.association,
        from_crm=_park if rule.association else use.from_crm,
        default=rule.default,
        required=rule.required,
        takes=rule.direction is not Direction.TO_CRM,
    )


def _park(wire: Json) -> Json:
    return None if wire is None or wire == "" else f"{PARKED}{wire}"


def translate(theirs: RemoteRecord, rules: tuple[RuleUse, ...]) -> Newcomer:
    """Return the record that theirs would become.

    A failed optional rule is left out and has no base, so it is looked at again next time.
    """
    made = Newcomer()
    properties = theirs.properties
    for line in lines_of(rules):
        wire = end_of(line, theirs) if line.other else properties.get(line.theirs, ABSENT)
        if isinstance(wire, Absent) or not line.takes:
            continue
        try:
            value = line.from_crm(wire)
        except RuleFailed as failed:
            made.failures.append((line.use, str(failed)))
            continue
        if value is None or is_blank(value):
            _take_blank(made, line, wire)
            continue
        made.base_theirs[line.rule_id] = wire
        made.base_ours[line.rule_id] = value
        _put(made, line, value)
    return made


def _put(made: Newcomer, line: Line, value: Json) -> None:
    if line.other:
        made.targets[line.ours] = str(value)
    else:
        made.data[line.ours] = value


def _take_blank(made: Newcomer, line: Line, wire: Json) -> None:
    """A blank becomes the rule's default; a required field must not stay blank."""
    blank = is_blank(line.default)
    if blank and line.required:
        made.failures.append(
            (line.use, f"{line.theirs} is empty there, and CRM Admin requires {line.ours}.")
        )
        return
    made.base_theirs[line.rule_id] = wire
    made.base_ours[line.rule_id] = None if blank else line.default
    if not blank:
        _put(made, line, line.default)


def takes_newcomers(stream: StreamFacts) -> bool:
    """Return whether a stream creates records here."""
    return stream.takes and stream.creates in {Creates.HERE, Creates.BOTH}


def becomes_record(stream: StreamFacts, made: Newcomer) -> bool:
    """Return whether a newcomer is created here: its stream creates, and nothing required is
    missing.
    """
    return takes_newcomers(stream) and not (
        made.failures and any(use.rule.required for use, _ in made.failures)
    )


def end_of(line: Line, theirs: RemoteRecord) -> Json | Absent:
    """Return the first associated id; ABSENT when the associations were not read."""
    ids = theirs.associations.get(line.other)
    if ids is None:
        return ABSENT
    return ids[0] if ids else None


def aim(made: Newcomer, rules: tuple[RuleUse, ...], references: References) -> None:
    """Point the parked references at the records that their remote ids are linked to."""
    if not made.targets:
        return
    for line in lines_of(rules):
        value = made.targets.get(line.ours) if line.other else None
        if value is None or not value.startswith(PARKED):
            continue
        found = references.record_of.get((line.other, value.removeprefix(PARKED)))
        if found is not None:
            made.targets[line.ours] = made.base_ours[line.rule_id] = found
