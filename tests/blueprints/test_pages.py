"""Every page as a person without JavaScript sees it: whole, escaped, and only for whom it is."""

from collections.abc import Callable

import pytest
from flask import Flask

from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from tests.browsing import Browser, Seen
from tests.demo_rows import HOSTILE, World, empty_world, full_world

PAGES: dict[str, Callable[[World], str]] = {
    "home": lambda world: "/admin/crm",
    "connections": lambda world: "/admin/crm/settings",
    "connection": lambda world: f"/admin/crm/settings/{world.connection}",
    "broken connection": lambda world: f"/admin/crm/settings/{world.broken}",
    "mapping": lambda world: f"/admin/crm/mapping?stream={world.stream}",
    "sync": lambda world: "/admin/crm/sync",
    "history": lambda world: "/admin/crm/sync/history",
    "run": lambda world: f"/admin/crm/sync/runs/{world.partial}",
    "run records": lambda world: f"/admin/crm/sync/runs/{world.partial}?tab=records",
    "run calls": lambda world: f"/admin/crm/sync/runs/{world.partial}?tab=calls",
    "run settings": lambda world: f"/admin/crm/sync/runs/{world.partial}?tab=settings",
    "running run": lambda world: f"/admin/crm/sync/runs/{world.running}",
    "plan": lambda world: f"/admin/crm/sync/plans/{world.plan}",
    "plan by field": lambda world: f"/admin/crm/sync/plans/{world.plan}?group=field",
    "povs": lambda world: "/povs",
    "pov": lambda world: f"/povs/{world.own}",
    "pov explained": lambda world: f"/povs/{world.own}?why=title",
    "companies": lambda world: "/records/company",
    "company": lambda world: f"/records/company/{world.company}",
    "conflicts": lambda world: "/admin/crm/conflicts",
    "conflict": lambda world: f"/admin/crm/conflicts/{world.conflict}",
}
ADMIN_PAGES: dict[str, Callable[[World], str]] = {
    "new connection": lambda world: "/admin/crm/settings/new?provider=hubspot",
    "objects": lambda world: f"/admin/crm/settings/{world.connection}/objects",
    "edit": lambda world: f"/povs/{world.own}/edit",
    "people": lambda world: "/admin/users",
}
FRAGMENTS: dict[str, Callable[[World], str]] = {
    "attention": lambda world: "/admin/crm/_attention",
    "running": lambda world: "/admin/crm/_running",
    "health": lambda world: "/admin/crm/_health",
    "active": lambda world: "/admin/crm/sync/_active",
    "card": lambda world: f"/admin/crm/sync/runs/{world.running}/_card",
    "rows": lambda world: f"/admin/crm/sync/plans/{world.plan}/_rows",
    "checks": lambda world: f"/admin/crm/settings/{world.broken}/_checks",
    "status": lambda world: f"/povs/{world.own}/_status",
}
EVERY_PAGE = {**PAGES, **ADMIN_PAGES}
ONES_OWN = ("/sign-out", "/follow")
"""Where the forms lead that change nothing but what a person sees."""


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def browser(app: Flask, world: World, role: Role = Role.ADMIN) -> Browser:
    return Browser(app, world.person(role))


