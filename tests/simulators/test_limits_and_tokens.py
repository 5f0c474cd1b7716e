"""Who may call, how often, and what the headers say."""

import time
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest

from tests.simulators.client import Client

CONTACTS = "/crm/v3/objects/contacts"
HEADER = "X-HubSpot-RateLimit-Remaining"


def test_headers_count_down_and_the_limit_refuses(hubspot: Client) -> None:
    hubspot.config(limits={"ten_secondly": 3})

    answers = [hubspot.get(CONTACTS) for _ in range(4)]

    assert [answer.headers[HEADER] for answer in answers] == ["2", "1", "0", "0"]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert "Retry-After" not in answers[-1].headers


def test_search_has_its_own_limit_and_no_headers(hubspot: Client) -> None:
    hubspot.config(limits={"search_secondly": 2})

    answers = [hubspot.post(f"{CONTACTS}/search", {}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["policyName"] == "SECONDLY"
    assert not any(name.lower().startswith("x-hubspot") for name in answers[-1].headers)


def test_a_day_that_is_used_up_refuses_everything(hubspot: Client) -> None:
    hubspot.config(limits={"daily": 1})

    answers = [hubspot.get(CONTACTS), hubspot.post(f"{CONTACTS}/search", {})]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["policyName"] == "DAILY"


def test_without_limits_nothing_is_refused_and_the_headers_show_room(hubspot: Client) -> None:
    answers = [hubspot.get(CONTACTS) for _ in range(250)]

    assert {answer.status_code for answer in answers} == {200}
    assert int(answers[-1].headers[HEADER]) > 100_000


def test_the_account_tells_its_details_and_its_usage(hubspot: Client) -> None:
    hubspot.get(CONTACTS)

    details = hubspot.get("/account-info/2026-09/details").json()
    usage = hubspot.get("/account-info/v3/api-usage/daily/private-apps").json()["results"][0]

    assert details["portalId"] > 0
    assert details["timeZone"]
    assert usage["currentUsage"] == 3
    assert usage["usageLimit"] == 625_000


@pytest.mark.parametrize("token", ["", "pat-na1-unknown", "nonsense"])
def test_an_unknown_token_is_not_let_in(hubspot: Client, token: str) -> None:
    with Client(hubspot.url, token) as stranger:
        answer = stranger.get(CONTACTS)

    assert answer.status_code == 401
    assert answer.json()["category"] == "INVALID_AUTHENTICATION"


def test_any_token_may_be_let_in(hubspot: Client) -> None:
    hubspot.config(any_token=True)

    with Client(hubspot.url, "whatever") as stranger:
        answer = stranger.get(CONTACTS)

    assert answer.status_code == 200


def test_a_token_without_the_scope_is_told_which_one_is_missing(hubspot: Client) -> None:
    hubspot.config(tokens={"narrow": {"scopes": ["crm.objects.contacts.read"]}})

    with Client(hubspot.url, "narrow") as narrow:
        allowed = narrow.get(CONTACTS)
        refused = narrow.post(CONTACTS, {"properties": {"firstname": "A"}})

    assert allowed.status_code == 200
    assert refused.status_code == 403
    assert refused.json()["category"] == "MISSING_SCOPES"
    context = refused.json()["errors"][0]["context"]
    assert context["requiredGranularScopes"] == ["crm.objects.contacts.write"]


def test_an_expired_token_says_so(hubspot: Client) -> None:
    hubspot.config(tokens={"old": {"expires_at": 1000}})

    with Client(hubspot.url, "old") as late:
        answer = late.get(CONTACTS)

    assert answer.status_code == 401
    assert answer.json()["category"] == "EXPIRED_AUTHENTICATION"


def test_tokens_of_two_accounts_see_different_records(hubspot: Client) -> None:
    hubspot.config(tokens={"other": {"portal": 77}})
    hubspot.create("contacts", firstname="Ann")

    with Client(hubspot.url, "other") as other:
        seen = other.get(CONTACTS).json()["results"]
        details = other.get("/account-info/v3/details").json()

    assert seen == []
    assert details["portalId"] == 77


def test_the_providers_clock_can_be_wrong(hubspot: Client) -> None:
    hubspot.config(clock_offset=-7200)
    before = time.time() - 7201

    made = hubspot.post(CONTACTS, {"properties": {"firstname": "Ann"}})

    after = time.time() - 7199
    stamp = made.json()["updatedAt"]
    assert before < datetime.fromisoformat(stamp).timestamp() < after
    assert before < parsedate_to_datetime(made.headers["Date"]).timestamp() < after
    assert hubspot.log()[-1]["at"] == stamp
