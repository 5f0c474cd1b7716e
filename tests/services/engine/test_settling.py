"""What people may choose for a conflict, what becomes of it, and second thoughts."""

from typing import Any
from uuid import UUID

import pytest

from crm_admin.errors import NotFound, Stale
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from crm_admin.services import conflict_claims, conflict_undo, conflicts
from crm_admin.services.access import Person
from crm_admin.services.conflicts import Decision, Settled
from tests.services.engine.conftest import Desk, HubSpot

EURO = {"amount": "1300", "currency": "EUR"}


class Collision:
    """A POV whose revenue was changed on both sides, and what a person does about it."""

    def __init__(self, desk: Desk, hubspot: HubSpot) -> None:
        self.desk, self.hubspot = desk, hubspot
        self.remote = hubspot.add(
            "deals", dealname="Cold chain", pipeline="pov", amount="1000", dealstage="planned"
        )
        desk.sync("full")
        self.record: UUID = desk.by_title("Cold chain")["id"]
        desk.edit(self.record, revenue={"amount": "1200", "currency": "EUR"})
        hubspot.edit("deals", self.remote, amount="1500")
        desk.sync("delta")

    def row(self) -> dict[str, Any]:
        return self.desk.rows("SELECT * FROM conflict ORDER BY created_at DESC, id DESC")[0]

    def choose(self, choice: str, typed: Any = None, seen: str = "") -> Settled:
        row = self.row()
        decision = Decision(row["id"], choice, seen or conflicts.seen_of(row), typed)
        return conflicts.settle(person=self.desk.person, decisions=[decision])[0]

    def work(self) -> None:
        for run in self.desk.rows("SELECT id FROM sync_run WHERE state = 'queued'"):
            self.desk.work(run["id"])

    def values(self) -> tuple[int, float]:
        """Our minor units and their amount."""
        theirs = self.hubspot.all("deals")[self.remote]["amount"]
        return self.desk.record(self.record)["amount"], float(theirs)


@pytest.fixture
def collision(desk: Desk, hubspot: HubSpot) -> Collision:
    return Collision(desk, hubspot)


def assert_quiet(desk: Desk) -> None:
    again = desk.sync("full")
    assert (again.writes_theirs, again.ours["updated"], again.conflicts) == (0, 0, 0)


@pytest.mark.parametrize("typed", [EURO, {"amount": "1000", "currency": "EUR"}])
def test_a_typed_value_is_written_to_both_sides_even_the_last_agreed_one(
    desk: Desk, collision: Collision, typed: dict[str, str]
) -> None:
    done = collision.choose("typed", typed)

    collision.work()

    amount = int(typed["amount"])
    assert done.state == "settled"
    assert collision.values() == (amount * 100, float(amount))
    assert (collision.row()["how"], collision.row()["result"]) == ("typed", {"v": typed})
    assert_quiet(desk)


def test_a_typed_value_that_cannot_be_saved_settles_nothing(collision: Collision) -> None:
    done = collision.choose("typed", {"amount": "a lot", "currency": "EUR"})

    assert (done.state, done.field) == ("refused", "revenue")
    assert done.sentence
    assert collision.row()["state"] == "open"
    assert collision.values() == (120_000, 1500.0)


def test_twice_is_once_and_another_choice_comes_too_late(collision: Collision) -> None:
    seen = conflicts.seen_of(collision.row())

    first = collision.choose("ours", seen=seen)
    again = collision.choose("ours", seen=seen)
    other = collision.choose("theirs", seen=seen)

    assert (first.state, again.state, other.state) == ("settled", "already", "late")
    assert "Ana Silva settled this" in other.sentence
    collision.work()
    assert collision.values() == (120_000, 1200.0)


def test_a_value_that_moved_is_shown_fresh_and_then_settled(
    desk: Desk, collision: Collision
) -> None:
    seen = conflicts.seen_of(collision.row())
    desk.edit(collision.record, revenue=EURO)

    first = collision.choose("ours", seen=seen)
    fresh = collision.row()
    second = collision.choose("ours")

    assert (first.state, second.state) == ("reopened", "settled")
    assert fresh["ours"] == {"v": EURO}
    assert conflicts.seen_of(fresh) != seen
    collision.work()
    assert collision.values() == (130_000, 1300.0)


def test_the_newest_is_chosen_only_when_it_is_known(desk: Desk, collision: Collision) -> None:
    desk.change("UPDATE conflict SET theirs_at = ours_at")
    unknown = collision.choose("newest")
    desk.change("UPDATE conflict SET theirs_at = ours_at + interval '1 hour'")
    known = collision.choose("newest")

    assert (unknown.state, known.state, known.choice) == ("refused", "settled", "theirs")


def test_a_choice_is_taken_while_a_run_is_live(desk: Desk, collision: Collision) -> None:
    desk.change(
        "INSERT INTO sync_run (organization_id, id, connection_id, mode, state, lease_until)"
        " SELECT organization_id, %s, id, 'delta', 'running', now() + interval '1 hour'"
        " FROM connection",
        new_id(),
    )

    done = collision.choose("theirs")

    assert done.state == "settled"
    assert desk.rows("SELECT what, record_id FROM wanted") == [
        {"what": "record", "record_id": collision.record}
    ]


