import pytest

from crm_admin.mapping.rules import Direction, FirstAgreement, Policy
from crm_admin.sync.merge import Base, Declined, Inputs, RuleFacts, Verdict, hash_of, merge_field
from crm_admin.sync.states import OperationAction, Side
from crm_admin.sync.undo import Done, FieldDone, Kept, Now, Stay, inverse

BASE = Base("a", "a")
TAKEN = Done(Side.OURS, OperationAction.UPDATE, (FieldDone("name", "r1", "a", "b", BASE),))
SENT = Done(Side.THEIRS, OperationAction.UPDATE, (FieldDone("dealname", "r1", "a", "b", BASE),))


def test_what_was_taken_goes_back_and_their_value_is_turned_down() -> None:
    back = inverse(TAKEN, Now({"name": "b"}, ours={"r1": "b"}, theirs={"r1": "b"}))

    assert (back.action, back.values) == (OperationAction.UPDATE, {"name": "a"})
    assert back.bases == {"r1": BASE}
    assert back.declined == {"r1": Declined(Side.THEIRS, hash_of("b"))}


def test_what_was_sent_goes_back_and_our_value_is_turned_down() -> None:
    back = inverse(SENT, Now({"dealname": "b"}, ours={"r1": "b"}, theirs={"r1": "b"}))

    assert back.values == {"dealname": "a"}
    assert back.declined == {"r1": Declined(Side.OURS, hash_of("b"))}


@pytest.mark.parametrize("first", [True, False], ids=["never agreed before", "agreed before"])
@pytest.mark.parametrize("side", list(Side))
def test_the_merge_leaves_alone_what_was_taken_back(side: Side, first: bool) -> None:
    bases = None if first else BASE
    name = "name" if side is Side.OURS else "dealname"
    done = Done(side, OperationAction.UPDATE, (FieldDone(name, "r1", "a", "b", bases),))
    back = inverse(done, Now({name: "b"}, ours={"r1": "b"}, theirs={"r1": "b"}))
    ours, theirs = ("a", "b") if side is Side.OURS else ("b", "a")
    facts = RuleFacts("r1", Direction.BOTH, Policy.NEWEST_WINS, FirstAgreement.OURS, required=False)

    choice = merge_field(
        facts,
        Inputs(ours, theirs, back.bases["r1"], (back.declined["r1"],)),
        lambda value: value,
        lambda wire: wire,
    )

    assert choice.verdict is Verdict.NOTHING


def test_a_field_changed_since_stays_and_is_listed() -> None:
    two = (FieldDone("name", "r1", "a", "b", BASE), FieldDone("city", "r2", "x", "y"))
    done = Done(Side.OURS, OperationAction.UPDATE, two)

    back = inverse(done, Now({"name": "c", "city": "y"}))

    assert back.values == {"city": "x"}
    assert back.kept == (Kept("name", Stay.CHANGED_SINCE),)
    assert back.kept[0].sentence == "Name was changed again since and stays as it is."
    assert "r1" not in back.bases


def test_taking_back_twice_does_nothing() -> None:
    back = inverse(TAKEN, Now({"name": "a"}))

    assert (back.action, back.values) == (None, {})


def test_a_number_of_theirs_in_another_spelling_is_still_what_was_sent() -> None:
    field = FieldDone("amount", "r1", "5", "10", wire_type="decimal")

    back = inverse(Done(Side.THEIRS, OperationAction.UPDATE, (field,)), Now({"amount": "10.00"}))

    assert back.values == {"amount": "5"}


def test_a_field_that_could_not_be_read_stays() -> None:
    back = inverse(SENT, Now({}))

    assert back.kept == (Kept("dealname", Stay.NOT_READ),)


@pytest.mark.parametrize(
    ("now", "action", "why", "detach"),
    [
        (Now({}), OperationAction.DELETE, None, True),
        (Now({}, touched=True), None, Stay.RECORD_CHANGED, False),
        (Now({}, exists=False), None, Stay.RECORD_GONE, True),
    ],
    ids=["untouched", "touched", "gone"],
)
def test_a_created_record_goes_only_while_nobody_touched_it(
    now: Now, action: OperationAction | None, why: Stay | None, detach: bool
) -> None:
    back = inverse(Done(Side.THEIRS, OperationAction.CREATE), now)

    assert (back.action, back.detach) == (action, detach)
    assert [kept.why for kept in back.kept] == ([why] if why else [])


def test_a_record_gone_since_has_nothing_to_take_back() -> None:
    back = inverse(TAKEN, Now({}, exists=False))

    assert back.kept == (Kept("", Stay.RECORD_GONE),)


def test_a_delete_of_ours_comes_back_and_one_of_theirs_cannot() -> None:
    fields = (FieldDone("name", "r1", "a", None),)

    ours = inverse(Done(Side.OURS, OperationAction.DELETE, fields), Now({}, exists=False))
    theirs = inverse(Done(Side.THEIRS, OperationAction.DELETE, fields), Now({}, exists=False))

    assert (ours.action, ours.values) == (OperationAction.CREATE, {"name": "a"})
    assert (theirs.action, theirs.kept[0].why) == (None, Stay.CANNOT_RETURN)


def test_a_link_is_closed_and_what_wrote_nothing_has_no_inverse() -> None:
    assert inverse(Done(Side.OURS, OperationAction.LINK), Now({})).detach
    assert inverse(Done(Side.OURS, OperationAction.SKIP), Now({})).action is None
