"""Translates many records of the CRM at once, column by column: a value that many of them share
crosses once.
"""

from collections.abc import Sequence
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import RuleFailed
from crm_admin.providers.base import RemoteRecord
from crm_admin.records.values import ABSENT, Absent, is_blank
from crm_admin.sync.drafts import RuleUse
from crm_admin.sync.newcomers import Line, Newcomer, end_of, lines_of, translate

SHARED: Final = frozenset({str, type(None)})
"""Types of which equal values are one value: 1 and True are equal too, and lists may change."""


def translate_all(records: Sequence[RemoteRecord], rules: tuple[RuleUse, ...]) -> list[Newcomer]:
    """Return what each record would become, as `translate` does it one by one.

    Records whose columns have gaps or failures are left to `translate`, which knows how to say why.
    """
    lines = [line for line in lines_of(rules) if line.takes]
    odd: set[int] = set()
    wires = [_wires(line, records) for line in lines]
    values = [_values(line, column, odd) for line, column in zip(lines, wires, strict=True)]
    made = _rows(lines, wires, values) if lines else [Newcomer() for _ in records]
    for index in odd:
        made[index] = translate(records[index], rules)
    return made


def _rows(
    lines: Sequence[Line], wires: Sequence[Sequence[object]], values: Sequence[Sequence[Json]]
) -> list[Newcomer]:
    ids = [line.rule_id for line in lines]
    plain = [index for index, line in enumerate(lines) if not line.other]
    names = [lines[index].ours for index in plain]
    held = zip(*(values[index] for index in plain), strict=True) if plain else [()] * len(wires[0])
    made = [
        Newcomer(
            {name: value for name, value in zip(names, data, strict=True) if value is not None},
            {},
            dict(zip(ids, ours, strict=True)),
            dict(zip(ids, theirs, strict=True)),
            [],
        )
        for data, ours, theirs in zip(
            held, zip(*values, strict=True), zip(*wires, strict=True), strict=True
        )
    ]
    for line, column in zip(lines, values, strict=True):
        if line.other:
            for one, value in zip(made, column, strict=True):
                if value is not None:
                    one.targets[line.ours] = str(value)
    return made


def _wires(line: Line, records: Sequence[RemoteRecord]) -> list[Json | Absent]:
    if line.other:
        return [end_of(line, record) for record in records]
    name = line.theirs
    return [record.properties.get(name, ABSENT) for record in records]


def _values(line: Line, wires: Sequence[Json | Absent], odd: set[int]) -> list[Json]:
    """Return the values of a column, blanks as the rule's default; what has none joins the `odd`
    records.
    """
    types = set(map(type, wires))
    if types <= SHARED:
        distinct = set(wires)
        if len(distinct) * 2 < len(wires):
            return _shared(line, wires, distinct, odd)
    if Absent not in types and not line.required:
        convert = line.from_crm
        try:
            found = [convert(wire) for wire in wires]  # type: ignore[arg-type]
        except RuleFailed:
            return _one_by_one(line, wires, odd)
        return [value if value else _or_default(line, value) for value in found]
    return _one_by_one(line, wires, odd)


def _shared(
    line: Line, wires: Sequence[Json | Absent], distinct: set[Json | Absent], odd: set[int]
) -> list[Json]:
    known: dict[Json | Absent, Json] = {}
    for wire in distinct:
        value = _value(line, wire)
        if type(value) not in SHARED:
            return _one_by_one(line, wires, odd)
        known[wire] = value  # type: ignore[assignment]
    return list(map(known.__getitem__, wires))


def _one_by_one(line: Line, wires: Sequence[Json | Absent], odd: set[int]) -> list[Json]:
    values: list[Json] = []
    for index, wire in enumerate(wires):
        value = _value(line, wire)
        if isinstance(value, Absent):
            odd.add(index)
            value = None
        values.append(value)
    return values


def _value(line: Line, wire: Json | Absent) -> Json | Absent:
    """Return a value of ours; ABSENT where the record needs a closer look."""
    if isinstance(wire, Absent):
        return wire
    try:
        value = line.from_crm(wire)
    except RuleFailed:
        return ABSENT
    value = value if value else _or_default(line, value)
    return ABSENT if value is None and line.required else value


def _or_default(line: Line, value: Json) -> Json:
    """False and 0 are values; a blank becomes the rule's default, which may be none."""
    if not is_blank(value):
        return value
    return None if is_blank(line.default) else line.default