def assert_whole(seen: Seen) -> None:
    assert seen.status == 200
    assert seen.response.get_data(as_text=True).lstrip().lower().startswith("<!doctype html>")
    assert seen.sentence
    assert seen.title.endswith("CRM Admin")
    assert len(seen.soup.find_all("h1")) == 1


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_a_page_is_a_whole_document_with_one_sentence(app: Flask, world: World, name: str) -> None:
    seen = browser(app, world).get(EVERY_PAGE[name](world))

    assert_whole(seen)


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_text_from_outside_never_becomes_markup(app: Flask, world: World, name: str) -> None:
    seen = browser(app, world).get(EVERY_PAGE[name](world))

    assert "alert(1)" not in "".join(script.get_text() for script in seen.soup.find_all("script"))
    assert not [
        tag for tag in seen.soup.find_all(True) if any(key.startswith("on") for key in tag.attrs)
    ]


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_ids_are_unique_and_labels_meet_their_fields(app: Flask, world: World, name: str) -> None:
    seen = browser(app, world).get(EVERY_PAGE[name](world))

    ids = [tag["id"] for tag in seen.soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert {label["for"] for label in seen.soup.find_all("label", attrs={"for": True})} <= set(ids)
    pointers = ("aria-labelledby", "aria-describedby")
    named = {
        part
        for key in pointers
        for tag in seen.soup.find_all(attrs={key: True})
        for part in tag[key].split()
    }
    assert named <= set(ids)


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_every_control_has_a_name(app: Flask, world: World, name: str) -> None:
    seen = browser(app, world).get(EVERY_PAGE[name](world))

    labelled = {label["for"] for label in seen.soup.find_all("label", attrs={"for": True})}
    nameless = [
        field
        for field in seen.soup.find_all(["input", "select", "textarea"])
        if field.get("type") != "hidden"
        and field.get("id") not in labelled
        and not field.get("aria-label")
        and not field.find_parent("label")
    ]
    assert not nameless
    assert all(button.get_text(strip=True) for button in seen.soup.find_all("button"))


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_links_lead_to_pages_that_exist(app: Flask, world: World, name: str) -> None:
    visitor = browser(app, world)
    seen = visitor.get(EVERY_PAGE[name](world))

    links = {link["href"].partition("#")[0] for link in seen.soup.find_all("a", href=True)}
    ours = sorted(link for link in links if link.startswith("/"))
    broken = [link for link in ours if visitor.follow(link).status != 200]
    assert not broken


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_is_a_part_that_nobody_keeps(app: Flask, world: World, name: str) -> None:
    seen = browser(app, world).get(FRAGMENTS[name](world), htmx=True)

    assert seen.status == 200
    assert not seen.soup.find("html")
    assert seen.response.headers["Cache-Control"] == "no-store"
    roots = [child for child in seen.soup.children if getattr(child, "name", None)]
    assert len(roots) == 1
    assert roots[0]["id"]


@pytest.mark.parametrize("name", PAGES)
def test_a_viewer_reads_every_page_and_finds_nothing_to_press(
    app: Flask, world: World, name: str
) -> None:
    seen = browser(app, world, Role.VIEWER).get(PAGES[name](world))

    assert_whole(seen)
    posting = {form["action"] for form in seen.soup.find_all("form", method="post")}
    assert not [to for to in posting if not to.endswith(ONES_OWN)]


@pytest.mark.parametrize("name", ADMIN_PAGES)
def test_a_viewer_is_refused_what_only_others_may(app: Flask, world: World, name: str) -> None:
    seen = browser(app, world, Role.VIEWER).get(ADMIN_PAGES[name](world))

    assert seen.status == 403


@pytest.mark.parametrize(
    "name",
    ["home", "connections", "connection", "mapping", "sync", "history", "run", "plan", "companies"],
)
def test_a_pov_owner_stays_with_own_povs(app: Flask, world: World, name: str) -> None:
    seen = browser(app, world, Role.POV_OWNER).get(PAGES[name](world))

    assert seen.status in {403, 404}
    assert "HubSpot" not in seen.text


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_pov_owner_gets_no_part_of_the_organisations_pages(
    app: Flask, world: World, name: str
) -> None:
    seen = browser(app, world, Role.POV_OWNER).get(FRAGMENTS[name](world), htmx=True)

    assert (seen.status == 200) is (name == "status")


def test_a_pov_owner_lands_on_the_povs(app: Flask, world: World) -> None:
    seen = browser(app, world, Role.POV_OWNER).follow("/")

    assert seen.response.request.path == "/povs"
    assert seen.sentence == "Your POV is in a CRM."


def test_an_admin_lands_on_home(app: Flask, world: World) -> None:
    seen = browser(app, world).follow("/")

    assert seen.response.request.path == "/admin/crm"


@pytest.mark.parametrize(
    "path",
    [
        "/povs/{id}",
        "/povs/{id}/edit",
        "/records/company/{id}",
        "/admin/crm/sync/runs/{id}",
        "/admin/crm/sync/plans/{id}",
        "/admin/crm/settings/{id}",
        "/admin/crm/conflicts/{id}",
    ],
)
def test_unknown_and_foreign_ids_look_the_same(app: Flask, world: World, path: str) -> None:
    stranger = empty_world(app)
    visitor = browser(app, stranger)
    ids = {
        "povs": world.own,
        "company": world.company,
        "runs": world.partial,
        "plans": world.plan,
        "settings": world.connection,
        "conflicts": world.conflict,
    }
    foreign = next(value for word, value in ids.items() if word in path)

    there = visitor.get(path.format(id=foreign))
    nowhere = visitor.get(path.format(id=new_id()))

    assert (there.status, nowhere.status) == (404, 404)
    assert there.sentence == nowhere.sentence


def test_an_empty_organisation_sees_the_first_steps(app: Flask) -> None:
    world = empty_world(app)

    seen = browser(app, world).get("/admin/crm")

    assert seen.sentence.startswith("Welcome")
    assert "Add a connection" in seen.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/admin/crm/settings", "No CRM is connected yet."),
        ("/admin/crm/mapping", "Nothing is mapped yet."),
        ("/admin/crm/sync", "Connect a CRM to sync with it."),
        ("/admin/crm/sync/history", "No run was finished this week."),
        ("/povs", "There are no POVs yet."),
        ("/admin/crm/conflicts", "No conflicts."),
    ],
)
def test_an_empty_page_says_what_will_be_here(app: Flask, path: str, words: str) -> None:
    world = empty_world(app)

    seen = browser(app, world).get(path)

    assert seen.sentence == words
    assert seen.soup.select_one(".empty")


