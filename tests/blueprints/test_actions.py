"""What happens when a person without JavaScript sends the forms the pages offer."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from tests.browsing import Browser
from tests.demo_rows import World, acting, empty_world, full_world


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def admin(app: Flask, world: World) -> Browser:
    return Browser(app, world.person(Role.ADMIN))


def value(app: Flask, world: World, statement: str, **bound: object) -> Any:
    with acting(app, world):
        return db.session.execute(text(statement), bound).scalar_one_or_none()


def plan_url(world: World) -> str:
    return f"/admin/crm/sync/plans/{world.plan}"


def test_starting_a_sync_leads_to_its_run(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get("/admin/crm/sync").form("/admin/crm/sync")

    seen = browser.send(form, connection=str(world.connection), mode="full", kind="plan")

    assert seen.status == 200
    assert seen.response.request.path.startswith("/admin/crm/sync/runs/")
    assert "HubSpot EU" in seen.sentence


def test_pressing_twice_starts_one_run(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get("/admin/crm/sync").form("/admin/crm/sync")
    chosen = {"connection": str(world.connection), "mode": "full", "kind": "plan"}

    one = browser.send(form, **chosen)
    two = browser.send(form, **chosen)

    assert one.response.request.path == two.response.request.path


def test_a_paused_connection_says_why_nothing_starts(app: Flask, world: World) -> None:
    browser = admin(app, world)
    detail = f"/admin/crm/settings/{world.connection}"
    browser.send(browser.get(detail).form(f"{detail}/stance"), stance="paused")

    seen = browser.send(
        browser.get("/admin/crm/sync").form("/admin/crm/sync"),
        connection=str(world.connection),
        mode="delta",
        kind="run",
    )

    assert "paused" in seen.soup.select_one(".notice.is-bad").get_text()


def test_applying_a_plan_queues_exactly_what_is_ticked(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get(plan_url(world)).form(f"{plan_url(world)}/apply")
    kept = [str(world.operations["update"])]

    seen = browser.send(form, op=kept)

    assert seen.response.request.path == f"/admin/crm/sync/runs/{world.plan}"
    out = "SELECT excluded FROM operation WHERE id = :id"
    assert value(app, world, out, id=world.operations["update"]) is False
    assert value(app, world, out, id=world.operations["create"]) is True
    state = "SELECT state FROM sync_run WHERE id = :id"
    assert value(app, world, state, id=world.plan) == "queued"


def test_a_plan_that_changed_since_is_not_applied(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get(plan_url(world)).form(f"{plan_url(world)}/apply")

    seen = browser.send(form, plan_hash="another")

    assert seen.status == 409
    state = "SELECT state FROM sync_run WHERE id = :id"
    assert value(app, world, state, id=world.plan) == "planned"


def test_a_plan_with_deletes_wants_its_number_typed(app: Flask, world: World) -> None:
    with acting(app, world):
        db.session.execute(
            text("UPDATE operation SET action = 'delete' WHERE id = :id"),
            {"id": world.operations["update"]},
        )
        db.session.commit()
    browser = admin(app, world)
    form = browser.get(plan_url(world)).form(f"{plan_url(world)}/apply")

    refused = browser.send(form, typed="2")
    accepted = browser.send(form, typed="3")

    assert refused.status == 422
    assert refused.title.startswith("Error:")
    assert refused.soup.select_one("[role=alert]")
    assert accepted.response.request.path == f"/admin/crm/sync/runs/{world.plan}"


def test_ticks_are_kept_without_applying(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = browser.get(plan_url(world)).form(f"{plan_url(world)}/apply")

    seen = browser.send(form, to=f"{plan_url(world)}/choose", op=[])

    assert seen.sentence == "Choose which values count; then there is something to apply."
    assert len(seen.soup.select("li.op input[type=checkbox]:not([checked])")) == 3


@pytest.mark.parametrize("choice", ["ours", "theirs", "newest"])
def test_one_choice_settles_a_field_for_all_records(app: Flask, world: World, choice: str) -> None:
    browser = admin(app, world)
    form = browser.get(plan_url(world)).form(f"{plan_url(world)}/field")

    seen = browser.send(form, choice=choice)

    key = f"{world.stream}:r4"
    decisions = value(app, world, "SELECT decisions FROM sync_run WHERE id = :id", id=world.plan)
    assert decisions == {key: choice}
    assert "Chosen: " in seen.text
    assert ("newer side counts" if choice == "newest" else "Your choices") in seen.text


def test_a_look_alike_is_paired_or_left_for_later(app: Flask, world: World) -> None:
    browser = admin(app, world)
    operation = world.operations["match"]
    form = browser.get(plan_url(world)).form(f"{plan_url(world)}/apply")
    address = f"{plan_url(world)}/match?op={operation}"

    paired = browser.send(form, to=f"{address}&choice={world.own}")
    later = browser.send(form, to=address)

    assert "Chosen: the same" in paired.text
    assert "Chosen: the same" not in later.text


def test_a_discarded_plan_is_put_away(app: Flask, world: World) -> None:
    browser = admin(app, world)

    browser.send(browser.get(plan_url(world)).form(f"{plan_url(world)}/discard"))

    assert browser.get(plan_url(world)).sentence.startswith("This plan was put away.")


def test_a_running_run_is_asked_to_stop(app: Flask, world: World) -> None:
    browser = admin(app, world)
    page = f"/admin/crm/sync/runs/{world.running}"

    seen = browser.send(browser.get(page).form(f"{page}/stop"))

    assert "stopping after this batch" in seen.text
    assert not seen.has_form(f"{page}/stop")


def test_a_conflict_is_settled_where_it_is_seen(app: Flask, world: World) -> None:
    owner = Browser(app, world.person(Role.POV_OWNER))
    pov = f"/povs/{world.own}"
    form = owner.get(pov).form(f"/admin/crm/conflicts/{world.conflict}")

    seen = owner.send(form, choice="theirs")

    assert seen.response.request.path == pov
    assert seen.soup.select_one(".notice")


def test_a_conflict_seen_with_other_values_is_shown_again(app: Flask, world: World) -> None:
    browser = admin(app, world)
    page = "/admin/crm/conflicts"
    form = browser.get(page).form(f"{page}/{world.conflict}")

    seen = browser.send(form, choice="ours", seen="older:values")

    assert "changed again meanwhile" in seen.text
    assert seen.has_form(f"{page}/{world.conflict}")


def test_a_pov_owner_cannot_settle_another_ones_conflict(app: Flask, world: World) -> None:
    with acting(app, world):
        db.session.execute(
            text("UPDATE conflict SET record_id = :record"), {"record": world.others}
        )
        db.session.commit()
    owner = Browser(app, world.person(Role.POV_OWNER))
    form = (
        admin(app, world).get("/admin/crm/conflicts").form(f"/admin/crm/conflicts/{world.conflict}")
    )
    token = owner.get("/povs").soup.find("meta", attrs={"name": "csrf-token"})["content"]

    seen = owner.send(form, choice="ours", csrf_token=token)

    assert seen.status == 404


def test_an_edit_is_saved_and_said(app: Flask, world: World) -> None:
    browser = admin(app, world)
    page = f"/povs/{world.others}"
    form = browser.get(f"{page}/edit").form(f"{page}/edit")

    seen = browser.send(form, **{"field-partner": "Nordkap"})

    assert seen.response.request.path == page
    assert "Saved one field" in seen.text
    assert "Nordkap" in seen.text


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("88000 EUR", "€\u202f88\u202f000"),
        ("88 000", "€\u202f88\u202f000"),
        ("90.5 gbp", "£\u202f90.5"),
    ],
)
def test_money_is_typed_as_the_hint_says(app: Flask, world: World, typed: str, shown: str) -> None:
    browser = admin(app, world)
    page = f"/povs/{world.others}"
    form = browser.get(f"{page}/edit").form(f"{page}/edit")

    seen = browser.send(form, **{"field-revenue": typed})

    assert seen.response.request.path == page, seen.text
    assert shown in seen.soup.find(id="field-revenue").get_text()


def test_a_bad_value_comes_back_with_its_reason(app: Flask, world: World) -> None:
    browser = admin(app, world)
    page = f"/povs/{world.others}"
    form = browser.get(f"{page}/edit").form(f"{page}/edit")

    seen = browser.send(form, **{"field-forecast_date": "next week"})

    assert seen.status == 422
    assert seen.title.startswith("Error:")
    field = seen.soup.find("input", attrs={"name": "field-forecast_date"})
    assert (field["value"], field["aria-invalid"]) == ("next week", "true")
    assert seen.soup.find(id=field["aria-describedby"].split()[-1]).get_text(strip=True)
    assert seen.soup.select_one("[role=alert] a")["href"] == f"#{field['id']}"


def test_an_edit_of_an_older_version_is_refused(app: Flask, world: World) -> None:
    browser = admin(app, world)
    page = f"/povs/{world.others}"
    form = browser.get(f"{page}/edit").form(f"{page}/edit")
    browser.send(form, **{"field-partner": "First"})

    seen = browser.send(form, **{"field-partner": "Second"})

    assert seen.status == 409
    assert "made it “First”" in seen.text
    again = browser.send(seen.form(f"{page}/edit"))
    assert "Saved one field" in again.text
    assert "Second" in again.text


@pytest.mark.parametrize(
    ("stance", "words"), [("active", "Syncing"), ("observe", "only observes or is paused")]
)
def test_syncing_a_pov_comes_back_to_it_and_says_what_happens(
    app: Flask, world: World, stance: str, words: str
) -> None:
    with acting(app, world):
        db.session.execute(text("UPDATE connection SET stance = :stance"), {"stance": stance})
        db.session.commit()
    owner = Browser(app, world.person(Role.POV_OWNER))
    page = f"/povs/{world.own}"

    seen = owner.send(owner.get(page).form(f"{page}/sync"))

    assert seen.response.request.path == page
    assert words in seen.soup.select_one(".notice").get_text()


NEW = "/admin/crm/settings/new"


def test_a_connection_without_a_token_is_asked_for_it(app: Flask) -> None:
    world = empty_world(app)
    browser = admin(app, world)
    form = browser.get(f"{NEW}?provider=hubspot").form(NEW)

    seen = browser.send(form, name="")

    assert seen.status == 422
    assert seen.title.startswith("Error:")
    assert {link["href"] for link in seen.soup.select("[role=alert] a")} >= {"#f-name"}


def test_a_typed_secret_is_never_rendered_back(app: Flask) -> None:
    world = empty_world(app)
    browser = admin(app, world)
    form = browser.get(f"{NEW}?provider=hubspot").form(NEW)

    seen = browser.send(form, name="", **{"setting-access_token": "pat-canary-7f31"})

    assert seen.status == 422
    assert "canary" not in seen.response.get_data(as_text=True)


def test_a_new_connection_is_checked_and_only_observes(app: Flask) -> None:
    world = empty_world(app)
    browser = admin(app, world)
    form = browser.get(f"{NEW}?provider=hubspot").form(NEW)

    seen = browser.send(
        form,
        name="HubSpot EU",
        environment="simulator",
        endpoint="http://127.0.0.1:1",
        **{"setting-access_token": "pat-canary-7f31"},
    )

    assert seen.status == 200
    assert "HubSpot EU" in seen.sentence
    assert "Observe" in seen.text
    assert "canary" not in seen.response.get_data(as_text=True)


def test_chosen_objects_are_synced_with_a_first_mapping(app: Flask, world: World) -> None:
    browser = admin(app, world)
    page = f"/admin/crm/settings/{world.connection}/objects"
    form = browser.get(page).form(page)

    seen = browser.send(form)

    assert "Contacts" in seen.text
    streams = "SELECT count(*) FROM stream WHERE connection_id = :id AND enabled"
    assert value(app, world, streams, id=world.connection) >= 3


@pytest.mark.parametrize("stance", ["active", "paused", "observe"])
def test_the_mode_is_what_was_chosen(app: Flask, world: World, stance: str) -> None:
    browser = admin(app, world)
    page = f"/admin/crm/settings/{world.connection}"

    browser.send(browser.get(page).form(f"{page}/stance"), stance=stance)

    found = value(app, world, "SELECT stance FROM connection WHERE id = :id", id=world.connection)
    assert found == stance


@pytest.mark.parametrize(
    "path",
    [
        "/admin/crm/sync",
        "/admin/crm/sync/runs/{id}/stop",
        "/admin/crm/sync/plans/{id}/apply",
        "/admin/crm/sync/plans/{id}/discard",
        "/admin/crm/settings/{id}/stance",
        "/admin/crm/conflicts/{id}",
    ],
)
def test_a_viewer_who_sends_a_form_anyway_is_refused(app: Flask, world: World, path: str) -> None:
    viewer = Browser(app, world.person(Role.VIEWER))
    form = viewer.get("/povs").form("/sign-out")

    seen = viewer.send(form, to=path.format(id=world.plan), follow=False)

    assert seen.status == 403
