"""Lists of records: views people keep, columns, files, and what is done with several at once."""

import csv
import io

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin.blueprints.records import lists
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from crm_admin.services.queries.views import PARTS
from tests.browsing import Browser, Seen
from tests.demo_rows import HOSTILE, World, acting, empty_world, full_world, insert


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def browser(app: Flask, world: World, role: Role = Role.ADMIN) -> Browser:
    return Browser(app, world.person(role))


def lines(one: Browser, path: str) -> list[list[str]]:
    answer = one.client.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def names(seen: Seen) -> list[str]:
    return [link.get_text() for link in seen.soup.select("tbody th a")]


def make(app: Flask, world: World, amount: int) -> None:
    with acting(app, world):
        for number in range(amount):
            insert(
                "record",
                world,
                id=new_id(),
                kind="contact",
                data={},
                title=f"Contact {number:03}",
                status="lead" if number % 2 else "customer",
            )
        db.session.commit()


def views_kept(app: Flask, world: World) -> int:
    with acting(app, world):
        return int(db.session.execute(text("SELECT count(*) FROM saved_view")).scalar_one())


def save_view(one: Browser, page: str, name: str, **more: str) -> Seen:
    return one.send(one.get(page).form("/views"), name=name, **more)


def test_a_saved_view_is_a_tab_with_filters_order_and_columns(app: Flask, world: World) -> None:
    one = browser(app, world)

    saved = save_view(one, "/povs/view?stage=proposal&sort=-title&cols=amount", "In proposal")

    tab = saved.soup.select_one("nav.tabs a[aria-current=page]")
    assert tab.get_text(strip=True) == "In proposal"
    assert saved.response.request.args["sort"] == "-title"
    assert [head.get_text(strip=True) for head in saved.soup.select("thead th")][1:] == [
        "POV",
        "Revenue",
    ]
    assert saved.soup.select_one("th[aria-sort=descending]").get_text(strip=True) == "POV"


def test_a_private_view_is_ones_own_and_a_shared_one_everybodys(app: Flask, world: World) -> None:
    admin, viewer = browser(app, world), browser(app, world, Role.VIEWER)
    save_view(admin, "/povs/view?q=a", "Private one")
    save_view(admin, "/povs/view?q=b", HOSTILE, shared="1")

    seen = viewer.get("/povs")
    arranged = viewer.get("/povs/view")

    assert "Private one" not in seen.text
    assert HOSTILE in seen.soup.select_one("nav.tabs").get_text()
    assert not arranged.soup.select("form[action$='/rename'], form[action$='/delete']")


def test_a_view_is_renamed_deleted_and_opened_with(app: Flask, world: World) -> None:
    one = browser(app, world)
    save_view(one, "/povs/view?stage=proposal", "Old")

    one.send(one.get("/povs/view").soup.select_one("form[action$='/rename']"), name="New")
    one.send(one.get("/povs/view").soup.select_one("form[action$='/default']"))
    opened = one.follow("/povs")
    deleted = one.send(one.get("/povs/view").soup.select_one("form[action$='/delete']"))

    assert opened.soup.select_one("nav.tabs a[aria-current]").get_text(strip=True) == "New"
    assert "Deleted the view New." in deleted.text
    assert one.get("/povs").status == 200


@pytest.mark.parametrize("action", ["rename", "delete", "default"])
def test_another_ones_view_is_not_there(app: Flask, world: World, action: str) -> None:
    save_view(browser(app, world), "/povs/view?q=a", "Private one")
    with acting(app, world):
        view = db.session.execute(text("SELECT id FROM saved_view")).scalar_one()
    viewer = browser(app, world, Role.VIEWER)
    form = viewer.get("/povs/view").form("/views")

    seen = viewer.send(form, to=f"/views/{view}/{action}", name="Mine", on="1")

    assert seen.status == 404


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_view_needs_a_name_that_fits(app: Flask, world: World, name: str) -> None:
    seen = save_view(browser(app, world), "/povs/view", name)

    assert seen.soup.select_one(".notice.is-bad")
    assert len(seen.soup.select("nav.tabs a")) == 5