@pytest.mark.parametrize("path", ["/povs?q=zzzz", "/admin/crm/sync/history?status=cancelled"])
def test_no_match_offers_to_clear_the_filters(app: Flask, world: World, path: str) -> None:
    seen = browser(app, world).get(path)

    assert "Clear filters" in seen.soup.select_one(".empty").get_text()


def test_a_polled_part_asks_again_only_while_something_runs(app: Flask, world: World) -> None:
    visitor = browser(app, world)

    running = visitor.get(f"/admin/crm/sync/runs/{world.running}/_card", htmx=True)
    finished = visitor.get(f"/admin/crm/sync/runs/{world.partial}/_card", htmx=True)

    assert running.soup.find(attrs={"hx-trigger": "every 2s"})
    assert not finished.soup.find(attrs={"hx-trigger": True})
    assert finished.response.headers["HX-Refresh"] == "true"


def test_a_cold_page_weighs_little(app: Flask, world: World) -> None:
    visitor = browser(app, world)
    page = visitor.get(f"/povs/{world.own}")

    files = {link["href"] for link in page.soup.find_all("link", rel="stylesheet")}
    files |= {script["src"] for script in page.soup.find_all("script")}
    files.add(page.soup.html["data-icons"])
    answers = [visitor.client.get(file, headers={"Accept-Encoding": "gzip"}) for file in files]

    assert all(answer.headers["Content-Encoding"] == "gzip" for answer in answers)
    assert all("immutable" in answer.headers["Cache-Control"] for answer in answers)
    weight = len(page.response.data) + sum(len(answer.data) for answer in answers)
    assert weight < 80_000


def test_an_old_address_of_a_file_is_served_but_not_kept(app: Flask, world: World) -> None:
    answer = browser(app, world).client.get("/assets/0123/app.css")

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/assets/0123/../app.py", "/assets/0123/%2e%2e/app.py", "/assets/0/no.css"]
)
def test_files_outside_the_folder_are_not_served(app: Flask, world: World, path: str) -> None:
    answer = browser(app, world).client.get(path)

    assert answer.status_code == 404


def test_hostile_text_is_shown_as_text(app: Flask, world: World) -> None:
    seen = browser(app, world).get(f"/povs/{world.own}")

    assert HOSTILE in seen.soup.select_one(".page-sub").get_text()