def test_undo_opens_it_again_before_it_is_carried_out(desk: Desk, collision: Collision) -> None:
    before = desk.rows("SELECT base_ours, base_theirs FROM link")
    row = collision.row()
    for choice, typed in (("ours", None), ("theirs", None), ("typed", EURO)):
        collision.choose(choice, typed)

        undone = conflict_undo.reopen(person=desk.person, conflict_id=row["id"])

        assert undone.reopened
        assert desk.rows("SELECT base_ours, base_theirs FROM link") == before
        assert collision.row()["state"] == "open"
        assert collision.values() == (120_000, 1500.0)
    assert conflict_undo.reopen(person=desk.person, conflict_id=row["id"]).reopened


def test_undo_names_the_run_that_has_carried_it_out(desk: Desk, collision: Collision) -> None:
    collision.choose("theirs")
    collision.work()

    undone = conflict_undo.reopen(person=desk.person, conflict_id=collision.row()["id"])

    assert not undone.reopened
    newest = desk.rows("SELECT id FROM sync_run ORDER BY created_at DESC LIMIT 1")[0]
    assert undone.run_id == newest["id"]
    assert collision.row()["state"] == "resolved"


def test_the_other_value_can_be_used_after_all(desk: Desk, collision: Collision) -> None:
    collision.choose("theirs")
    collision.work()
    conflict_id = collision.row()["id"]

    conflict_undo.use_other(person=desk.person, conflict_id=conflict_id)
    collision.work()

    assert collision.values() == (120_000, 1200.0)
    assert collision.row()["how"] == "ours"
    assert_quiet(desk)


def test_the_other_value_is_not_used_when_the_field_was_changed_since(
    desk: Desk, collision: Collision
) -> None:
    collision.choose("theirs")
    collision.work()
    desk.edit(collision.record, revenue=EURO)

    with pytest.raises(Stale, match="changed again"):
        conflict_undo.use_other(person=desk.person, conflict_id=collision.row()["id"])


def test_a_conflict_settled_by_rule_keeps_the_value_that_lost(
    desk: Desk, collision: Collision
) -> None:
    collision.choose("theirs")
    collision.work()
    desk.change("UPDATE field_rule SET policy = 'theirs_wins'")
    desk.change("UPDATE stream SET policy = 'theirs_wins'")
    desk.edit(collision.record, revenue={"amount": "1700", "currency": "EUR"})
    collision.hubspot.edit("deals", collision.remote, amount="1800")
    desk.sync("delta")
    assert collision.values() == (180_000, 1800.0)
    assert collision.row()["how"] == "by_policy"

    conflict_undo.use_other(person=desk.person, conflict_id=collision.row()["id"])
    collision.work()

    assert collision.values() == (170_000, 1700.0)


def test_who_looks_at_a_conflict_is_said_and_can_be_taken_over(
    desk: Desk, collision: Collision
) -> None:
    conflict_id = collision.row()["id"]
    kofi = Person(new_id(), "Kofi Mensah", Role.OPERATOR, desk.person.organization_id)

    mine = conflict_claims.claim(person=desk.person, conflict_id=conflict_id)
    his = conflict_claims.claim(person=kofi, conflict_id=conflict_id)
    taken = conflict_claims.claim(person=kofi, conflict_id=conflict_id, take_over=True)

    assert (mine, his, taken) == (True, False, True)
    assert collision.row()["claimed_by"] == kofi.user_id
    conflict_claims.release(person=kofi, conflict_id=conflict_id)
    assert collision.row()["claimed_by"] is None


def test_people_settle_only_what_they_may_see(desk: Desk, collision: Collision) -> None:
    owner = Person(new_id(), "Pia", Role.POV_OWNER, desk.person.organization_id)
    row = collision.row()
    decision = Decision(row["id"], "ours", conflicts.seen_of(row))

    done = conflicts.settle(person=owner, decisions=[decision])

    assert done[0].state == "gone"
    assert collision.row()["state"] == "open"
    with pytest.raises(NotFound):
        conflict_undo.reopen(person=owner, conflict_id=row["id"])
    with pytest.raises(NotFound):
        conflict_claims.claim(person=owner, conflict_id=row["id"])


def test_a_field_that_is_not_mapped_any_more_can_only_be_closed(
    desk: Desk, collision: Collision
) -> None:
    still = collision.choose("dismiss")
    desk.change(
        "UPDATE field_rule SET rule_id = 'other' WHERE rule_id = %s", collision.row()["rule_id"]
    )

    chosen = collision.choose("ours")
    closed = collision.choose("dismiss")

    assert (still.state, chosen.state, closed.state) == ("refused", "refused", "settled")
    assert collision.row()["state"] == "dismissed"
