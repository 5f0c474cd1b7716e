"""Every fault does what its name says, and its effect is where it should be."""

import threading
import time
from collections.abc import Callable
from datetime import datetime

import orjson
import pytest
import requests

from crm_admin.simulators.faults import FAULTS
from tests.simulators.client import Client

CONTACTS = "/crm/v3/objects/contacts"
NEW = {"properties": {"firstname": "Ann"}}


def total(hubspot: Client) -> int:
    return hubspot.get("/_sim/records?object=contacts").json()["total"]


@pytest.mark.parametrize("status", [423, 429, 477, 500, 502, 503, 504])
def test_a_status_is_answered_instead_of_the_effect(hubspot: Client, status: int) -> None:
    hubspot.fault(str(status))

    answer = hubspot.post(CONTACTS, NEW)

    assert answer.status_code == status
    assert answer.json()["status"] == "error"
    assert "Retry-After" not in answer.headers
    assert total(hubspot) == 0


@pytest.mark.parametrize("wait", ["3", "-1", "99999999", "Wed, 21 Oct 2037 07:28:00 GMT"])
def test_a_refusal_may_say_when_to_come_back(hubspot: Client, wait: str) -> None:
    hubspot.fault("429", value={"policy": "DAILY", "retry_after": wait})

    answer = hubspot.get(CONTACTS)

    assert answer.headers["Retry-After"] == wait
    assert answer.json()["policyName"] == "DAILY"


def test_a_rule_strikes_as_often_as_it_says(hubspot: Client) -> None:
    hubspot.fault("500", times=2, every=3)

    statuses = [hubspot.get(CONTACTS).status_code for _ in range(12)]

    assert statuses == [200, 200, 500, 200, 200, 500, 200, 200, 200, 200, 200, 200]


def test_a_rule_strikes_only_its_method_and_path(hubspot: Client) -> None:
    hubspot.fault("500", method="POST", path="/contacts$")

    assert hubspot.get(CONTACTS).status_code == 200
    assert hubspot.post(f"{CONTACTS}/search", {}).status_code == 200
    assert hubspot.post(CONTACTS, NEW).status_code == 500


@pytest.mark.parametrize("rule", [{"fault": "gremlins"}, {"fault": "500", "path": "("}])
def test_a_rule_that_makes_no_sense_is_refused(hubspot: Client, rule: dict[str, object]) -> None:
    answer = hubspot.post("/_sim/faults", {"rules": [rule]})

    assert answer.status_code == 400
    assert hubspot.get("/_sim/faults").json()["rules"] == []


def test_the_rules_count_their_hits(hubspot: Client) -> None:
    hubspot.fault("500", times=1)
    hubspot.get(CONTACTS)

    assert hubspot.get("/_sim/faults").json()["rules"][0]["hits"] == 1


def test_a_login_page_comes_with_a_good_status(hubspot: Client) -> None:
    hubspot.fault("html")

    answer = hubspot.get(CONTACTS)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<html" in answer.text


def test_an_empty_answer_has_no_body(hubspot: Client) -> None:
    hubspot.fault("empty")

    answer = hubspot.get(CONTACTS)

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("fault", ["truncated", "wrong_charset"])
def test_a_broken_body_cannot_be_read_as_json(hubspot: Client, fault: str) -> None:
    hubspot.create("contacts", firstname="Ann")
    hubspot.fault(fault)

    answer = hubspot.get(CONTACTS)

    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r".+"):
        orjson.loads(answer.content)


def test_a_number_that_json_lacks_stands_in_the_body(hubspot: Client) -> None:
    hubspot.create("contacts", firstname="Ann")
    hubspot.fault("nan")

    assert ":NaN" in hubspot.get(CONTACTS).text


def test_the_content_type_may_be_wrong(hubspot: Client) -> None:
    hubspot.fault("wrong_content_type", value="text/csv")

    answer = hubspot.get(CONTACTS)

    assert answer.headers["Content-Type"] == "text/csv"
    assert answer.json() == {"results": []}


@pytest.mark.parametrize(
    ("fault", "happened"),
    [("timeout_before", 0), ("timeout_after", 1), ("reset_before", 0), ("reset_after", 1)],
)
def test_an_answer_that_never_comes_may_have_had_its_effect(
    hubspot: Client, fault: str, happened: int
) -> None:
    hubspot.fault(fault)

    with pytest.raises(requests.RequestException):
        hubspot.post(CONTACTS, NEW, timeout=1)

    assert total(hubspot) == happened


