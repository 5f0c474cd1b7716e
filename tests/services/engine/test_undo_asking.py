"""Who may ask for an undo, of what, how often, and what a refusal says."""

from uuid import UUID

import pytest

from crm_admin.errors import BadInput, NotAllowed
from crm_admin.security.permissions import Role
from crm_admin.services import undo
from crm_admin.services.access import Person
from tests.services.engine.conftest import Desk, HubSpot
from tests.services.engine.test_undo import edited, planned

__all__ = ["edited"]


def test_asking_twice_gives_the_same_undo(desk: Desk, edited: tuple[UUID, str, UUID]) -> None:
    plan = planned(desk, edited[2])

    again = undo.start(person=desk.person, run_id=edited[2], staged=True, wake=False)

    assert (again.id, again.folded) == (plan.run, True)


def test_an_undo_without_plan_replaces_one_that_waits(
    desk: Desk, edited: tuple[UUID, str, UUID]
) -> None:
    plan = planned(desk, edited[2])

    done = desk.undo(edited[2])

    assert done.state == "succeeded"
    assert desk.rows("SELECT state FROM sync_run WHERE id = %s", plan.run)[0]["state"] == (
        "cancelled"
    )


def test_a_run_undone_already_says_what_to_undo_instead(
    desk: Desk, edited: tuple[UUID, str, UUID]
) -> None:
    first = desk.undo(edited[2])

    with pytest.raises(BadInput, match="Undo that undo"):
        desk.undo(edited[2])
    desk.undo(first.run)
    with pytest.raises(BadInput, match="brought it back"):
        desk.undo(edited[2])


def test_a_run_is_not_undone_while_another_one_is_live(
    desk: Desk, edited: tuple[UUID, str, UUID]
) -> None:
    desk.change("UPDATE sync_run SET state = 'queued' WHERE id <> %s", edited[2])

    with pytest.raises(BadInput, match="A sync is running"):
        desk.undo(edited[2])


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE sync_run SET finished_at = now() - interval '31 days'", "30 days"),
        ("UPDATE connection SET stance = 'paused'", "is paused"),
    ],
)
def test_an_undo_that_cannot_be_says_why(
    desk: Desk, edited: tuple[UUID, str, UUID], statement: str, sentence: str
) -> None:
    desk.change(statement)

    with pytest.raises(BadInput, match=sentence):
        desk.undo(edited[2])


def test_a_viewer_may_not_undo(desk: Desk, edited: tuple[UUID, str, UUID]) -> None:
    viewer = Person(desk.person.user_id, "Vi", Role.VIEWER, desk.person.organization_id)

    with pytest.raises(NotAllowed):
        undo.start(person=viewer, run_id=edited[2], wake=False)


def test_a_plan_with_nothing_to_put_back_leaves_the_watermarks_alone(
    desk: Desk, hubspot: HubSpot, edited: tuple[UUID, str, UUID]
) -> None:
    record, remote, run = edited
    desk.edit(record, city="Faro")
    hubspot.edit("contacts", remote, jobtitle="Chair")
    marks = desk.rows("SELECT id, watermark FROM stream ORDER BY id")

    plan = planned(desk, run)

    assert (plan.state, "Nothing to put back" in plan.message) == ("succeeded", True)
    assert desk.rows("SELECT id, watermark FROM stream ORDER BY id") == marks
