"""Publishing a mapping, and the one walk of the links that were agreed on under an older one."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID
from zlib import crc32

import pytest

from crm_admin import crashpoints
from crm_admin.crashpoints import Crashed
from crm_admin.errors import BadInput, NotAllowed
from crm_admin.mapping.rules import FieldRule, Step
from crm_admin.packs.registry import default_mapping
from crm_admin.security.permissions import Role
from crm_admin.services import mapping_versions
from crm_admin.sync.merge import Rewrite
from tests.services.engine.conftest import Desk, HubSpot

PREFIX = Step(
    "value_table", {"table": {f"in {city}": city for city in ("Porto", "Lisboa", "Faro")}}
)
"""They write `in Porto` for our Porto."""
QUIET = {"created": 0, "updated": 0, "deleted": 0}


def contact_rules() -> tuple[FieldRule, ...]:
    found = default_mapping("hubspot", "contacts", "contact")
    assert found is not None
    return found.rules


def with_city(**changes: object) -> list[FieldRule]:
    return [
        replace(rule, **changes) if rule.id == "city" else rule  # type: ignore[arg-type]
        for rule in contact_rules()
    ]


def stream_of(desk: Desk) -> UUID:
    found: UUID = desk.rows("SELECT id FROM stream WHERE kind = 'contact'")[0]["id"]
    return found


def publish(desk: Desk, rules: Sequence[FieldRule], choice: Rewrite, percent: int = 100) -> int:
    return mapping_versions.publish(
        person=desk.person,
        stream_id=stream_of(desk),
        rules=rules,
        choices={"city": choice},
        percent=percent,
    )


@pytest.fixture
def people(desk: Desk, hubspot: HubSpot) -> list[str]:
    """Linked contacts that no delta would read again by itself."""
    ids = [
        hubspot.add("contacts", email=f"a{n}@example.test", firstname=f"A{n}", city="Porto")
        for n in range(6)
    ]
    desk.sync("full")
    desk.change("UPDATE stream SET watermark = now() + interval '600 s'")
    return ids


def cities(desk: Desk) -> set[str]:
    return {row["city"] for row in desk.rows("SELECT data->>'city' AS city FROM record")}


def theirs(hubspot: HubSpot) -> set[str]:
    return {one["city"] for one in hubspot.all("contacts").values()}


def quiet(desk: Desk) -> bool:
    runs = [desk.sync("delta"), desk.sync("full")]
    return all((run.ours, run.theirs) == (QUIET, QUIET) for run in runs)


@pytest.mark.parametrize(
    ("choice", "ours", "there"),
    [
        (Rewrite.THEIRS, {"Porto"}, {"in Porto"}),
        (Rewrite.OURS, {"Porto"}, {"Porto"}),
        (Rewrite.NOW, {"Porto"}, {"Porto"}),
    ],
)
def test_a_changed_rule_is_carried_out_once_as_was_chosen(
    desk: Desk,
    hubspot: HubSpot,
    people: list[str],
    choice: Rewrite,
    ours: set[str],
    there: set[str],
) -> None:
    number = publish(desk, with_city(steps=(PREFIX,)), choice)
    run = desk.sync("delta")

    assert (number, run.state) == (2, "succeeded")
    assert (cities(desk), theirs(hubspot)) == (ours, there)
    versions = desk.rows("SELECT DISTINCT mapping_version FROM link")
    assert versions == [{"mapping_version": 2}]
    assert desk.rows("SELECT 1 FROM stream WHERE remap_due") == []
    assert quiet(desk)


def test_ours_is_made_anew_by_a_rule_that_reads_otherwise(
    desk: Desk, hubspot: HubSpot, people: list[str]
) -> None:
    table = Step("value_table", {"table": {"Porto": "Oporto"}})

    publish(desk, with_city(steps=(table,)), Rewrite.OURS)
    run = desk.sync("delta")

    assert (run.ours["updated"], run.writes_theirs) == (6, 0)
    assert (cities(desk), theirs(hubspot)) == ({"Oporto"}, {"Porto"})
    assert quiet(desk)


def test_from_now_on_an_edit_is_sent_by_the_new_rule(
    desk: Desk, hubspot: HubSpot, people: list[str]
) -> None:
    publish(desk, with_city(steps=(PREFIX,)), Rewrite.NOW)
    desk.sync("delta")

    desk.edit(desk.by_title("A0")["id"], city="Lisboa")
    desk.sync("delta")

    assert theirs(hubspot) == {"Porto", "in Lisboa"}


def test_an_edit_that_was_under_way_is_not_lost(
    desk: Desk, hubspot: HubSpot, people: list[str]
) -> None:
    hubspot.edit("contacts", people[0], city="in Faro")

    publish(desk, with_city(steps=(PREFIX,)), Rewrite.THEIRS)
    desk.sync("delta")

    assert cities(desk) == {"Porto", "Faro"}
    assert theirs(hubspot) == {"in Porto", "in Faro"}


@pytest.mark.parametrize(
    ("choice", "state"),
    [
        (Rewrite.THEIRS, {"Porto"}),
        (Rewrite.OURS, {"Norte"}),
        (Rewrite.NOW, {"Norte"}),
    ],
)
def test_a_rule_that_pairs_another_field_is_a_new_one(
    desk: Desk, hubspot: HubSpot, people: list[str], choice: Rewrite, state: set[str]
) -> None:
    rules = [rule for rule in with_city(theirs="jobtitle") if rule.id != "job_title"]
    for remote in people:
        hubspot.edit("contacts", remote, jobtitle="Norte")

    publish(desk, rules, choice)
    desk.sync("delta")

    held = {one["jobtitle"] for one in hubspot.all("contacts").values()}
    assert held == state
    assert cities(desk) == ({"Norte"} if choice is Rewrite.OURS else {"Porto"})
    assert theirs(hubspot) == {"Porto"}
    query = "SELECT DISTINCT rule_id FROM field_rule WHERE rule_id LIKE 'city%%' ORDER BY 1"
    ids = desk.rows(query)
    assert [row["rule_id"] for row in ids] == ["city", "city-2"]
    assert quiet(desk)


def test_a_part_of_the_records_goes_first(desk: Desk, hubspot: HubSpot, people: list[str]) -> None:
    records = [row["id"] for row in desk.rows("SELECT id FROM record")]
    shares = sorted(crc32(str(one).encode()) % 100 for one in records)
    percent = max(1, shares[2] + 1)
    first = sum(1 for share in shares if share < percent)

    publish(desk, with_city(steps=(PREFIX,)), Rewrite.THEIRS, percent)
    part = desk.sync("delta")
    again = [desk.sync("delta").writes_theirs, desk.sync("full").writes_theirs]
    mapping_versions.widen(person=desk.person, stream_id=stream_of(desk), percent=100)
    rest = desk.sync("delta")

    assert (part.theirs["updated"], again) == (first, [0, 0])
    assert rest.theirs["updated"] == 6 - first
    assert theirs(hubspot) == {"in Porto"}
    assert quiet(desk)


def test_the_walk_goes_on_where_it_was_killed(
    desk: Desk, hubspot: HubSpot, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_admin.services.engine.remap.SLICE", 2)
    publish(desk, with_city(steps=(PREFIX,)), Rewrite.THEIRS)
    hits: list[str] = []

    def act(name: str) -> None:
        if name == "remap.read":
            hits.append(name)
            if len(hits) == 2:
                raise Crashed(name)

    crashpoints.install(act)
    try:
        with pytest.raises(Crashed):
            desk.sync("delta")
    finally:
        crashpoints.install(None)
    desk.change("UPDATE sync_run SET lease_until = now() - interval '1 s'")
    run = desk.work(desk.rows("SELECT id FROM sync_run WHERE state = 'running'")[0]["id"])

    assert (run.state, run.theirs["updated"]) == ("succeeded", 6)
    assert theirs(hubspot) == {"in Porto"}
    assert quiet(desk)


def test_a_value_that_was_refused_there_is_made_anew_later(
    desk: Desk, hubspot: HubSpot, people: list[str]
) -> None:
    publish(desk, with_city(steps=(PREFIX,)), Rewrite.THEIRS)
    hubspot.fail({"method": "POST", "path": "batch/update", "fault": "400", "times": 20})
    failed = desk.sync("delta")
    hubspot.fail()

    desk.change("UPDATE outbox SET not_before = now()")
    desk.sync("delta")

    assert failed.state == "partial"
    assert theirs(hubspot) == {"in Porto"}


def test_publishing_needs_the_right_and_a_mapping_that_can_be(desk: Desk) -> None:
    viewer = replace(desk.person, role=Role.VIEWER)
    named = {"stream_id": stream_of(desk), "rules": contact_rules(), "choices": {}}

    with pytest.raises(NotAllowed):
        mapping_versions.publish(person=viewer, **named)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        mapping_versions.publish(person=desk.person, percent=0, **named)  # type: ignore[arg-type]
    twice = {**named, "rules": contact_rules()[:1] * 2}
    with pytest.raises(BadInput):
        mapping_versions.publish(person=desk.person, **twice)  # type: ignore[arg-type]
    assert mapping_versions.publish(person=desk.person, **named) == 2  # type: ignore[arg-type]
    assert desk.rows("SELECT 1 FROM stream WHERE remap_due") == []
