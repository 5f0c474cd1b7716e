"""What the undo page knows before anything is written: counts, reasons, the list behind them."""

from uuid import UUID

import pytest
from sqlalchemy import event

from crm_admin.extensions import db
from crm_admin.services import undo
from crm_admin.services.queries import undo as query
from tests.services.engine.conftest import Desk, HubSpot


def flows(found: query.Preview) -> dict[tuple[str, str], int]:
    return {(one.side, one.action): one.amount for one in found.flows}


@pytest.fixture
def run(desk: Desk, hubspot: HubSpot) -> UUID:
    """A run that took a city, sent a job title, made a record here and one there."""
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann", city="Porto")
    desk.sync("full")
    desk.edit(desk.by_title("Ann")["id"], job_title="Director")
    hubspot.edit("contacts", remote, city="Lisboa")
    hubspot.add("companies", name="Harbour")
    desk.add("company", name="Acme", domain="acme.example")
    return desk.sync("delta").run


def test_a_run_that_nobody_touched_goes_back_whole(desk: Desk, run: UUID) -> None:
    found = query.preview(run)

    assert (found.total, found.back, found.stay, found.partly) == (3, 3, 0, 0)
    assert flows(found) == {
        ("ours", "create"): 1,
        ("ours", "update"): 1,
        ("theirs", "create"): 1,
        ("theirs", "update"): 1,
    }
    assert (found.why_not, found.reasons) == ("", ())
    assert query.changes(found.line, show="stays").rows == []


def test_what_changed_afterwards_is_named_with_who_changed_it(desk: Desk, run: UUID) -> None:
    desk.edit(desk.by_title("Ann")["id"], city="Faro")
    desk.edit(desk.by_title("Harbour")["id"], city="Sines")

    found = query.preview(run)

    assert (found.total, found.back, found.stay, found.partly) == (3, 2, 1, 1)
    stays = query.changes(found.line, show="stays").rows
    assert {(one.label, one.verdict, one.by, tuple(one.kept)) for one in stays} == {
        ("Ann", "moved", "Ana Silva", ("city",)),
        ("Harbour", "touched", "Ana Silva", ("city",)),
    }


def test_what_they_changed_afterwards_stays_once_it_was_read(
    desk: Desk, hubspot: HubSpot, run: UUID
) -> None:
    remote = next(iter(hubspot.all("contacts")))
    hubspot.edit("contacts", remote, jobtitle="Chair")
    desk.sync("delta")

    stays = query.changes(query.line(run), show="stays").rows

    assert [(one.side, one.reason) for one in stays] == [("theirs", "Changed afterwards")]


def test_the_preview_is_what_the_undo_then_does(desk: Desk, run: UUID) -> None:
    desk.edit(desk.by_title("Ann")["id"], city="Faro")
    found = query.preview(run)

    done = desk.undo(run)

    expected = flows(found)
    assert done.theirs == {
        "created": 0,
        "updated": expected["theirs", "update"],
        "deleted": expected["theirs", "create"],
    }
    assert done.ours == {"created": 0, "updated": 0, "deleted": expected["ours", "create"]}
    again = query.preview(run)
    assert (again.back, "undone already" in again.why_not) == (0, True)


def test_the_undo_of_an_undo_is_previewed_too(desk: Desk, run: UUID) -> None:
    first = desk.undo(run)

    found = query.preview(first.run)

    assert (found.total, found.back) == (3, 3)
    assert flows(found) == {
        ("ours", "delete"): 1,
        ("ours", "update"): 1,
        ("theirs", "delete"): 1,
        ("theirs", "update"): 1,
    }


def test_a_plan_that_waits_is_shown_instead_of_another_start(desk: Desk, run: UUID) -> None:
    plan = undo.start(person=desk.person, run_id=run, staged=True, wake=False)
    desk.work(plan.id)

    found = query.preview(run)

    assert found.under_way is not None
    assert (found.under_way.id, found.under_way.state) == (plan.id, "planned")


def test_a_long_list_is_read_page_by_page_in_a_few_queries(desk: Desk, hubspot: HubSpot) -> None:
    for number in range(7):
        hubspot.add("companies", name=f"Harbour {number}")
        desk.add("company", name=f"Acme {number}", domain=f"acme-{number}.example")
    line = query.line(desk.sync("full").run)
    asked: list[str] = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    try:
        pages, after = [], ""
        while not pages or after:
            page = query.changes(line, after=after, amount=4)
            pages.append([one.id for one in page.rows])
            after = page.after
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

    assert [len(ids) for ids in pages] == [4, 4, 4, 2]
    assert len({one for ids in pages for one in ids}) == 14
    assert len([one for one in asked if "SELECT" in one and "set_config" not in one]) <= 8
    assert len(list(query.all_changes(line))) == 14
