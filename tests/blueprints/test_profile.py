"""The profile: how pages look for a person, and where they are signed in."""

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from tests.browsing import Browser
from tests.demo_rows import World, acting, empty_world, full_world

HERE = "/profile"


@pytest.fixture
def world(app: Flask) -> World:
    return empty_world(app)


@pytest.mark.parametrize("role", list(Role))
def test_everybody_sets_their_own_look(app: Flask, world: World, role: Role) -> None:
    one = Browser(app, world.person(role))

    seen = one.send(
        one.get(HERE).form(HERE), theme="dark", density="comfortable", keys="0", zone="Asia/Tokyo"
    )

    assert "Saved how pages look for you." in seen.text
    root = seen.soup.html
    assert (root["data-theme"], root["data-density"], root["data-keys"]) == (
        "dark",
        "comfortable",
        "off",
    )


def test_keys_work_until_they_are_turned_off_by_that_person(app: Flask, world: World) -> None:
    one, other = Browser(app, world.person(Role.ADMIN)), Browser(app, world.person(Role.VIEWER))

    one.send(one.get(HERE).form(HERE), keys="0")

    assert "data-keys" not in other.get(HERE).soup.html.attrs
    back = one.send(one.get(HERE).form(HERE), keys="1")
    assert "data-keys" not in back.soup.html.attrs


def test_times_are_shown_in_the_persons_zone(app: Flask) -> None:
    world = full_world(app)
    with acting(app, world):
        db.session.execute(text("UPDATE link SET error = NULL"))
        db.session.execute(text("UPDATE link SET agreed_at = '2026-03-01T23:30:00Z'"))
        db.session.commit()
    one = Browser(app, world.person(Role.ADMIN))

    one.send(one.get(HERE).form(HERE), zone="Asia/Tokyo")

    shown = one.get("/povs?cols=synced").soup.select_one("tbody time")
    assert shown.get_text() == "2 Mar 2026, 08:30"
    assert shown["datetime"] == "2026-03-02T08:30:00+09:00"


@pytest.mark.parametrize(
    ("field", "value"),
    [("zone", "Mars/Olympus"), ("zone", "../../etc/passwd"), ("theme", "pink"), ("density", "")],
)
def test_what_is_not_on_offer_is_refused(app: Flask, world: World, field: str, value: str) -> None:
    one = Browser(app, world.person(Role.ADMIN))

    seen = one.send(one.get(HERE).form(HERE), **{field: value})

    assert seen.status == 422
    assert seen.title.startswith("Error:")
    assert seen.soup.find(id=f"f-{field}")["aria-invalid"] == "true"


def test_other_browsers_are_signed_out_and_this_one_stays(app: Flask, world: World) -> None:
    one, other = Browser(app, world.person(Role.ADMIN)), Browser(app, world.person(Role.ADMIN))
    form = one.get(HERE).form("/sign-out/everywhere")

    seen = one.send(form)

    assert "You are signed in nowhere else." in seen.text
    assert other.get(HERE).status == 303
