"""The page of an undo, as people with and without the right see it."""

import csv
import io

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from tests.browsing import Browser
from tests.demo_rows import HOSTILE, World, acting, full_world


@pytest.fixture
def world(app: Flask) -> World:
    made = full_world(app)
    with acting(app, made):
        db.session.execute(
            text("UPDATE connection SET stance = 'active' WHERE id = :connection"),
            {"connection": made.connection},
        )
        db.session.execute(
            text(
                "UPDATE operation SET state = 'done', stream_id = :stream, label = :name"
                " WHERE run_id = :run AND action = 'update'"
            ),
            {"stream": made.stream, "run": made.partial, "name": f"={HOSTILE}"},
        )
        db.session.commit()
    return made


def page(world: World) -> str:
    return f"/admin/crm/sync/runs/{world.partial}/undo"


def browser(app: Flask, world: World, role: Role) -> Browser:
    return Browser(app, world.person(role))


def test_the_run_leads_to_its_undo_and_the_undo_to_a_plan(app: Flask, world: World) -> None:
    admin = browser(app, world, Role.ADMIN)
    run = admin.get(f"/admin/crm/sync/runs/{world.partial}")
    assert any(link.get("href") == page(world) for link in run.soup.find_all("a"))

    form = admin.get(page(world)).form(page(world))
    once = admin.send(form)
    twice = admin.send(form)

    assert once.status == 200
    assert "/admin/crm/sync/" in once.response.request.path
    assert once.response.request.path == twice.response.request.path
    assert not admin.get(page(world)).has_form(page(world))


def test_nothing_is_written_by_looking(app: Flask, world: World) -> None:
    seen = browser(app, world, Role.ADMIN).get(page(world))

    assert seen.sentence.startswith("Would put back")
    assert "Nothing is written yet." in seen.text
    assert HOSTILE not in seen.response.get_data(as_text=True)
    with acting(app, world):
        found = db.session.execute(text("SELECT count(*) FROM sync_run WHERE mode = 'undo'"))
        assert found.scalar_one() == 0


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
def test_who_may_only_look_gets_no_button(app: Flask, world: World, role: Role) -> None:
    admin, other = browser(app, world, Role.ADMIN), browser(app, world, role)

    seen = other.get(page(world))

    assert (seen.status, seen.has_form(page(world))) == (200, False)
    assert other.send(admin.get(page(world)).form(page(world))).status in {403, 422}


def test_a_pov_owner_sees_neither_page_nor_part_nor_file(app: Flask, world: World) -> None:
    owner = browser(app, world, Role.POV_OWNER)

    found = {owner.get(page(world) + end).status for end in ("", "/_changes", ".csv")}

    assert found == {403}


@pytest.mark.parametrize("end", ["undo", "undo/_changes", "undo.csv"])
def test_an_unknown_run_is_not_there(app: Flask, world: World, end: str) -> None:
    admin = browser(app, world, Role.ADMIN)

    assert admin.get(f"/admin/crm/sync/runs/{new_id()}/{end}").status == 404
    assert admin.get(f"/admin/crm/sync/runs/{world.partial}/{end}?after=nonsense").status in {
        404,
        200,
    }


def test_the_part_stands_alone_and_has_one_root(app: Flask, world: World) -> None:
    seen = browser(app, world, Role.ADMIN).get(f"{page(world)}/_changes", htmx=True)

    roots = [child for child in seen.soup.children if getattr(child, "name", None)]
    assert [root.get("id") for root in roots] == ["undo-changes"]


def test_the_file_holds_what_the_list_shows_and_no_formula(app: Flask, world: World) -> None:
    admin = browser(app, world, Role.ADMIN)

    answer = admin.client.get(f"{page(world)}.csv?show=back")

    lines = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert answer.mimetype == "text/csv"
    assert lines
    assert all(line["Undo"] in {"goes back", "stays"} for line in lines)
    assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line.values())


@pytest.mark.parametrize("show", ["back", "stays", "everything", ""])
def test_a_made_up_filter_shows_everything(app: Flask, world: World, show: str) -> None:
    assert browser(app, world, Role.ADMIN).get(f"{page(world)}?show={show}").status == 200


def test_a_run_of_a_paused_connection_says_what_to_do_first(app: Flask, world: World) -> None:
    with acting(app, world):
        db.session.execute(text("UPDATE connection SET stance = 'paused'"))
        db.session.commit()

    seen = browser(app, world, Role.ADMIN).get(page(world))

    assert "is paused. Resume it in its settings" in seen.text
    assert not seen.has_form(page(world))
