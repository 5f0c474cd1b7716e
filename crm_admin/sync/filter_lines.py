"""Filters of streams as people write them: checked against the fields that the CRM described."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm_admin.errors import BadInput
from crm_admin.jsontypes import Json

OPERATORS: Mapping[str, str] = {
    "EQ": "is",
    "NEQ": "is not",
    "IN": "is one of",
    "NOT_IN": "is none of",
    "HAS": "is filled",
    "HAS_NOT": "is empty",
}
WITHOUT_VALUE = frozenset({"HAS", "HAS_NOT"})
WITH_LIST = frozenset({"IN", "NOT_IN"})
MOST_LINES = 10
MOST_VALUES = 100
LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A condition as it was typed; lists are separated by commas."""

    property: str
    operator: str
    value: str = ""


def stored(lines: Sequence[Line], options: Mapping[str, Sequence[str]]) -> list[Mapping[str, Json]]:
    """Return typed lines as a filter; lines without a field are left out.

    `options` holds every described field with its allowed values, none for free text. BadInput
    names the line, `filter-0` and on, and what to do about it.
    """
    given = [(place, line) for place, line in enumerate(lines) if line.property]
    if len(given) > MOST_LINES:
        raise BadInput("filter", f"Use at most {MOST_LINES} conditions.")
    return [_stored(f"filter-{place}", line, options) for place, line in given]


def typed(filter: Sequence[Mapping[str, Json]]) -> tuple[Line, ...]:  # noqa: A002 -- the field's word
    """Return a filter as its lines are typed."""
    return tuple(
        Line(str(one["property"]), str(one["operator"]), _text(one.get("value"))) for one in filter
    )


def _text(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def _stored(where: str, line: Line, options: Mapping[str, Sequence[str]]) -> Mapping[str, Json]:
    if options and line.property not in options:
        raise BadInput(where, f"The CRM describes no field called {line.property}.")
    if line.operator not in OPERATORS:
        raise BadInput(where, "Choose how to compare.")
    if line.operator in WITHOUT_VALUE:
        return {"property": line.property, "operator": line.operator}
    values = _values(where, line)
    allowed = options.get(line.property, ())
    for value in values:
        if allowed and value not in allowed:
            few = ", ".join(list(allowed)[:8])
            raise BadInput(where, f"{value} is no value of {line.property}. Use one of: {few}.")
    wanted: Json = list(values) if line.operator in WITH_LIST else values[0]
    return {"property": line.property, "operator": line.operator, "value": wanted}


def _values(where: str, line: Line) -> list[str]:
    parts = line.value.split(",") if line.operator in WITH_LIST else [line.value]
    values = [part.strip() for part in parts if part.strip()]
    if not values:
        raise BadInput(where, "Enter the value to compare with.")
    if len(values) > MOST_VALUES or any(len(value) > LONGEST_VALUE for value in values):
        raise BadInput(
            where, f"Use at most {MOST_VALUES} values of {LONGEST_VALUE} characters each."
        )
    return values
