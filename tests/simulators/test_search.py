"""Search as HubSpot offers it: late, capped and particular."""

import pytest

from tests.simulators.client import Client

SEARCH = "/crm/v3/objects/contacts/search"


def asked(name: str, operator: str, **values: object) -> dict[str, object]:
    return {"filterGroups": [{"filters": [{"propertyName": name, "operator": operator, **values}]}]}


def found(hubspot: Client, query: dict[str, object]) -> list[str]:
    answer = hubspot.post(SEARCH, {"limit": 100, **query})
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["results"]]


def test_a_new_record_is_read_at_once_and_found_later(hubspot: Client) -> None:
    hubspot.config(index_lag=3600)

    made = hubspot.create("contacts", firstname="Ann")

    assert hubspot.get(f"/crm/v3/objects/contacts/{made}").status_code == 200
    assert found(hubspot, {}) == []


def test_search_shows_a_record_as_it_was_before_the_lag(hubspot: Client) -> None:
    hubspot.config(index_lag=0)
    made = hubspot.create("contacts", firstname="Before")
    assert found(hubspot, {}) == [made]

    hubspot.config(index_lag=3600)
    hubspot.call(
        "PATCH", f"/crm/v3/objects/contacts/{made}", {"properties": {"firstname": "After"}}
    )

    answer = hubspot.post(SEARCH, {"properties": ["firstname"]}).json()
    assert answer["results"][0]["properties"]["firstname"] == "Before"


def test_a_shorter_lag_lets_through_what_waits(hubspot: Client) -> None:
    hubspot.config(index_lag=3600)
    made = hubspot.create("contacts", firstname="Ann")

    hubspot.config(index_lag=0)

    assert found(hubspot, {}) == [made]


def test_archived_records_are_not_found(hubspot: Client) -> None:
    hubspot.config(index_lag=0)
    made = hubspot.create("contacts", firstname="Ann")

    hubspot.call("DELETE", f"/crm/v3/objects/contacts/{made}")

    assert found(hubspot, {}) == []


@pytest.mark.parametrize(
    ("name", "operator", "values", "expected"),
    [
        ("city", "EQ", {"value": "leeds"}, ["a"]),
        ("city", "NEQ", {"value": "Leeds"}, ["b", "c"]),
        ("city", "IN", {"values": ["leeds", "york"]}, ["a", "b"]),
        ("city", "NOT_IN", {"values": ["leeds", "york"]}, ["c"]),
        ("city", "HAS_PROPERTY", {}, ["a", "b"]),
        ("city", "NOT_HAS_PROPERTY", {}, ["c"]),
        ("email", "CONTAINS_TOKEN", {"value": "*@example.com"}, ["a", "b"]),
        ("email", "NOT_CONTAINS_TOKEN", {"value": "*@example.com"}, ["c"]),
        ("hs_object_id", "GT", {"value": "102"}, ["c"]),
        ("hs_object_id", "LTE", {"value": "102"}, ["a", "b"]),
        ("hs_object_id", "BETWEEN", {"value": "102", "highValue": "103"}, ["b", "c"]),
        ("createdate", "GTE", {"value": "0"}, ["a", "b", "c"]),
        ("createdate", "LT", {"value": "2000-01-01"}, []),
    ],
)
def test_each_operator_finds_what_it_says(
    hubspot: Client, name: str, operator: str, values: dict[str, object], expected: list[str]
) -> None:
    hubspot.config(index_lag=0)
    hubspot.create("contacts", firstname="a", email="a@example.com", city="Leeds")
    hubspot.create("contacts", firstname="b", email="b@example.com", city="York")
    hubspot.create("contacts", firstname="c", email="c@example.org")

    answer = hubspot.post(SEARCH, asked(name, operator, **values))

    names = [each["properties"]["firstname"] for each in answer.json()["results"]]
    assert names == expected


def test_groups_are_alternatives_and_filters_of_a_group_hold_together(hubspot: Client) -> None:
    hubspot.config(index_lag=0)
    ids = [hubspot.create("contacts", firstname=name, city="Leeds") for name in "abc"]
    city = {"propertyName": "city", "operator": "EQ", "value": "Leeds"}
    names = [{"propertyName": "firstname", "operator": "EQ", "value": name} for name in "ac"]

    groups = [{"filters": [city, names[0]]}, {"filters": [names[1]]}]

    assert found(hubspot, {"filterGroups": groups}) == [ids[0], ids[2]]


def test_a_window_of_modification_holds_both_its_ends(hubspot: Client) -> None:
    hubspot.config(index_lag=0)
    for name in "abc":
        hubspot.create("contacts", firstname=name)
    stamps = [entry["at"] for entry in hubspot.log()]

    query = asked("lastmodifieddate", "BETWEEN", value=stamps[0], highValue=stamps[1])

    assert found(hubspot, query) == ["101", "102"]


def test_results_past_ten_thousand_cannot_be_reached(hubspot: Client) -> None:
    hubspot.post("/_sim/seed", {"contacts": 10_001, "seed": 1})

    last = hubspot.post(SEARCH, {"limit": 200, "after": "9800"})
    past = hubspot.post(SEARCH, {"limit": 200, "after": "9801"})

    assert last.json()["total"] == 10_001
    assert len(last.json()["results"]) == 200
    assert past.status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 201},
        {"sorts": ["email", "city"]},
        {"sorts": ["nonsense"]},
        {"filterGroups": [{"filters": []}] * 6},
        asked("nonsense", "EQ", value="1"),
        asked("city", "LIKE", value="1"),
        asked("city", "EQ"),
        asked("city", "IN", values=[]),
        asked("city", "EQ", value="x" * 3000),
    ],
    ids=["page", "two sorts", "sort", "groups", "property", "operator", "value", "values", "body"],
)
def test_what_hubspot_does_not_take_is_refused(hubspot: Client, query: dict[str, object]) -> None:
    answer = hubspot.post(SEARCH, query)

    assert answer.status_code == 400


def test_one_sort_rule_is_kept(hubspot: Client) -> None:
    hubspot.config(index_lag=0)
    for name in ("b", "a", "c"):
        hubspot.create("contacts", firstname=name)

    rule = {"propertyName": "firstname", "direction": "DESCENDING"}

    assert found(hubspot, {"sorts": [rule]}) == ["103", "101", "102"]
    assert found(hubspot, {"sorts": ["firstname"]}) == ["102", "101", "103"]


def test_pages_of_a_search_join_without_gap_or_repetition(hubspot: Client) -> None:
    hubspot.post("/_sim/seed", {"contacts": 450, "seed": 2})
    ids: list[str] = []
    after: str | None = "0"

    while after is not None:
        page = hubspot.post(
            SEARCH, {"limit": 200, "after": after, "sorts": ["hs_object_id"]}
        ).json()
        ids += [each["id"] for each in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")

    assert ids == [str(n) for n in range(101, 551)]


def test_search_may_disregard_the_order(hubspot: Client) -> None:
    hubspot.config(unordered_search=True)
    hubspot.post("/_sim/seed", {"contacts": 60, "seed": 2})

    ids = found(hubspot, {"sorts": ["hs_object_id"]})

    assert sorted(ids) != ids
    assert set(ids) == {str(n) for n in range(101, 161)}
