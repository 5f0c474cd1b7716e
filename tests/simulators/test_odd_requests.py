"""Whatever is sent to it, the simulator answers like a CRM and does not fall over."""

import pytest

from crm_admin.simulators.hubspot.routes import TABLE
from tests.simulators.client import Client

BODIES = [
    None,
    [],
    [[]],
    {"inputs": "x"},
    {"inputs": [None, 1, "x", {}]},
    {"inputs": [{"id": {}, "properties": [], "idProperty": "email"}]},
    {"inputs": [{"id": "9" * 5000, "from": 1, "to": {"id": []}, "types": [1]}]},
    {"inputs": [{"from": {"id": "101"}, "to": [{"id": "101"}], "types": [{}]}]},
    {"properties": {"email": {"a": 1}, "city": [1], "annualrevenue": True}},
    {"properties": {"firstname": "\u0000\u202e", "closedate": "99999999999999999"}},
    {"filterGroups": [{"filters": [{"propertyName": [], "operator": {}}]}], "sorts": [{}]},
    {"filterGroups": 5, "limit": "x", "after": {}},
    {"primaryObjectId": {}, "objectIdToMerge": None, "objectId": []},
    {"name": [], "label": 5, "options": [1], "type": None},
]


@pytest.mark.parametrize(("method", "template"), [line[:2] for line in TABLE])
def test_an_odd_request_is_answered_below_500(hubspot: Client, method: str, template: str) -> None:
    hubspot.create("contacts", firstname="Ann", email="ann@example.com")
    hubspot.create("companies", name="Bell")
    path = template.format(**{"object": "contacts", "from": "contacts", "to": "companies"}, **PARTS)
    family, _, rest = path.partition("/")
    prefix = "/account-info/v3/" if family == "account-info" else f"/crm/{family}/2026-09/"

    answers = [hubspot.call(method, f"{prefix}{rest}?{QUERY}", body) for body in BODIES]

    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []


PARTS = {"id": "101", "to_id": "101", "name": "city"}
QUERY = (
    "limit=x&after=%00&properties=,,%F0%9F%98%80&associations=&archived=maybe&idProperty=&email=%FF"
)


@pytest.mark.parametrize(
    "path",
    ["/", "/crm", "/crm/v3", "/crm/v9/objects/contacts", "/%00", "/crm/v3/objects//", "/oauth/x"],
)
def test_an_unknown_address_is_not_found(hubspot: Client, path: str) -> None:
    assert hubspot.get(path).status_code in (400, 404)


@pytest.mark.parametrize(
    "path", ["edit", "merge", "load", "seed", "property", "faults", "config", "save", "archive"]
)
def test_an_odd_control_is_answered_below_500(hubspot: Client, path: str) -> None:
    bodies = [*BODIES, {"contacts": [1, {"associations": {"companies": ["companies#7", {}]}}]}]

    answers = [hubspot.post(f"/_sim/{path}", body) for body in bodies]

    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
