"""The page of a plan: filters, choices in bulk, look-alikes, files, the guard, and stale forms."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from tests.browsing import Browser
from tests.demo_rows import HOSTILE, World, acting, empty_world, full_world


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def admin(app: Flask, world: World) -> Browser:
    return Browser(app, world.person(Role.ADMIN))


def url(world: World, more: str = "") -> str:
    return f"/admin/crm/sync/plans/{world.plan}{more}"


def change(app: Flask, world: World, statement: str, **bound: object) -> None:
    with acting(app, world):
        db.session.execute(text(statement), bound)
        db.session.commit()


def value(app: Flask, world: World, statement: str, **bound: object) -> Any:
    with acting(app, world):
        return db.session.execute(text(statement), bound).scalar_one_or_none()


def labels(seen: Any) -> list[str]:
    return [sign.get_text(strip=True) for sign in seen.soup.select("li.op > .sign")]


def guard(app: Flask, world: World) -> None:
    change(
        app,
        world,
        "UPDATE sync_run SET reason_code = 'guard', reason = '30 deletes would be more than the 20"
        " allowed.' WHERE id = :id",
        id=world.plan,
    )


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("?mark=update", ["Update"]),
        ("?side=theirs&field=amount", ["Update"]),
        ("?field=title", ["Create"]),
        ("?mark=nonsense&side=up&owner=x", ["Update", "Create", "Link", "Look-alike"]),
    ],
)
def test_filters_are_in_the_address(app: Flask, world: World, asked: str, shown: list[str]) -> None:
    seen = admin(app, world).get(url(world, asked))

    assert sorted(labels(seen)) == sorted(shown)


def test_a_plan_is_narrowed_to_the_records_of_one_owner(app: Flask, world: World) -> None:
    owner = world.person(Role.POV_OWNER).user_id
    page = admin(app, world).get(url(world))

    seen = admin(app, world).get(url(world, f"?owner={owner}"))

    assert page.soup.select_one(f"#owner option[value='{owner}']")
    assert labels(seen) == ["Update"]
    assert "1 matches" in seen.text


def test_a_group_is_left_out_and_taken_in_again(app: Flask, world: World) -> None:
    browser = admin(app, world)
    address = url(world, "/choose-all?field=amount&side=theirs")
    form = browser.get(url(world, "?group=field")).form(address)

    out = browser.send(form, excluded="1")
    back = browser.send(out.form(address), excluded="0")

    assert "Left out 1 change." in out.text
    assert "Took in 1 change." in back.text
    left = "SELECT count(*) FROM operation WHERE excluded"
    assert value(app, world, left) == 0


def test_everything_shown_is_left_out_in_one_step(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get(url(world)).form(url(world, "/apply"))

    seen = browser.send(form, to=url(world, "/choose-all"), excluded="1")

    assert seen.sentence == "Choose which values count; then there is something to apply."
    assert value(app, world, "SELECT count(*) FROM operation WHERE excluded") == 3


def test_ticking_tells_the_bar_what_is_left(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get(url(world)).form(url(world, "/apply"))
    sent = browser.client.post(
        url(world, "/choose"),
        data={
            "csrf_token": form.find("input", {"name": "csrf_token"})["value"],
            "choices": form.find("input", {"name": "choices"})["value"],
            "shown": [str(world.operations["update"])],
        },
        headers={"HX-Request": "true", "Sec-Fetch-Site": "same-origin"},
    )

    page = sent.get_data(as_text=True)

    assert "<html" not in page
    assert "Apply 2 changes" in page
    assert "1 is left out." in page


def test_choices_of_another_tab_are_not_applied_unseen(app: Flask, world: World) -> None:
    browser = admin(app, world)
    first = browser.get(url(world)).form(url(world, "/apply"))
    second = browser.get(url(world)).form(url(world, "/apply"))
    browser.send(second, to=url(world, "/choose"), op=[])

    seen = browser.send(first)

    assert seen.status == 409
    assert "Someone changed the choices" in seen.text
    state = "SELECT state FROM sync_run WHERE id = :id"
    assert value(app, world, state, id=world.plan) == "planned"


def test_pressing_apply_twice_starts_it_once(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get(url(world)).form(url(world, "/apply"))

    one = browser.send(form)
    two = browser.send(form)

    assert one.response.request.path == two.response.request.path
    assert (one.status, two.status) == (200, 200)


def test_a_plan_of_last_week_is_too_old(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get(url(world)).form(url(world, "/apply"))
    change(
        app,
        world,
        "UPDATE sync_run SET expires_at = now() - interval '1 minute' WHERE id = :id",
        id=world.plan,
    )

    refused = browser.send(form)
    shown = browser.get(url(world))

    assert refused.status == 409
    assert "too old" in refused.text
    assert shown.sentence == "This plan is too old to be applied. Nothing of it was written."
    assert not shown.soup.select("#plan-apply")


def test_unticking_below_a_large_number_asks_for_the_new_one(app: Flask, world: World) -> None:
    change(app, world, "UPDATE connection SET limits = '{\"changes\": 1}'")
    browser = admin(app, world)
    form = browser.get(url(world)).form(url(world, "/apply"))

    seen = browser.send(form, op=[str(world.operations["update"])], typed="3")

    assert seen.status == 422
    alert = seen.soup.select_one("[role=alert]").get_text(" ", strip=True)
    assert alert.startswith("Your ticks were saved. Type 1 to apply")


def test_what_the_guard_held_back_is_released_with_right_and_number(
    app: Flask, world: World
) -> None:
    guard(app, world)
    browser = admin(app, world)
    page = browser.get(url(world))
    form = browser.get(url(world, "/release")).form(url(world, "/release"))

    wrong = browser.send(form, typed="4")
    right = browser.send(form, typed="3")

    assert page.sentence == "3 changes were held back. They wait for a person."
    assert "30 deletes would be more than the 20 allowed." in page.text
    assert (wrong.status, right.status) == (422, 200)
    assert right.response.request.path == f"/admin/crm/sync/runs/{world.plan}"
    told = "SELECT count(*) FROM audit_event WHERE action = 'plan.release'"
    assert value(app, world, told) == 1


def test_an_operator_can_look_at_a_guarded_plan_and_not_release_it(
    app: Flask, world: World
) -> None:
    guard(app, world)
    browser = Browser(app, world.person(Role.OPERATOR))
    page = browser.get(url(world))

    applied = browser.send(page.form(url(world, "/apply")))
    released = browser.get(url(world, "/release"))

    assert "Only an admin can release them." in page.text
    assert (applied.status, released.status) == (403, 403)


def test_releasing_asks_for_the_password_when_the_sign_in_is_old(app: Flask, world: World) -> None:
    guard(app, world)
    browser = admin(app, world)
    with app.app_context():
        db.session.execute(
            text("UPDATE session SET fresh_at = :then"), {"then": _now(app) - timedelta(hours=2)}
        )
        db.session.commit()

    seen = browser.get(url(world, "/release"))

    assert seen.status == 303
    assert "/sign-in/again?next=" in seen.response.headers["Location"]


def _now(app: Flask) -> Any:
    return db.session.execute(text("SELECT now()")).scalar_one()


def test_a_look_alike_is_compared_side_by_side_and_chosen(app: Flask, world: World) -> None:
    match = world.operations["match"]
    change(
        app,
        world,
        'UPDATE operation SET inputs = inputs || \'{"theirs": {"dealname": "Theirs",'
        ' "dealstage": "proposal"}}\' WHERE id = :id',
        id=match,
    )
    browser = admin(app, world)
    seen = browser.get(url(world, f"/compare/{match}"))

    chosen = browser.send(seen.form(url(world, f"/match?op={match}&choice={world.own}")))

    rows = seen.soup.select("tbody tr")
    assert "Theirs" in rows[1].get_text()
    assert HOSTILE in rows[1].get_text()
    assert "81 %" in seen.text
    assert "Chosen: the same" in chosen.text
    assert browser.get(url(world, f"/compare/{new_id()}")).status == 404


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_file_holds_exactly_what_the_filters_show(app: Flask, world: World, kind: str) -> None:
    change(app, world, "UPDATE operation SET label = '=cmd()' WHERE action = 'create'")

    got = admin(app, world).client.get(url(world, f"/export.{kind}?mark=create"))

    assert got.status_code == 200
    assert got.headers["Content-Disposition"].endswith(f'.{kind}"')
    if kind == "json":
        assert [one["label"] for one in got.get_json()] == ["=cmd()"]
    else:
        lines = list(csv.reader(io.StringIO(got.get_data(as_text=True).lstrip("\ufeff"))))
        assert [line[3] for line in lines] == ["Record", "'=cmd()"]
        assert lines[1][6:9] == ["title", "", HOSTILE]


@pytest.mark.parametrize("more", ["", "/_rows", "/export.csv", "/release", "/compare/{id}"])
def test_a_stranger_and_a_pov_owner_see_nothing_of_a_plan(
    app: Flask, world: World, more: str
) -> None:
    path = url(world, more.format(id=world.operations["match"]))
    stranger = empty_world(app)

    owner = Browser(app, world.person(Role.POV_OWNER)).get(path)
    other = admin(app, stranger).get(path)

    assert (owner.status, other.status) == (403, 404)


def test_a_plan_with_nothing_in_it_is_good_news(app: Flask, world: World) -> None:
    change(app, world, "DELETE FROM operation WHERE run_id = :id", id=world.plan)

    seen = admin(app, world).get(url(world))

    assert seen.sentence == "Nothing to do: both sides agree."


def test_an_address_of_another_page_is_not_gone_to(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get(url(world)).form(url(world, "/apply"))

    seen = browser.send(form, to=url(world, "/choose"), next="//elsewhere.example/x")

    assert seen.response.request.path == url(world)
