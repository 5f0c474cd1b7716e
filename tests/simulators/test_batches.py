"""Up to a hundred records in one call."""

import pytest

from tests.simulators.client import Client

BATCH = "/crm/v3/objects/contacts/batch"


def rows(*emails: str, traced: bool) -> dict[str, object]:
    inputs = []
    for n, email in enumerate(emails):
        trace = {"objectWriteTraceId": f"row-{n}"} if traced else {}
        inputs.append({"properties": {"email": email}, **trace})
    return {"inputs": inputs}


def count(hubspot: Client) -> int:
    return hubspot.get("/_sim/records?object=contacts").json()["total"]


def test_without_trace_ids_one_bad_row_fails_all(hubspot: Client) -> None:
    answer = hubspot.post(f"{BATCH}/create", rows("a@example.com", "bad", traced=False))

    assert answer.status_code == 400
    assert count(hubspot) == 0


@pytest.mark.parametrize("second", ["a@example.com", "taken@example.com"])
def test_without_trace_ids_a_taken_value_fails_all(hubspot: Client, second: str) -> None:
    hubspot.create("contacts", email="taken@example.com")

    answer = hubspot.post(f"{BATCH}/create", rows("a@example.com", second, traced=False))

    assert answer.status_code in (400, 409)
    assert count(hubspot) == 1


def test_with_trace_ids_each_row_is_judged_alone(hubspot: Client) -> None:
    answer = hubspot.post(
        f"{BATCH}/create", rows("a@example.com", "bad", "c@example.com", traced=True)
    )

    body = answer.json()
    assert answer.status_code == 207
    assert {each["objectWriteTraceId"] for each in body["results"]} == {"row-0", "row-2"}
    assert body["numErrors"] == 1
    assert body["errors"][0]["context"]["objectWriteTraceId"] == ["row-1"]


def test_repeated_trace_ids_count_as_none(hubspot: Client) -> None:
    given = rows("a@example.com", "bad", traced=True)
    for each in given["inputs"]:
        each["objectWriteTraceId"] = "same"

    answer = hubspot.post(f"{BATCH}/create", given)

    assert answer.status_code == 400
    assert count(hubspot) == 0


def test_errors_may_come_inside_a_plain_success(hubspot: Client) -> None:
    hubspot.config(multi_status=False)

    answer = hubspot.post(f"{BATCH}/create", rows("a@example.com", "bad", traced=True))

    assert answer.status_code == 201
    assert answer.json()["numErrors"] == 1


def test_results_come_in_any_order(hubspot: Client) -> None:
    emails = [f"p{n}@example.com" for n in range(30)]

    answer = hubspot.post(f"{BATCH}/create", rows(*emails, traced=True))

    traces = [each["objectWriteTraceId"] for each in answer.json()["results"]]
    assert set(traces) == {f"row-{n}" for n in range(30)}
    assert traces != [f"row-{n}" for n in range(30)]


def test_order_is_kept_where_the_test_asks_for_it(hubspot: Client) -> None:
    hubspot.config(shuffle=False)
    emails = [f"p{n}@example.com" for n in range(30)]

    answer = hubspot.post(f"{BATCH}/create", rows(*emails, traced=True))

    traces = [each["objectWriteTraceId"] for each in answer.json()["results"]]
    assert traces == [f"row-{n}" for n in range(30)]


@pytest.mark.parametrize("verb", ["read", "create", "update", "upsert", "archive"])
def test_more_than_a_hundred_inputs_are_refused(hubspot: Client, verb: str) -> None:
    inputs = [{"id": str(n), "properties": {}} for n in range(101)]

    answer = hubspot.post(f"{BATCH}/{verb}", {"inputs": inputs})

    assert answer.status_code == 400


def test_unknown_ids_of_an_update_are_reported_together(hubspot: Client) -> None:
    made = hubspot.create("contacts", firstname="Ann")
    inputs = [{"id": each, "properties": {"city": "Leeds"}} for each in (made, "8888", "9999")]

    answer = hubspot.post(f"{BATCH}/update", {"inputs": inputs})

    assert answer.status_code == 207
    assert [each["id"] for each in answer.json()["results"]] == [made]
    assert answer.json()["errors"][0]["context"] == {"ids": ["8888", "9999"]}


def test_an_update_naming_a_record_twice_is_refused(hubspot: Client) -> None:
    made = hubspot.create("contacts", firstname="Ann")
    inputs = [{"id": made, "properties": {"city": city}} for city in ("Leeds", "York")]

    answer = hubspot.post(f"{BATCH}/update", {"inputs": inputs})

    assert answer.status_code == 400


def test_an_upsert_by_email_makes_once_and_changes_afterwards(hubspot: Client) -> None:
    row = {"idProperty": "email", "id": "ann@example.com", "properties": {"city": "Leeds"}}

    first = hubspot.post(f"{BATCH}/upsert", {"inputs": [row]}).json()["results"][0]
    second = hubspot.post(f"{BATCH}/upsert", {"inputs": [row]}).json()["results"][0]

    assert (first["new"], second["new"]) == (True, False)
    assert first["id"] == second["id"]
    assert first["properties"]["email"] == "ann@example.com"


def test_an_upsert_by_a_property_that_is_not_unique_is_refused(hubspot: Client) -> None:
    row = {"idProperty": "city", "id": "Leeds", "properties": {}}

    answer = hubspot.post(f"{BATCH}/upsert", {"inputs": [row]})

    assert answer.status_code == 400


def test_a_read_by_an_old_id_answers_with_the_new_one(hubspot: Client) -> None:
    ids = [hubspot.create("contacts", firstname=name) for name in "AB"]
    given = {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]}
    merged = hubspot.post("/crm/v3/objects/contacts/merge", given).json()["id"]

    answer = hubspot.post(f"{BATCH}/read", {"inputs": [{"id": ids[1]}]})

    assert [each["id"] for each in answer.json()["results"]] == [merged]


def test_an_archive_of_many_is_silent_about_unknown_ids(hubspot: Client) -> None:
    made = hubspot.create("contacts", firstname="Ann")

    answer = hubspot.post(f"{BATCH}/archive", {"inputs": [{"id": made}, {"id": "9999"}]})

    assert answer.status_code == 204
    assert count(hubspot) == 0