def test_an_effect_may_come_after_the_client_gave_up(hubspot: Client) -> None:
    hubspot.fault("late", seconds=0.3)
    asked_at = time.time()

    with pytest.raises(requests.Timeout):
        hubspot.post(CONTACTS, NEW, timeout=0.2)

    wait_until(lambda: total(hubspot) == 1)
    happened = datetime.fromisoformat(str(hubspot.log()[0]["at"])).timestamp()
    assert happened - asked_at > 0.45


def test_a_slow_answer_is_whole_for_those_who_wait(hubspot: Client) -> None:
    hubspot.fault("slow", seconds=1, times=2)

    with pytest.raises(requests.Timeout):
        hubspot.get(CONTACTS, timeout=0.1)
    answer = hubspot.get(CONTACTS)

    assert answer.json() == {"results": []}


def test_a_dripping_answer_arrives_in_pieces(hubspot: Client) -> None:
    hubspot.create("contacts", firstname="Ann")
    whole = hubspot.get(CONTACTS).content
    hubspot.fault("drip", seconds=0.001)

    answer = hubspot.get(CONTACTS, stream=True)
    first = answer.raw.read(16)

    assert whole.startswith(first)
    assert first + answer.raw.read() == whole


def test_an_endless_answer_does_not_end(hubspot: Client) -> None:
    hubspot.fault("endless", times=1)

    answer = hubspot.get(CONTACTS, stream=True)
    read = answer.raw.read(1_000_000)
    answer.close()

    assert len(read) == 1_000_000
    assert hubspot.get(CONTACTS).status_code == 200


def test_half_of_a_batch_is_applied_before_the_error(hubspot: Client) -> None:
    hubspot.fault("half_batch", times=1)
    inputs = [{"properties": {"email": f"p{n}@example.com"}} for n in range(10)]

    answer = hubspot.post(f"{CONTACTS}/batch/create", {"inputs": inputs})

    assert answer.status_code == 500
    assert total(hubspot) == 5


@pytest.mark.parametrize(
    ("fault", "value", "ids"),
    [
        ("missing_items", 2, ["101"]),
        ("extra_items", None, ["101", "102", "103", "999999999"]),
        ("repeated_items", None, ["101", "101", "102", "103"]),
        ("shuffled", None, ["101", "102", "103"]),
    ],
)
def test_the_items_of_an_answer_can_be_wrong(
    hubspot: Client, fault: str, value: object, ids: list[str]
) -> None:
    for name in "abc":
        hubspot.create("contacts", firstname=name)
    hubspot.fault(fault, value=value)

    answer = hubspot.get(CONTACTS)

    assert sorted(each["id"] for each in answer.json()["results"]) == ids


def test_ids_can_be_there_before_the_values(hubspot: Client) -> None:
    hubspot.create("contacts", firstname="Ann")
    hubspot.fault("thin_items")

    answer = hubspot.get(CONTACTS)

    assert answer.json()["results"][0]["id"] == "101"
    assert set(answer.json()["results"][0]["properties"].values()) == {None}


def test_a_repeated_cursor_leads_to_the_same_page(hubspot: Client) -> None:
    hubspot.post("/_sim/seed", {"contacts": 30, "seed": 1})
    hubspot.fault("repeated_cursor")

    answer = hubspot.get(f"{CONTACTS}?limit=10&after=110")

    assert answer.json()["paging"]["next"]["after"] == "110"


@pytest.mark.parametrize(
    ("fault", "status", "category"),
    [("token_expired", 401, "EXPIRED_AUTHENTICATION"), ("scope_removed", 403, "MISSING_SCOPES")],
)
def test_rights_can_be_lost_in_between(
    hubspot: Client, fault: str, status: int, category: str
) -> None:
    hubspot.fault(fault)

    answer = hubspot.get(CONTACTS)

    assert (answer.status_code, answer.json()["category"]) == (status, category)


def test_a_redirect_leads_elsewhere(hubspot: Client) -> None:
    hubspot.fault("redirect", value="http://127.0.0.1:1/secret")

    answer = hubspot.get(CONTACTS)

    assert answer.status_code == 302
    assert answer.headers["Location"] == "http://127.0.0.1:1/secret"


def test_a_header_can_be_too_long_to_read(hubspot: Client) -> None:
    hubspot.fault("huge_header", times=1)

    with pytest.raises(requests.RequestException):
        hubspot.get(CONTACTS)

    assert hubspot.get(CONTACTS).status_code == 200


def test_the_controls_work_while_a_fault_is_on(hubspot: Client) -> None:
    for fault in FAULTS:
        hubspot.fault(fault)
        assert total(hubspot) == 0


def wait_until(reached: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(200):
        if reached():
            return
        pause.wait(0.05)
    pytest.fail("it did not happen")
