"""Errors grouped by cause, and what the buttons beside them do."""

import pytest

from crm_admin.errors import BadInput, NotAllowed
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from crm_admin.services import fixes
from crm_admin.services.access import Person
from crm_admin.services.option_mapping import map_option
from crm_admin.services.queries import errors
from crm_admin.services.sql import dumps
from tests.services.engine.conftest import Desk, HubSpot, desk, hubspot

__all__ = ["desk", "hubspot"]


def refused(desk: Desk, hubspot: HubSpot, amount: int = 3, *, stage: str = "galaxy") -> None:
    """Contacts whose life cycle stage is none the CRM knows, linked before it was chosen."""
    ids = [
        desk.add("contact", first_name=f"Ann {n}", email=f"ann{n}@example.test")
        for n in range(amount)
    ]
    desk.sync("full")
    for record_id in ids:
        desk.change(
            "UPDATE record SET data = data || %s, version = version + 1 WHERE id = %s",
            dumps({"lifecycle_stage": stage, "city": "Faro"}),
            record_id,
        )
        desk.change(
            "INSERT INTO outbox (organization_id, stream_id, record_id, version, not_before,"
            " created_at) SELECT r.organization_id, l.stream_id, r.id, r.version, now(), now()"
            " FROM record r JOIN link l ON l.record_id = r.id WHERE r.id = %s",
            record_id,
        )
    desk.sync()


def test_failures_with_one_cause_are_one_error_with_its_fixes(desk: Desk, hubspot: HubSpot) -> None:
    refused(desk, hubspot)

    found = errors.groups(desk.person)

    assert [(group.count, group.field, group.object) for group in found] == [
        (3, "lifecyclestage", "contacts")
    ]
    group = found[0]
    assert group.title == "HubSpot refused 3 contacts"
    assert "galaxy" in group.cause
    assert [fix.code for fix in group.fixes] == ["retry", "skip", "rule", "record"]
    assert sum(group.days) == 3
    assert errors.groups(desk.person, run_id=group.run_id)[0].key == group.key


def test_what_was_made_good_is_no_error_any_more(desk: Desk, hubspot: HubSpot) -> None:
    refused(desk, hubspot, 2)
    one = desk.rows("SELECT id FROM record ORDER BY id LIMIT 1")[0]["id"]
    desk.edit(one, lifecycle_stage="lead")

    desk.sync()

    assert [group.count for group in errors.groups(desk.person)] == [1]


def test_retrying_asks_for_each_record_once(desk: Desk, hubspot: HubSpot) -> None:
    refused(desk, hubspot)
    key = errors.groups(desk.person)[0].key
    desk.change('UPDATE record SET data = data || \'{"lifecycle_stage": "lead"}\'')

    first = fixes.retry(person=desk.person, key=key, once_key="k1", wake=False)
    again = fixes.retry(person=desk.person, key=key, once_key="k1", wake=False)

    assert (first.records, again.runs[0].id) == (3, first.runs[0].id)
    assert len(desk.rows("SELECT 1 FROM wanted")) == 3
    assert desk.work(first.runs[0].id).state == "succeeded"
    stages = [one["lifecyclestage"] for one in hubspot.all("contacts").values()]
    assert stages == ["lead"] * 3
    assert errors.groups(desk.person) == []
    with pytest.raises(BadInput):
        fixes.retry(person=desk.person, key=key)


def test_the_failed_part_of_one_run_is_retried(desk: Desk, hubspot: HubSpot) -> None:
    refused(desk, hubspot, 2)
    run_id = errors.groups(desk.person)[0].run_id

    asked = fixes.retry(person=desk.person, run_id=run_id, wake=False)

    assert asked.records == 2
    assert desk.work(asked.runs[0].id).failed == 2


def test_a_skipped_value_stays_until_it_changes_and_the_rest_is_sent(
    desk: Desk, hubspot: HubSpot
) -> None:
    refused(desk, hubspot, 2)
    key = errors.groups(desk.person)[0].key

    done = fixes.skip_until_changed(person=desk.person, key=key)

    assert done.records == 2
    assert errors.groups(desk.person) == []
    assert desk.sync("full").failed == 0
    cities = {one["city"] for one in hubspot.all("contacts").values()}
    assert cities == {"Faro"}
    assert desk.sync("full").writes_theirs == 0
    one = desk.rows("SELECT id FROM record ORDER BY id LIMIT 1")[0]["id"]
    desk.edit(one, lifecycle_stage="lead")
    assert desk.sync().writes_theirs == 1


def test_a_pov_owner_is_told_of_own_povs_only(desk: Desk, hubspot: HubSpot) -> None:
    refused(desk, hubspot, 1)
    owner = Person(new_id(), "Priya", Role.POV_OWNER, desk.person.organization_id)

    assert errors.groups(owner) == []


def test_a_connection_that_only_observes_is_not_written_to(desk: Desk, hubspot: HubSpot) -> None:
    refused(desk, hubspot, 1)
    key = errors.groups(desk.person)[0].key
    desk.change("UPDATE connection SET stance = 'observe'")

    with pytest.raises(BadInput, match="only observes"):
        fixes.retry(person=desk.person, key=key)


def test_a_connection_that_fails_as_a_whole_is_an_error_of_its_own(
    desk: Desk, hubspot: HubSpot
) -> None:
    desk.sync("full")
    desk.change(
        "UPDATE sync_run SET state = 'failed', reason = 'The token was refused.', reason_code ="
        " 'needs_attention'"
    )
    desk.change("UPDATE connection SET health = 'needs_reconnect'")

    found = errors.groups(desk.person)

    assert [(group.whole, group.cause) for group in found] == [(True, "The token was refused.")]
    assert [fix.code for fix in found[0].fixes] == ["reconnect"]


def test_a_value_without_an_option_is_mapped_to_the_one_that_is_meant(
    desk: Desk, hubspot: HubSpot
) -> None:
    refused(desk, hubspot, 2, stage="Op-portunity")
    group = errors.groups(desk.person)[0]
    fix = group.fixes[0]

    done = map_option(person=desk.person, key=group.key, option=fix.value, wake=False)

    assert (fix.code, fix.label) == ("map", "Map Op-portunity to Opportunity (clears 2)")
    assert done.records == 2
    assert desk.work(done.runs[0].id).state == "succeeded"
    stages = [one["lifecyclestage"] for one in hubspot.all("contacts").values()]
    assert stages == ["opportunity"] * 2
    assert errors.groups(desk.person) == []
    quiet = desk.sync("full")
    assert (quiet.writes_theirs, quiet.ours["updated"]) == (0, 0)
    held = {row["v"] for row in desk.rows("SELECT data->>'lifecycle_stage' AS v FROM record")}
    assert held == {"Op-portunity"}


def test_only_an_option_of_the_crm_and_only_by_who_may_publish(
    desk: Desk, hubspot: HubSpot
) -> None:
    refused(desk, hubspot, 1, stage="Op-portunity")
    key = errors.groups(desk.person)[0].key
    operator = Person(new_id(), "Op", Role.OPERATOR, desk.person.organization_id)

    with pytest.raises(BadInput):
        map_option(person=desk.person, key=key, option="galaxy")
    with pytest.raises(NotAllowed):
        map_option(person=operator, key=key, option="opportunity")