def test_a_view_keeps_what_the_list_knows_and_no_place_in_it(app: Flask, world: World) -> None:
    viewer, admin = browser(app, world, Role.VIEWER), browser(app, world)
    save_view(viewer, "/povs/view?q=fjord", "Good", shared="1")
    with acting(app, world):
        shared = db.session.execute(text("SELECT id FROM saved_view")).scalar_one()
    admin.send(admin.get("/povs/view").form("/views"), to=f"/views/{shared}/default", on="1")

    save_view(viewer, "/povs/view", "Good", shared="1", filters="q=fjord&after=zzzz&saved=x&no=1")
    with acting(app, world):
        kept = db.session.execute(text("SELECT filters FROM saved_view")).scalar_one()
        more = "UPDATE saved_view SET filters = jsonb_build_object('q', 'fjord', 'after', 'zzzz')"
        db.session.execute(text(more))
        db.session.commit()

    assert kept == {"q": "fjord"}
    assert names(admin.follow("/povs")) == ["Fjordlys fjord heating"]


@pytest.mark.parametrize("page", ["records/nothing", "records/pov", "sync", "povs/", "//evil"])
def test_a_view_is_kept_of_a_list_there_is(app: Flask, world: World, page: str) -> None:
    one = browser(app, world)

    one.send(one.get("/povs/view").form("/views"), name="Nowhere", page=page)

    assert views_kept(app, world) == 0


def test_a_pov_owner_keeps_no_view_of_a_list_they_do_not_have(app: Flask, world: World) -> None:
    owner = browser(app, world, Role.POV_OWNER)

    owner.send(owner.get("/povs/view").form("/views"), name="Contacts", page="records/contact")

    assert views_kept(app, world) == 0


@pytest.mark.parametrize("filters", ["q=%00", "%00=a", "after=a%00"])
def test_a_nul_hidden_in_the_filters_of_a_view_is_refused(
    app: Flask, world: World, filters: str
) -> None:
    one = browser(app, world)
    form = one.get("/povs/view").form("/views")

    answer = one.send(form, name="Nul", filters=filters)

    assert answer.status == 400
    assert views_kept(app, world) == 0


def test_a_list_reads_what_a_view_keeps() -> None:
    assert {*lists.NAMES, "cols"} == set(PARTS)


def test_the_file_is_what_is_listed_to_its_very_end(app: Flask, world: World) -> None:
    make(app, world, 120)
    one = browser(app, world)
    asked = "stage=lead&sort=-title&cols=status"

    found = lines(one, f"/records/contact/export.csv?{asked}")
    first = names(one.get(f"/records/contact?{asked}"))

    assert found[0] == ["Contact", "About", "Id", "Lifecycle stage"]
    assert len(found) == 61
    assert [line[0] for line in found[1:51]] == first
    assert {line[3] for line in found[1:]} == {"Lead"}


def test_no_cell_of_the_file_is_a_formula(app: Flask, world: World) -> None:
    with acting(app, world):
        db.session.execute(text("UPDATE record SET title = '=1+1' WHERE kind = 'company'"))
        db.session.commit()

    found = lines(browser(app, world), "/records/company/export.csv")

    assert found[1][0] == "'=1+1"


def test_a_pov_owner_exports_and_counts_only_own_povs(app: Flask, world: World) -> None:
    owner = browser(app, world, Role.POV_OWNER)

    found = lines(owner, "/povs/export.csv")

    assert [line[0] for line in found[1:]] == [HOSTILE]
    assert owner.client.get("/records/company/export.csv").status_code == 404
    assert owner.get("/records/company/view").status == 404
    assert "1" in owner.get("/povs").soup.select_one("nav.tabs .count").get_text()


