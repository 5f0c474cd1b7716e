"""HubSpot: the suite in both versions of its API, and what is peculiar to it."""

from datetime import timedelta

import pytest

from crm_admin import clock
from crm_admin.errors import RetryLater
from crm_admin.providers.base import Ask, Ending
from crm_admin.providers.hubspot.spec import DATED, V3
from crm_admin.simulators.hubspot.settings import ALL_SCOPES, DEMO_TOKEN
from tests.providers.conformance import Conformance
from tests.providers.lab import Facts, Lab


def contact(number: int) -> dict[str, str]:
    return {"email": f"person{number}@mail.example.com", "firstname": f"Person {number}"}


def hubspot(version: str) -> Facts:
    return Facts(
        provider="hubspot",
        secrets={"access_token": DEMO_TOKEN},
        settings={"api_version": version},
        name="contacts",
        key="email",
        text="firstname",
        parent="companies",
        listing=r"contacts$",
        changes=r"contacts/search$",
        batch_read=r"contacts/batch/read$",
        creates=r"contacts/batch/create$",
        updates=r"contacts/batch/update$",
        archives=r"contacts/batch/archive$",
        make=contact,
        make_parent=lambda number: {"name": f"Company {number}"},
        spoiled={"email": "not an address"},
        spoiled_field="email",
        read_scope="crm.objects.contacts.read",
        write_scope="crm.objects.contacts.write",
        fields_scope="crm.schemas.contacts.write",
        scopes_without=lambda scope: {"scopes": [one for one in ALL_SCOPES if one != scope]},
    )


@pytest.fixture(params=[DATED, V3])
def facts(request: pytest.FixtureRequest) -> Facts:
    return hubspot(request.param)


class TestHubSpot(Conformance):
    """The suite."""


def test_a_merged_record_answers_under_both_old_ids(lab: Lab) -> None:
    one, other = lab.add(1), lab.add(2)
    merged = str(lab.control("merge", {"object": "contacts", "id": one, "other": other})["id"])

    records = lab.open().get("contacts", [one, other], ("email",))

    assert {record.id for record in records} == {merged}
    assert {record.asked_id or record.id for record in records} == {one, other}


def test_an_update_of_a_merged_record_reaches_the_survivor(lab: Lab) -> None:
    one, other = lab.add(1), lab.add(2)
    merged = str(lab.control("merge", {"object": "contacts", "id": one, "other": other})["id"])

    [outcome] = lab.open().write("contacts", [lab.update(one, firstname="Both")])

    assert outcome.ending is Ending.DONE
    assert outcome.record is not None
    assert (outcome.record.id, outcome.record.asked_id) == (merged, one)


def test_more_changes_than_the_search_shows_are_all_read(lab: Lab) -> None:
    """They carry one stamp or nearly so: windows are split, then read by growing ids."""
    lab.config(index_lag=0)
    lab.control("seed", {"contacts": 10_500, "seed": 1})

    ids = [record.id for record in lab.read_changes(lab.open())]

    assert set(ids) == set(lab.truth()) | set(ids[10_000:])
    assert len(set(ids)) == 10_500


def test_rows_out_of_order_are_looked_at_again(lab: Lab) -> None:
    lab.config(index_lag=0, unordered_search=True)
    ids = {lab.add(number) for number in range(450)}

    records = lab.read_changes(lab.open())

    assert {record.id for record in records} == ids
    assert len(records) > len(ids)


def test_a_record_that_leaves_the_window_between_pages_hides_no_other(lab: Lab) -> None:
    lab.config(index_lag=0)
    ids = [lab.add(number) for number in range(450)]
    provider = lab.open()
    now = clock.now()
    ask = Ask("contacts", ("email",), since=now - timedelta(hours=1), until=now)
    page = provider.changes(ask)
    seen = {record.id for record in page.records}
    for record_id in ids[:100]:
        lab.edit(record_id, properties={"firstname": "Later"})

    while page.cursor is not None:
        page = provider.changes(ask, page.cursor)
        seen |= {record.id for record in page.records}

    assert set(ids) - seen == set()


def test_no_changes_cost_one_call(lab: Lab) -> None:
    assert lab.read_changes(lab.open(), associations=("companies",)) == []
    assert len(lab.log.entries) == 1


