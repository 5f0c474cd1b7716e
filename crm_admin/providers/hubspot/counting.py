"""Counts records in HubSpot by one search that reads none of them."""

from collections.abc import Mapping, Sequence

from crm_admin.errors import ProviderBroken
from crm_admin.jsontypes import Json
from crm_admin.providers.hubspot.calls import Calls
from crm_admin.providers.hubspot.payloads import table
from crm_admin.providers.hubspot.spec import SEARCH

OPERATORS: Mapping[str, str] = {
    "EQ": "EQ",
    "NEQ": "NEQ",
    "IN": "IN",
    "NOT_IN": "NOT_IN",
    "HAS": "HAS_PROPERTY",
    "HAS_NOT": "NOT_HAS_PROPERTY",
}


def count_records(calls: Calls, name: str, lines: Sequence[Mapping[str, Json]]) -> int:
    """Return how many living records of an object hold every line, as HubSpot's index knows it."""
    filters: list[Json] = [_filter(line) for line in lines]
    body: dict[str, Json] = {"limit": 1, "properties": []}
    if filters:
        body["filterGroups"] = [{"filters": filters}]
    data = table(calls.ask(f"{calls.paths.objects}/{name}/search", body, bucket=SEARCH))
    total = data.get("total")
    if not isinstance(total, int) or isinstance(total, bool):
        raise ProviderBroken("HubSpot's answer has no total.")
    return total


def _filter(line: Mapping[str, Json]) -> Json:
    operator = OPERATORS[str(line["operator"])]
    found: dict[str, Json] = {"propertyName": line["property"], "operator": operator}
    wanted = line.get("value")
    if isinstance(wanted, list):
        found["values"] = wanted
    elif wanted is not None:
        found["value"] = wanted
    return found
