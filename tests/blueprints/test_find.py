"""One box that finds pages, actions and records, and shows nobody what is not theirs."""

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from crm_admin.services.queries.find import find
from tests.browsing import Browser
from tests.demo_rows import HOSTILE, World, acting, full_world, insert

TITLE = "Fjordlys fjord heating"


@pytest.fixture
def world(app: Flask) -> World:
    found = full_world(app)
    with acting(app, found):
        db.session.execute(
            text("UPDATE record SET external_id = 'YMB-2291' WHERE id = :id"), {"id": found.others}
        )
        insert(
            "record_key",
            found,
            record_id=found.others,
            kind="pov",
            key_type="exact",
            value="9104",
            strong=True,
        )
        db.session.commit()
    return found


def remote_id(world: World) -> str:
    return f"91-{world.others.hex[-6:]}"


def asked(world: World) -> dict[str, str]:
    """Everything a person may have in hand of one record."""
    deal = remote_id(world)
    return {
        "name": "fjord heat",
        "our id": str(world.others),
        "end of our id": world.others.hex[-8:].upper(),
        "its own id": "YMB-2291",
        "a key": "910",
        "a CRM's id": deal,
        "a CRM's address": f"https://app.hubspot.com/contacts/1234/record/0-3/{deal}/view/1",
        "an older address": f"https://app-eu1.hubspot.com/contacts/1234/deal/{deal}",
        "a simulator's": f"http://127.0.0.1:8010/_sim/record?object=deals&id={deal}",
        "our address": f"https://crm.example/povs/{world.others}?field=title#timeline",
    }


HANDS = list(asked(World()))


@pytest.mark.parametrize("hand", HANDS)
def test_whatever_is_in_hand_finds_the_record(app: Flask, world: World, hand: str) -> None:
    with acting(app, world):
        found = find(world.person(Role.ADMIN), asked(world)[hand])

    assert [hit.id for hit in found.hits] == [world.others]
    assert not found.nearest


@pytest.mark.parametrize("hand", HANDS)
def test_a_pov_owner_finds_nothing_of_others_by_any_way(
    app: Flask, world: World, hand: str
) -> None:
    owner = Browser(app, world.person(Role.POV_OWNER))

    seen = owner.get("/find?q=" + asked(world)[hand].replace("#", "%23").replace("&", "%26"))

    assert "Fjordlys" not in seen.soup.select_one("main .panel").get_text()
    assert not seen.soup.select(f"a[href*='{world.others}']")


def test_a_pov_owner_finds_own_and_shared_povs(app: Flask, world: World) -> None:
    owner = world.person(Role.POV_OWNER)
    with acting(app, world):
        insert("share", world, record_id=world.others, user_id=owner.user_id)
        db.session.commit()

        shared, own = find(owner, "fjord"), find(owner, str(world.own))
        company = find(owner, str(world.company))

    assert [hit.id for hit in shared.hits] == [world.others]
    assert [hit.id for hit in own.hits] == [world.own]
    assert not company.hits


def test_an_address_of_another_account_is_another_record(app: Flask, world: World) -> None:
    address = f"https://app.hubspot.com/contacts/9999/record/0-3/{remote_id(world)}"

    with acting(app, world):
        found = find(world.person(Role.ADMIN), address)

    assert not found.hits


def test_a_slip_of_the_pen_finds_what_is_near(app: Flask, world: World) -> None:
    with acting(app, world):
        found = find(world.person(Role.ADMIN), "Fjordlis")

    assert found.nearest
    assert [hit.id for hit in found.hits] == [world.others]


UNKNOWN = "01a1fede-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "query",
    ["", "  ", "\0", "%", "'", "\\", "x" * 5_000, "(((", HOSTILE, "a & b | !c", UNKNOWN],
)
def test_odd_questions_break_nothing(app: Flask, world: World, query: str) -> None:
    with acting(app, world):
        found = find(world.person(Role.ADMIN), query)

    assert len(found.hits) <= 12


def test_pages_and_actions_are_found_by_whom_they_are_for(app: Flask, world: World) -> None:
    admin = Browser(app, world.person(Role.ADMIN)).get("/find?q=conn")
    viewer = Browser(app, world.person(Role.VIEWER)).get("/find?q=conn")
    owner = Browser(app, world.person(Role.POV_OWNER)).get("/find?q=conn")

    def links(seen: object) -> list[str]:
        return [link["href"] for link in seen.soup.select("main #found a")]  # type: ignore[attr-defined]

    assert links(admin) == ["/admin/crm/settings", "/admin/crm/settings/new"]
    assert links(viewer) == ["/admin/crm/settings"]
    assert links(owner) == []


def test_the_box_answers_with_a_part_and_without_script_with_a_page(
    app: Flask, world: World
) -> None:
    one = Browser(app, world.person(Role.ADMIN))

    part = one.get("/_find?q=fjord", htmx=True)
    form = one.get("/povs").form("/find")
    whole = one.get(f"{form['action']}?q=fjord")

    assert not part.soup.find("html")
    assert part.soup.find(id="found").find("a", string=TITLE)
    assert whole.sentence == "Found one record."
    assert len(whole.soup.select("#find")) == 1