def test_very_many_properties_are_read_past_the_address_and_the_search(lab: Lab) -> None:
    lab.config(index_lag=0)
    lab.add(1)
    names = tuple(f"a_property_with_a_long_name_{number}" for number in range(300))

    [listed] = lab.read_all(lab.open(), names, associations=("companies",))
    [changed] = lab.read_changes(lab.open(), associations=("companies",), properties=names)

    for record in (listed, changed):
        assert record.properties["firstname"] == "Person 1"
        assert record.associations == {"companies": ()}


def test_the_first_company_is_the_primary_one(lab: Lab) -> None:
    first, second = lab.add_parent(1), lab.add_parent(2)
    provider = lab.open()
    [write] = lab.creates(1)
    [made] = provider.write("contacts", [lab.related(write, second, first)])
    assert made.record is not None

    [record] = provider.get("contacts", [made.record.id], ("associatedcompanyid",), ("companies",))

    assert record.associations == {"companies": (second, first)}
    assert record.properties["associatedcompanyid"] == second


def test_another_company_beside_the_primary_one_does_not_replace_it(lab: Lab) -> None:
    first, second = lab.add_parent(1), lab.add_parent(2)
    provider = lab.open()
    [made] = provider.write("contacts", [lab.related(lab.creates(1)[0], first)])
    assert made.record is not None

    provider.write("contacts", [lab.related(lab.update(made.record.id), second)])

    [record] = provider.get("contacts", [made.record.id], (), ("companies",))
    assert record.associations == {"companies": (first, second)}


@pytest.mark.parametrize(("policy", "seconds"), [("SECONDLY", 1.0), ("TEN_SECONDLY_ROLLING", 10.0)])
def test_a_limit_without_a_header_waits_as_long_as_its_policy(
    lab: Lab, policy: str, seconds: float
) -> None:
    lab.fault("429", r"contacts$", times=1, value=policy)

    lab.read_all(lab.open())

    assert lab.time.pauses == [seconds]


def test_the_daily_limit_is_left_to_the_caller(lab: Lab) -> None:
    lab.fault("429", r"contacts$", value="DAILY")

    with pytest.raises(RetryLater) as later:
        lab.read_all(lab.open())

    assert later.value.after_seconds == 3600


@pytest.mark.parametrize("told", ["nonsense", "-5", "0"])
def test_a_senseless_retry_after_falls_back_to_the_policy(lab: Lab, told: str) -> None:
    lab.fault("429", r"contacts$", times=1, value={"policy": "SECONDLY", "retry_after": told})

    lab.read_all(lab.open())

    assert lab.time.pauses == [1.0]


def test_a_huge_retry_after_is_an_hour(lab: Lab) -> None:
    lab.fault("429", r"contacts$", value={"retry_after": "99999999"})

    with pytest.raises(RetryLater) as later:
        lab.read_all(lab.open())

    assert later.value.after_seconds == 3600


def test_errors_inside_an_accepted_answer_are_found(lab: Lab) -> None:
    """Dated versions may say 200 or 201 where v3 says 207."""
    lab.config(multi_status=False)
    writes = [*lab.creates(1), *lab.creates(2)]
    lab.add(2)

    done, taken = lab.open().write("contacts", writes)

    assert done.ending is Ending.DONE
    assert taken.ending is Ending.EXISTS


def test_rules_of_the_account_are_told_by_field(lab: Lab) -> None:
    lab.config(required={"contacts": ["jobtitle"]})

    [outcome] = lab.open().write("contacts", lab.creates(1))

    if lab.facts.settings["api_version"] == DATED:
        assert (outcome.ending, outcome.field) == (Ending.REJECTED, "jobtitle")
        assert outcome.code.startswith("MISSING")
    else:
        assert outcome.ending is Ending.DONE


def test_real_limits_are_never_broken(lab: Lab) -> None:
    """The budget learns from headers, and search has its own limit."""
    lab.config(limits={"ten_secondly": 100, "search_secondly": 5}, index_lag=0)
    provider = lab.open()

    for _ in range(4):
        lab.read_changes(provider)
        lab.read_all(provider)

    assert all(entry.status == 200 for entry in lab.log.entries)
