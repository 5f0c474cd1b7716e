"""What is muted or snoozed stays away itself, and hides nothing that came later or is others'."""

import pytest
from flask import Flask

from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from tests.blueprints.test_work_list import HOME, LIST, change, key_of, titles, visitor
from tests.demo_rows import World, full_world
from tests.visiting import Visitor

NEW_CONFLICT = """
INSERT INTO conflict (organization_id, id, link_id, stream_id, record_id, connection_id, rule_id,
       field, state, created_at)
SELECT l.organization_id, :id, l.id, l.stream_id, l.record_id, l.connection_id, :rule, :field,
       'open', now() FROM link l WHERE l.record_id = :record
"""
SETTLE = "UPDATE conflict SET state = 'resolved', resolved_at = now()"


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def mute_conflicts(one: Visitor) -> None:
    answer = one.post(
        f"{LIST}/mute", {"key": key_of(one.get(LIST), "both sides"), "reason": "Known"}
    )
    assert answer.status == 303
    assert not any("both sides" in title for title in titles(one.get(LIST)))


@pytest.mark.parametrize("settles", [True, False])
def test_a_conflict_that_came_after_muting_is_on_the_list_and_on_home(
    app: Flask, world: World, settles: bool
) -> None:
    operator = visitor(app, world, Role.OPERATOR)
    mute_conflicts(operator)
    if settles:
        change(app, world, SETTLE)

    change(app, world, NEW_CONFLICT, id=new_id(), rule="r1", field="title", record=world.others)

    seen = operator.get(LIST)
    assert any("both sides" in title for title in titles(seen))
    assert any("both sides" in title for title in titles(operator.get(HOME)))
    assert "Muted by" not in seen.text


def test_more_conflicts_than_were_muted_are_on_the_list_however_old(
    app: Flask, world: World
) -> None:
    admin = visitor(app, world)
    mute_conflicts(admin)

    change(app, world, NEW_CONFLICT, id=new_id(), rule="r1", field="title", record=world.others)
    change(app, world, "UPDATE conflict SET created_at = now() - interval '1 day'")

    assert any("2 fields were changed" in title for title in titles(admin.get(LIST)))


def test_a_new_conflict_after_all_snoozed_ones_were_settled_is_on_the_list(
    app: Flask, world: World
) -> None:
    admin = visitor(app, world)
    key = key_of(admin.get(LIST), "both sides")
    admin.post(f"{LIST}/snooze", {"key": key, "rule": "worse"})
    change(app, world, SETTLE)

    change(app, world, NEW_CONFLICT, id=new_id(), rule="r1", field="title", record=world.others)

    assert any("both sides" in title for title in titles(admin.get(LIST)))


def test_what_others_mute_for_the_organisation_stays_on_a_pov_owners_list(
    app: Flask, world: World
) -> None:
    admin, owner = visitor(app, world), visitor(app, world, Role.POV_OWNER)

    mute_conflicts(admin)
    seen = owner.get(LIST)

    assert titles(seen) == ["1 field was changed on both sides"]
    assert "Known" not in seen.text