def test_a_pov_owner_sees_what_is_shared_with_them(app: Flask, world: World) -> None:
    with acting(app, world):
        insert(
            "share",
            world,
            record_id=world.others,
            user_id=world.person(Role.POV_OWNER).user_id,
        )
        db.session.commit()
    owner = browser(app, world, Role.POV_OWNER)

    seen = owner.get("/povs")

    assert "Fjordlys fjord heating" in names(seen)
    assert owner.get(f"/povs/{world.others}").status == 200


def test_a_pov_owner_finds_a_shared_pov_by_its_title_in_list_and_file(
    app: Flask, world: World
) -> None:
    person = world.person(Role.POV_OWNER)
    one = browser(app, world, Role.POV_OWNER)
    before = names(one.get("/povs?q=fjord"))
    with acting(app, world):
        insert("share", world, record_id=world.others, user_id=person.user_id)
        db.session.commit()

    after = names(one.get("/povs?q=fjord"))
    file = lines(one, "/povs/export.csv?q=fjord")

    assert before == []
    assert after == ["Fjordlys fjord heating"]
    assert [line[0] for line in file[1:]] == ["Fjordlys fjord heating"]


def test_ticked_records_are_synced_and_the_rest_is_told(app: Flask, world: World) -> None:
    with acting(app, world):
        db.session.execute(text("UPDATE connection SET stance = 'active'"))
        db.session.commit()
    one = browser(app, world)
    form = one.get("/povs").form("/povs/sync")

    seen = one.send(form, id=[str(world.own), str(world.others), str(new_id())])
    nothing = one.send(form)

    assert "Syncing 2 records now." in seen.text
    assert "One record was not synced" in seen.text
    assert "Tick the records to sync first." in nothing.text


def test_a_pov_owner_syncs_no_record_of_others(app: Flask, world: World) -> None:
    with acting(app, world):
        db.session.execute(text("UPDATE connection SET stance = 'active'"))
        db.session.commit()
    owner = browser(app, world, Role.POV_OWNER)
    form = owner.get("/povs").form("/povs/sync")

    seen = owner.send(form, id=[str(world.others)])

    assert "One record was not synced" in seen.text
    with acting(app, world):
        assert db.session.execute(text("SELECT count(*) FROM wanted")).scalar_one() == 0


def test_filters_are_chips_that_can_be_taken_off(app: Flask, world: World) -> None:
    seen = browser(app, world).get("/povs?q=fjord&stage=proposal")

    chips = {chip.get_text(" ", strip=True): chip["href"] for chip in seen.soup.select("a.chip")}
    assert chips["“fjord” take this filter off"] == "/povs?stage=proposal"
    assert chips["Stage: proposal take this filter off"] == "/povs?q=fjord"


def test_an_order_turns_round_and_an_unknown_one_is_the_usual(app: Flask, world: World) -> None:
    make(app, world, 3)
    one = browser(app, world)

    rising = one.get("/records/contact?sort=title")
    falling = one.get("/records/contact?sort=-title")
    unknown = one.get("/records/contact?sort=title;DROP")

    assert names(rising) == names(falling)[::-1]
    assert rising.soup.select_one("th[aria-sort] a")["href"].endswith("sort=-title")
    assert unknown.status == 200


def test_an_old_word_of_a_crm_is_said_to_be_old(app: Flask, world: World) -> None:
    with acting(app, world):
        db.session.execute(
            text("UPDATE connection SET health = 'needs_reconnect' WHERE id = :id"),
            {"id": world.connection},
        )
        db.session.commit()

    seen = browser(app, world).get("/povs")

    assert "HubSpot EU needs attention. What is said of it here may be old." in seen.text


def test_an_owner_of_nothing_is_told_how_to_come_by_a_pov(app: Flask) -> None:
    world = empty_world(app)

    seen = browser(app, world, Role.POV_OWNER).get("/povs")

    assert seen.sentence == "You own no POVs yet."
    assert "Ask an admin for yours." in seen.text
