"""The page of a record: its past, what can be taken back, asked and followed, and by whom."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from crm_admin.services.queries import record as query
from crm_admin.services.queries.past import past
from tests.browsing import Browser, Seen
from tests.demo_rows import HOSTILE, World, acting, ago, empty_world, full_world


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def browser(app: Flask, world: World, role: Role = Role.ADMIN) -> Browser:
    return Browser(app, world.person(role))


def run(app: Flask, world: World, statement: str, **bound: object) -> Any:
    with acting(app, world):
        done = db.session.execute(text(statement), bound)
        found = done.scalar_one_or_none() if done.returns_rows else None
        db.session.commit()
    return found


def edit(one: Browser, page: str, **fields: str) -> Seen:
    form = one.get(f"{page}/edit").form(f"{page}/edit")
    return one.send(form, **{f"field-{name}": value for name, value in fields.items()})


def version(app: Flask, world: World) -> int:
    return int(run(app, world, "SELECT version FROM record WHERE id = :id", id=world.others))


STANDINGS = {
    "conflict": ("", "Revenue was changed on both sides and waits for a choice."),
    "failed": ("UPDATE link SET error = 'No such stage'", "did not get through: No such stage."),
    "synced": ("UPDATE connection SET stance = 'active'", "up to date since"),
    "observed": ("", "the same on both sides at"),
    "paused": ("UPDATE connection SET stance = 'paused'", "the sync is paused."),
    "taken off": ("UPDATE link SET status = 'detached'", "It was taken off on purpose."),
    "gone there": ("UPDATE link SET status = 'remote_gone'", "It was deleted there."),
    "only here": ("UPDATE record SET hub_only = true", "Only kept in CRM Admin"),
    "no connection": ("DELETE FROM stream", "No connection syncs POVs yet."),
    "away, active": (
        "DELETE FROM link; UPDATE connection SET stance = 'active'",
        "Sync it now to send it there.",
    ),
    "away, observed": ("DELETE FROM link", "it is only observed, so nothing is written there."),
    "away, a field is missing": (
        "DELETE FROM link; UPDATE field_rule SET required = true WHERE ours = 'forecast_date'",
        "Forecast date is empty. Add it below.",
    ),
    "no answer": (
        "UPDATE connection SET health = 'needs_reconnect'",
        "the connection needs attention.",
    ),
}


@pytest.mark.parametrize("name", STANDINGS)
def test_the_first_sentence_is_true(app: Flask, world: World, name: str) -> None:
    change, words = STANDINGS[name]
    if name != "conflict":
        run(app, world, "UPDATE link SET error = NULL")
        run(app, world, "DELETE FROM conflict")
        matched = """UPDATE link l SET base_ours = base_ours - 'r3' || jsonb_build_object(
            'r3', null, 'r5', null) FROM record r WHERE r.id = l.record_id"""
        run(app, world, matched)
    for statement in filter(None, change.split(";")):
        run(app, world, statement)

    seen = browser(app, world).get(f"/povs/{world.own}")

    assert words in seen.sentence


def test_an_edit_that_no_crm_takes_waits_for_none(app: Flask, world: World) -> None:
    run(app, world, "UPDATE link SET error = NULL, agreed_at = now()")
    run(app, world, "UPDATE connection SET stance = 'active'")
    one, page = browser(app, world), f"/povs/{world.others}"

    unmapped = edit(one, page, partner="Nordkap")
    mapped = edit(one, page, title="Fjordlys, second phase")

    assert "goes out with the next sync" not in unmapped.sentence
    assert "your change is saved and goes out with the next sync" in mapped.sentence


def test_a_change_is_taken_back_as_an_edit_that_can_be_taken_back(app: Flask, world: World) -> None:
    one, page = browser(app, world), f"/povs/{world.others}"
    edit(one, page, partner="Nordkap")

    shown = one.get(page)
    undone = one.send(shown.soup.select_one("#timeline form[action*='/undo/']"))

    assert "Put back Partner." in undone.text
    assert "Took back a change made by Person admin." in undone.text
    redone = one.send(undone.soup.select_one("#timeline form[action*='/undo/']"))
    assert "Nordkap" in redone.soup.find(id="field-partner").get_text()


def test_what_changed_since_is_not_taken_back(app: Flask, world: World) -> None:
    one, page = browser(app, world), f"/povs/{world.others}"
    edit(one, page, partner="First")
    stale = one.get(page).soup.select_one("#timeline form[action*='/undo/']")
    edit(one, page, partner="Second")

    refused = one.send(stale)

    assert "changed again since, so nothing was put back" in refused.text
    assert "Second" in refused.soup.find(id="field-partner").get_text()


def test_two_people_who_edit_different_fields_lose_nothing(app: Flask, world: World) -> None:
    one, page = browser(app, world), f"/povs/{world.others}"
    older = one.get(f"{page}/edit").form(f"{page}/edit")
    edit(one, page, partner="Nordkap")

    seen = one.send(older, **{"field-notes": "Call on Monday"})

    assert "Saved one field" in seen.text
    assert "Nordkap" in seen.soup.find(id="field-partner").get_text()
    assert "Call on Monday" in seen.soup.find(id="field-notes").get_text()


def test_a_field_that_both_changed_comes_back_with_both_values(app: Flask, world: World) -> None:
    one, page = browser(app, world), f"/povs/{world.others}"
    older = one.get(f"{page}/edit").form(f"{page}/edit")
    edit(one, page, partner="First")
    before = version(app, world)

    seen = one.send(older, **{"field-partner": "Second"})

    assert seen.status == 409
    assert "Person admin made it “First”" in seen.text
    assert seen.soup.find(id="f-field-partner")["value"] == "Second"
    assert version(app, world) == before


def test_every_bad_field_is_named_at_once(app: Flask, world: World) -> None:
    seen = edit(
        browser(app, world),
        f"/povs/{world.others}",
        forecast_date="soon",
        revenue="a lot",
        customer="Nobody we know",
    )

    assert seen.status == 422
    assert len(seen.soup.select("[aria-invalid=true]")) == 3


def test_the_past_is_read_back_from_the_history(app: Flask, world: World) -> None:
    one, page = browser(app, world), f"/povs/{world.others}"
    edit(one, page, partner="First")
    run(app, world, "UPDATE record SET created_at = :at", at=ago(days=2))
    between = run(app, world, "SELECT now()")
    edit(one, page, partner="Second")
    run(app, world, "UPDATE record SET origin = origin - 'revenue' WHERE id = :id", id=world.others)

    with acting(app, world):
        found = query.record(world.person(Role.ADMIN), "pov", world.others)
        then, before = past(found, between), past(found, ago(days=1))
        never = past(found, ago(days=3))

    assert (then.fields["partner"].value, then.fields["partner"].differs) == ("First", True)
    assert (before.fields["partner"].value, before.unknown) == (None, 0)
    assert never.existed is False


def test_what_the_history_does_not_hold_is_not_made_up(app: Flask, world: World) -> None:
    run(app, world, "UPDATE record SET created_at = :at", at=ago(days=2))

    with acting(app, world):
        found = query.record(world.person(Role.ADMIN), "pov", world.others)
        then = past(found, ago(days=1))

    assert then.fields["revenue"].known is False
    assert then.unknown == 1


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ("2026-11-18", 200, "As it was on"),
        ("2001-01-01", 200, "had no such record then"),
        ("yesterday", 422, "Enter a date like 2026-11-18."),
        ("2026-13-40", 422, "Enter a date like 2026-11-18."),
    ],
)
def test_a_date_of_the_past_is_shown_or_explained(
    app: Flask, world: World, asked: str, status: int, words: str
) -> None:
    run(app, world, "UPDATE record SET created_at = '2026-11-01T00:00:00Z'")

    seen = browser(app, world).get(f"/povs/{world.own}?as_of={asked}")

    assert seen.status == status
    assert words in seen.text


def test_a_question_reaches_the_admins_with_what_the_page_said(app: Flask, world: World) -> None:
    one, page = browser(app, world, Role.POV_OWNER), f"/povs/{world.own}"
    form = one.get(page).form(f"{page}/ask")

    one.send(form, question=f"Why? {HOSTILE}")
    asked = one.send(form, question="Who can settle this?")
    nothing = one.send(form, question="   ")

    sentence = run(app, world, "SELECT sentence FROM attention WHERE kind = 'request'")
    assert "Asked the admins" in asked.text
    assert "“Who can settle this?” The page said: In HubSpot EU;" in sentence
    assert "Write what you need help with." in nothing.text


def test_following_is_ones_own(app: Flask, world: World) -> None:
    viewer, page = browser(app, world, Role.VIEWER), f"/povs/{world.others}"
    followed = viewer.send(viewer.get(page).form(f"{page}/follow"))

    mine = viewer.get("/povs?view=following")
    others = browser(app, world).get("/povs?view=following")

    assert "Following" in followed.text
    assert [link["href"] for link in mine.soup.select("tbody th a")] == [page]
    assert not others.soup.select("tbody th a")
    again = viewer.send(viewer.get(page).form(f"{page}/follow"))
    assert "You no longer follow" in again.text


def test_an_owner_shares_a_pov_and_takes_it_back(app: Flask, world: World) -> None:
    colleague = world.person(Role.POV_OWNER)
    operator = browser(app, world, Role.OPERATOR)
    page = f"/povs/{world.others}"
    form = operator.get(page).form(f"{page}/share")

    shared = operator.send(form, email=colleague.email.upper())
    nobody = operator.send(form, email="nobody@nordlicht.example")
    seen = browser(app, world, Role.POV_OWNER).get(page)
    operator.send(operator.get(page).form(f"{page}/unshare/{colleague.user_id}"))

    assert "Person pov_owner sees this POV now." in shared.text
    assert "Nobody in your organisation has this e-mail address." in nobody.text
    assert seen.status == 200
    assert browser(app, world, Role.POV_OWNER).get(page).status == 404


def test_whom_a_pov_is_shared_with_does_not_share_it_on(app: Flask, world: World) -> None:
    owner = world.person(Role.POV_OWNER)
    share = "INSERT INTO share (organization_id, record_id, user_id) VALUES (:org, :id, :user)"
    run(app, world, share, org=world.organization, id=world.others, user=owner.user_id)
    visitor = browser(app, world, Role.POV_OWNER)
    own, others = visitor.get(f"/povs/{world.own}"), visitor.get(f"/povs/{world.others}")

    seen = visitor.send(
        own.form(f"/povs/{world.own}/share"), to=f"/povs/{world.others}/share", email="x@y.example"
    )

    assert not others.has_form(f"/povs/{world.others}/share")
    assert seen.status == 403


def test_a_contact_of_nothing_is_refused_and_a_named_one_is_made(app: Flask, world: World) -> None:
    one, new = browser(app, world), "/records/contact/new"
    form = one.get(new).form(new)

    blank = one.send(form)
    made = one.send(form, **{"field-email": "ana@nordlicht.test", "field-last_name": "Silva"})
    twice = one.send(form, **{"field-email": "ANA@nordlicht.test"})

    assert blank.status == 422
    assert "without one of them nobody could tell this contact from another" in blank.text
    assert made.response.request.path.startswith("/records/contact/")
    assert twice.status == 422
    assert "has this E-mail already" in twice.text


def test_an_archived_record_can_be_brought_back(app: Flask, world: World) -> None:
    one, page = browser(app, world), f"/povs/{world.others}"

    gone = one.send(one.get(page).form(f"{page}/archive"))
    hidden = one.get(page).status
    back = one.send(gone.form(f"{page}/restore"))

    assert "Archived “Fjordlys fjord heating”." in gone.text
    assert hidden == 404
    assert back.response.request.path == page
    link = "SELECT status FROM link WHERE record_id = :id"
    assert run(app, world, link, id=world.others) == "linked"


def test_a_sync_that_depends_on_others_shows_them_first(app: Flask, world: World) -> None:
    run(app, world, "UPDATE connection SET stance = 'active'")
    companies = """INSERT INTO stream (organization_id, id, connection_id, remote_object, kind)
        VALUES (:org, :id, :connection, 'companies', 'company')"""
    run(app, world, companies, org=world.organization, id=new_id(), connection=world.connection)
    page = f"/povs/{world.own}"
    operator, owner = browser(app, world, Role.OPERATOR), browser(app, world, Role.POV_OWNER)

    asked = operator.send(operator.get(page).form(f"{page}/sync"))
    owners = owner.send(owner.get(page).form(f"{page}/sync"))

    assert asked.sentence == "This sync would change one more record."
    assert run(app, world, "SELECT count(*) FROM wanted") == 0
    assert asked.soup.find("button", value="all")
    assert not owners.soup.find("button", value="all")
    done = operator.send(asked.form(f"{page}/sync"), scope="all")
    assert "together with" in done.text
    assert run(app, world, "SELECT count(*) FROM wanted") == 2


def test_parts_of_the_page_stand_alone(app: Flask, world: World) -> None:
    one, page = browser(app, world), f"/povs/{world.own}"

    line = one.get(f"{page}/_timeline?field=title", htmx=True)
    why = one.get(f"{page}/_why/title", htmx=True)
    whole = one.get(f"{page}/why/title")
    unknown = one.get(f"{page}/why/nothing")

    assert line.soup.find(id="timeline")
    assert line.response.headers["HX-Push-Url"] == f"{page}?field=title"
    assert [tag.name for tag in why.soup.find_all(recursive=False)] == ["dialog"]
    assert whole.sentence.startswith("Why Opportunity name of")
    assert unknown.status == 404


UNDO = "undo/01a1fede-0000-7000-8000-000000000000"
PARTS = ("", "/_status", "/_timeline", "/_why/title", "/why/title", "?as_of=2026-11-18")


@pytest.mark.parametrize("part", PARTS)
def test_a_pov_owner_gets_no_part_of_another_ones_pov(app: Flask, world: World, part: str) -> None:
    seen = browser(app, world, Role.POV_OWNER).get(f"/povs/{world.others}{part}", htmx="_" in part)

    assert seen.status == 404
    assert "Fjordlys" not in seen.text


@pytest.mark.parametrize("action", ["edit", "archive", "restore", UNDO])
def test_a_pov_owner_changes_no_field(app: Flask, world: World, action: str) -> None:
    owner = browser(app, world, Role.POV_OWNER)
    form = owner.get(f"/povs/{world.own}").form(f"/povs/{world.own}/follow")

    seen = owner.send(form, to=f"/povs/{world.own}/{action}")

    assert seen.status == 403


@pytest.mark.parametrize("action", ["ask", "follow", "sync", "archive", UNDO])
def test_acting_on_a_foreign_record_is_not_found(app: Flask, world: World, action: str) -> None:
    stranger = empty_world(app)
    visitor = browser(app, stranger)
    form = visitor.get("/profile").form("/profile")

    seen = visitor.send(form, to=f"/povs/{world.own}/{action}")

    assert seen.status == 404
