"""Workers that die in the middle of an undo: it goes on, and no edit made meanwhile is lost."""

from uuid import UUID

import pytest

from crm_admin.services import undo
from tests.services.engine.conftest import Desk, HubSpot
from tests.services.engine.test_faults import dying_at, go_on, let_time_pass


@pytest.fixture
def sent(desk: Desk, hubspot: HubSpot) -> tuple[str, UUID]:
    """A company there whose city and state a run has sent."""
    remote = hubspot.add("companies", name="Harbour", city="Porto", state="Norte")
    desk.sync("full")
    desk.edit(desk.by_title("Harbour")["id"], city="Faro", state="Algarve")
    return remote, desk.sync("delta").run


POINTS = (
    "undo.planned",
    "undo.half_sent",
    "intent.sending.after_commit",
    "intent.after_send",
    "intent.result.before_commit",
    "undo.done.before_commit",
)


@pytest.mark.parametrize("point", POINTS)
def test_an_undo_that_died_goes_on_where_it_was(
    desk: Desk, hubspot: HubSpot, sent: tuple[str, UUID], point: str
) -> None:
    remote, run = sent
    reference = undo.start(person=desk.person, run_id=run, wake=False)
    with dying_at(point):
        desk.work(reference.id)
    let_time_pass(desk)

    assert go_on(desk) == "succeeded"

    held = hubspot.all("companies")[remote]
    assert (held["city"], held["state"]) == ("Porto", "Norte")
    assert desk.rows("SELECT 1 FROM operation WHERE state IN ('planned', 'sending')") == []
    assert desk.sync("full").writes_theirs == 0


@pytest.mark.parametrize("point", ["intent.sending.after_commit", "intent.after_send"])
def test_what_they_edit_before_an_unconfirmed_undo_is_settled_stays(
    desk: Desk, hubspot: HubSpot, sent: tuple[str, UUID], point: str
) -> None:
    remote, run = sent
    reference = undo.start(person=desk.person, run_id=run, wake=False)
    with dying_at(point):
        desk.work(reference.id)
    hubspot.edit("companies", remote, city="Lisboa")
    let_time_pass(desk)

    assert go_on(desk) == "succeeded"

    held = hubspot.all("companies")[remote]
    assert (held["city"], held["state"]) == ("Lisboa", "Norte")
    desk.sync("delta")
    assert desk.by_title("Harbour")["data"]["city"] == "Lisboa"
    assert desk.sync("full").writes_theirs == 0


def test_an_undo_whose_only_field_was_edited_meanwhile_writes_nothing(
    desk: Desk, hubspot: HubSpot
) -> None:
    remote = hubspot.add("companies", name="Harbour", city="Porto")
    desk.sync("full")
    desk.edit(desk.by_title("Harbour")["id"], city="Faro")
    run = desk.sync("delta").run
    reference = undo.start(person=desk.person, run_id=run, wake=False)
    with dying_at("intent.sending.after_commit"):
        desk.work(reference.id)
    hubspot.edit("companies", remote, city="Lisboa")
    let_time_pass(desk)

    assert go_on(desk) == "succeeded"

    assert hubspot.all("companies")[remote]["city"] == "Lisboa"
    stayed = desk.rows("SELECT reason FROM operation WHERE run_id = %s", reference.id)
    assert [row["reason"] for row in stayed] == ["Changed since in HubSpot and kept: city."]
