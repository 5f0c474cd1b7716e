"""What takes one operation back, decided from both sides as they stand: a table of cases, no
database.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_admin.ids import new_id
from crm_admin.mapping.rules import Direction, FieldRule, FirstAgreement, Policy
from crm_admin.packs.registry import kinds
from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.inverse import invert, ours_after, same_text
from crm_admin.services.engine.inverse_facts import Did, Scene, Verdict
from crm_admin.sync.drafts import Ours, RuleUse, StreamFacts
from crm_admin.sync.merge import RuleFacts, hash_of
from crm_admin.sync.states import Creates, OperationAction, Side, StreamDirection

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RUN, UNDO = new_id(), new_id()


def _use(ours: str, theirs: str) -> RuleUse:
    rule = FieldRule(id=ours, ours=ours, theirs=theirs)
    facts = RuleFacts(ours, Direction.BOTH, Policy.NEWEST_WINS, FirstAgreement.ASK, required=False)
    return RuleUse(rule, facts, lambda value: value, lambda value: value)


FACTS = StreamFacts(
    stream_id=new_id(),
    remote_object="contacts",
    kind=kinds()["contact"],
    direction=StreamDirection.BOTH,
    creates=Creates.BOTH,
    version=1,
    rules=(_use("city", "city"), _use("job_title", "jobtitle")),
)


def did(side: Side, action: OperationAction, **more: Any) -> Did:
    return Did(
        new_id(),
        side,
        action,
        more.pop("fields", {}),
        NOON,
        record_id=new_id(),
        link_id=new_id(),
        **more,
    )


def ours(**data: Any) -> Ours:
    return Ours(new_id(), 3, data, "Ann", NOON)


def theirs(**properties: Any) -> RemoteRecord:
    return RemoteRecord("1", properties, NOON)


def scene(mine: Ours | None = None, yours: RemoteRecord | None = None) -> Scene:
    return Scene("HubSpot", "Ana", UNDO, frozenset({str(RUN)}), FACTS, mine, yours)


CITY = {"city": ["Porto", "Lisboa", "theirs_changed", "city"]}
TITLE = {"jobtitle": [None, "Chair", "ours_changed", "job_title"]}


def test_a_taken_value_goes_back_and_theirs_is_turned_down() -> None:
    one = did(Side.OURS, OperationAction.UPDATE, fields=CITY, base_theirs={"city": "Lisboa"})

    back = invert(one, scene(ours(city="Lisboa")))

    assert (back.verdict, back.changes, back.reason) == (Verdict.BACK, {"city": "Porto"}, "")
    assert back.link is not None
    assert back.link.base_ours == {"city": "Porto"}
    assert dict(back.link.declined["city"])["hash"] == hash_of("Lisboa")


def test_what_is_turned_down_no_longer_differs_and_is_forgotten() -> None:
    turned = {"city": {"side": "theirs", "hash": hash_of("Porto")}}
    fields = {"city": ["Porto", "Lisboa", "undo", "city"]}
    one = did(
        Side.OURS,
        OperationAction.UPDATE,
        fields=fields,
        bases={"city": {"ours": "Porto", "theirs": "Porto"}},
        base_theirs={"city": "Lisboa"},
        declined=turned,
    )

    back = invert(one, scene(ours(city="Lisboa")))

    assert back.link is not None
    assert (back.link.declined, back.link.cleared) == ({}, ("city",))


@pytest.mark.parametrize(
    ("mine", "sentence"),
    [
        (ours(city="Faro"), "Changed since in CRM Admin and kept: city."),
        (replace(ours(city="Lisboa"), deleted=True), "The record was deleted since."),
        (None, "The record was deleted since."),
    ],
)
def test_a_taken_value_that_moved_stays(mine: Ours | None, sentence: str) -> None:
    back = invert(did(Side.OURS, OperationAction.UPDATE, fields=CITY), scene(mine))

    assert (back.verdict, back.reason) == (Verdict.STAYS, sentence)


def test_only_the_fields_that_moved_stay() -> None:
    fields = {**CITY, "job_title": [None, "Chair", "theirs_changed", "job_title"]}
    one = did(Side.OURS, OperationAction.UPDATE, fields=fields)

    back = invert(one, scene(ours(city="Lisboa", job_title="Head")))

    assert (back.verdict, dict(back.changes)) == (Verdict.BACK, {"city": "Porto"})
    assert back.reason == "Changed since in CRM Admin and kept: job title."


def test_a_plan_limits_what_goes_back_to_what_it_showed() -> None:
    fields = {**CITY, "job_title": [None, "Chair", "theirs_changed", "job_title"]}
    one = did(Side.OURS, OperationAction.UPDATE, fields=fields)

    back = invert(one, scene(ours(city="Lisboa", job_title="Chair")), frozenset({"city"}))

    assert dict(back.changes) == {"city": "Porto"}


@pytest.mark.parametrize(
    ("yours", "sentence"),
    [
        (theirs(jobtitle="Head"), "Changed since in HubSpot and kept: jobtitle."),
        (replace(theirs(jobtitle="Chair"), archived=True), "HubSpot no longer has this record."),
        (None, "HubSpot no longer has this record."),
    ],
)
def test_a_sent_value_that_moved_stays(yours: RemoteRecord | None, sentence: str) -> None:
    one = did(Side.THEIRS, OperationAction.UPDATE, fields=TITLE)

    back = invert(one, scene(ours(job_title="Chair"), yours))

    assert (back.verdict, back.reason) == (Verdict.STAYS, sentence)


def test_a_sent_value_is_blanked_again_and_ours_is_turned_down() -> None:
    one = did(Side.THEIRS, OperationAction.UPDATE, fields=TITLE, base_ours={"job_title": "Chair"})

    back = invert(one, scene(ours(job_title="Chair"), theirs(jobtitle="Chair")))

    assert (back.verdict, back.properties) == (Verdict.BACK, {"jobtitle": ""})
    assert back.link is not None
    assert set(back.link.declined) == {"job_title"}


def test_an_edit_of_ours_that_waits_to_be_sent_keeps_its_field() -> None:
    one = did(Side.THEIRS, OperationAction.UPDATE, fields=TITLE, base_ours={"job_title": "Chair"})

    back = invert(one, scene(ours(job_title="Head"), theirs(jobtitle="Chair")))

    assert (back.verdict, back.reason) == (
        Verdict.STAYS,
        "Changed since in CRM Admin and kept: jobtitle.",
    )


@pytest.mark.parametrize(
    ("origin", "verdict"),
    [
        ({}, Verdict.BACK),
        ({"city": {"run": str(RUN), "at": (NOON + timedelta(hours=1)).isoformat()}}, Verdict.BACK),
        ({"city": {"by": "Ana", "at": (NOON - timedelta(hours=1)).isoformat()}}, Verdict.BACK),
        ({"city": {"by": "Ana", "at": (NOON + timedelta(hours=1)).isoformat()}}, Verdict.STAYS),
    ],
    ids=["untouched", "by the run", "before", "afterwards"],
)
def test_a_record_made_here_goes_unless_somebody_else_changed_it_since(
    origin: dict[str, Any], verdict: Verdict
) -> None:
    mine = replace(ours(city="Porto"), origin=origin)

    assert invert(did(Side.OURS, OperationAction.CREATE), scene(mine)).verdict is verdict


def test_a_record_that_is_back_already_is_left_alone() -> None:
    removed = did(Side.OURS, OperationAction.DELETE)

    assert invert(removed, scene(ours())).verdict is Verdict.ALREADY
    assert invert(removed, scene(replace(ours(), deleted=True))).action is OperationAction.CREATE


@pytest.mark.parametrize(("code", "verdict"), [("undo", Verdict.BACK), ("", Verdict.STAYS)])
def test_only_what_an_undo_archived_is_made_anew(code: str, verdict: Verdict) -> None:
    one = did(Side.THEIRS, OperationAction.DELETE, reason_code=code)

    back = invert(one, scene(ours()))

    assert (back.verdict, back.remade) == (verdict, verdict is Verdict.BACK)


def test_what_the_newer_operation_left_is_what_the_older_one_finds() -> None:
    older = did(Side.OURS, OperationAction.UPDATE, fields={"city": ["Faro", "Porto", "x", "city"]})
    newer = did(Side.OURS, OperationAction.UPDATE, fields=CITY)
    mine = ours(city="Lisboa")

    first = invert(newer, scene(mine))
    second = invert(older, scene(ours_after(mine, first)))

    assert (second.verdict, dict(second.changes)) == (Verdict.BACK, {"city": "Faro"})


@pytest.mark.parametrize(
    ("now", "then", "same"),
    [
        ("10.0", "10", True),
        (None, "", True),
        ("2026-11-20T00:00:00Z", "2026-11-20", True),
        ("Porto", "porto", False),
        ("10", "11", False),
    ],
)
def test_a_crms_own_spelling_is_no_change(now: Any, then: Any, same: bool) -> None:
    assert same_text(now, then) is same
