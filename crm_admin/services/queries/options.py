"""Values a CRM has no option for, with the option of the CRM that most likely is meant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from uuid import UUID

from crm_admin.services.queries.sql import Row, rows

CODES = frozenset({"INVALID_OPTION"})
"""Refusals that say that a value is none of a field's options."""
LEAST = 0.7

SCHEMAS = """
SELECT connection_id, object, fields FROM remote_schema WHERE connection_id = ANY(:connections)
"""

Place = tuple[UUID, str, str]


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a field of the CRM."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Meant:
    """The value that was refused, and the option it most likely stands for."""

    value: str
    option: Option


def meant(groups: Sequence[Row]) -> dict[Place, Meant]:
    """Return, by connection, object and field, what the refused value of a group's sample means."""
    asked = {_place(row): value for row in groups if (value := refused_value(row))}
    if not asked:
        return {}
    known = options_of({place[0] for place in asked})
    found = {place: nearest(value, known.get(place, ())) for place, value in asked.items()}
    return {place: Meant(asked[place], option) for place, option in found.items() if option}


def refused_value(row: Row) -> str:
    """Return the value of ours that the CRM has no option for, "" where that is not what failed."""
    if row["code"] not in CODES or row["side"] != "theirs" or row["stream_id"] is None:
        return ""
    values = (row["sample_fields"] or {}).get(row["field"])
    return values[1] if values and isinstance(values[1], str) else ""


def options_of(connections: set[UUID]) -> dict[Place, list[Option]]:
    """Return the described options of every field of these connections."""
    return {
        (row["connection_id"], row["object"], field["name"]): [
            Option(str(one["value"]), str(one.get("label") or one["value"]))
            for one in field["options"]
        ]
        for row in rows(SCHEMAS, connections=list(connections))
        for field in row["fields"] or ()
        if isinstance(field, Mapping) and field.get("options")
    }


def nearest(value: str, options: Sequence[Option]) -> Option | None:
    """Return the option that is spelt like the value, or nearly; None when none is near enough."""
    wanted = _plain(value)
    scored = [
        (max(_alike(wanted, _plain(one.value)), _alike(wanted, _plain(one.label))), one)
        for one in options
    ]
    best = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    return best[1] if best[0] >= LEAST else None


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _place(row: Row) -> Place:
    return row["connection_id"], row["remote_object"], row["field"]
