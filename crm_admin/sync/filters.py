"""Whether a record of the CRM belongs to a stream."""

from collections.abc import Mapping, Sequence

from crm_admin.jsontypes import Json


def matches(lines: Sequence[Mapping[str, Json]], properties: Mapping[str, Json]) -> bool:
    """Return whether every line {property, operator, value} holds; no lines hold for every
    record.
    """
    return all(_holds(line, properties) for line in lines)


def _holds(line: Mapping[str, Json], properties: Mapping[str, Json]) -> bool:
    value = properties.get(str(line["property"]))
    wanted = line.get("value")
    match line["operator"]:
        case "EQ":
            return value == wanted
        case "NEQ":
            return value != wanted
        case "IN":
            return isinstance(wanted, Sequence) and value in wanted
        case "NOT_IN":
            return not (isinstance(wanted, Sequence) and value in wanted)
        case "HAS":
            return value not in (None, "")
        case "HAS_NOT":
            return value in (None, "")
        case operator:
            raise ValueError(f"{operator} is not an operator of a stream's filter.")


def in_words(lines: Sequence[Mapping[str, Json]]) -> str:
    """Return the filter as a person reads it: `pipeline is pov and amount is not empty`."""
    words = {"EQ": "is", "NEQ": "is not", "IN": "is one of", "NOT_IN": "is none of"}
    plain = {"HAS": "is not empty", "HAS_NOT": "is empty"}
    return " and ".join(
        f"{line['property']} {plain[str(line['operator'])]}"
        if line["operator"] in plain
        else f"{line['property']} {words[str(line['operator'])]} {line.get('value')}"
        for line in lines
    )
