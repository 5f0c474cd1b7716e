"""The tabs of Sync: history with its views, errors over all runs, the queue, and every POV."""

import csv
import io
from collections.abc import Iterator

import pytest
import redis
from flask import Flask
from sqlalchemy import text

from crm_admin import dispatch
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from tests.browsing import Browser, Seen
from tests.demo_rows import HOSTILE, World, acting, ago, empty_world, full_world, insert


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def admin(app: Flask, world: World) -> Browser:
    return Browser(app, world.person(Role.ADMIN))


def get(app: Flask, world: World, path: str) -> Seen:
    return admin(app, world).get(f"/admin/crm/sync{path}")


def runs(seen: Seen) -> list[str]:
    return [link["href"].rpartition("/")[2] for link in seen.soup.select("#runs tbody th a")]


@pytest.fixture
def queued(app: Flask, world: World) -> World:
    with acting(app, world):
        db.session.execute(
            text("UPDATE sync_run SET state = 'queued', started_at = NULL WHERE id = :id"),
            {"id": world.running},
        )
        insert(
            "process",
            world,
            name="worker:a:1",
            kind="worker",
            pid=1,
            host="a",
            started_at=ago(minutes=9),
            seen_at=ago(seconds=5),
            info={"cpu_percent": 12.4, "memory_mb": 91.2, "child_peak_mb": 140.0},
        )
        db.session.commit()
    return world


@pytest.fixture
def without_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    nowhere = redis.Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.1)
    monkeypatch.setattr(dispatch, "client", lambda _url: nowhere)
    yield
    nowhere.close()


def test_history_says_how_the_week_went_and_narrows_by_view(app: Flask, world: World) -> None:
    page = get(app, world, "/history")
    failed = get(app, world, "/history?view=failed")
    mine = get(app, world, "/history?view=mine")
    found = get(app, world, f"/history?q={str(world.partial)[-8:]}")
    none = get(app, world, "/history?status=nonsense&connection=x&q=nobody")

    assert page.sentence.startswith("0 of 1 runs this week went through; the last failure was")
    assert "half of the runs are faster" in page.text
    assert set(runs(page)) == {str(world.plan), str(world.partial), str(world.running)}
    assert (runs(failed), runs(mine)) == ([str(world.partial)], [])
    assert runs(found) == [str(world.partial)]
    assert "No run matches." in none.text


def test_the_file_of_the_history_holds_what_the_page_shows(app: Flask, world: World) -> None:
    got = admin(app, world).client.get("/admin/crm/sync/history.csv?status=partial")

    lines = list(csv.reader(io.StringIO(got.get_data(as_text=True).lstrip("\ufeff"))))
    assert [line[0] for line in lines] == ["Run", str(world.partial)]
    assert lines[1][4] == HOSTILE


def test_days_are_drawn_and_stand_in_a_table(app: Flask, world: World) -> None:
    seen = get(app, world, "/history")

    assert seen.soup.select("#per-day svg rect.f-accent")
    assert len(seen.soup.select("#per-day tbody tr")) == 14


def test_errors_over_all_runs_are_linked_by_their_key(app: Flask, world: World) -> None:
    seen = get(app, world, "/errors")
    tab = admin(app, world).follow("/admin/crm/sync?tab=errors")

    items = seen.soup.select("#error-groups > li")
    assert seen.sentence == "1 record could not be synced."
    assert [len(item["id"]) for item in items] == [12]
    assert items[0].select("svg.spark")
    assert tab.response.request.path == "/admin/crm/sync/errors"


def test_a_made_up_fix_or_error_does_nothing(app: Flask, world: World) -> None:
    browser = admin(app, world)
    form = next(
        one
        for one in browser.get("/admin/crm/sync/errors").soup.select("form")
        if "/errors/" in str(one.get("action"))
    )

    wrong = browser.send(form, code="explode")
    gone = browser.send(form, to="/admin/crm/sync/errors/unknown/fix", code="retry")

    assert wrong.status == 422
    assert "made good meanwhile" in gone.soup.select_one(".notice.is-bad").get_text()


def test_the_queue_names_place_reason_and_workers(app: Flask, queued: World) -> None:
    with acting(app, queued):
        dispatch.enqueue("sync.run", queued.organization, new_id())
        dispatch.enqueue("sync.run", queued.organization, queued.running)

    seen = get(app, queued, "/queue")

    row = seen.soup.select_one("table tbody tr")
    assert seen.sentence == "1 run waits."
    assert "It waits for a worker." in row.get_text()
    assert row.select_one("[data-label=Place]").get_text(strip=True) == "2"
    assert "12 %" in seen.text
    assert "91 MB" in seen.text


def test_a_run_is_put_first_and_taken_out(app: Flask, queued: World) -> None:
    browser = admin(app, queued)
    page = browser.get("/admin/crm/sync/queue")
    base = f"/admin/crm/sync/runs/{queued.running}"

    first = browser.send(page.form(f"{base}/front"))
    out = browser.send(first.form(f"{base}/remove"))
    again = browser.send(first.form(f"{base}/remove"))

    assert first.response.request.path == "/admin/crm/sync/queue"
    assert "The next free worker takes this run." in first.text
    assert out.sentence == "Nothing waits."
    assert again.status == 409


def test_without_redis_the_queue_says_so_and_history_still_works(
    app: Flask, queued: World, without_redis: None
) -> None:
    seen = get(app, queued, "/queue")
    history = get(app, queued, "/history")

    assert seen.sentence == "The queue does not answer; runs wait in the database."
    alert = seen.soup.select_one("[role=alert]").get_text(" ", strip=True)
    assert "A worker last reached it" in alert
    assert history.status == 200


def test_a_silent_worker_is_no_worker(app: Flask, queued: World) -> None:
    with app.app_context():
        db.session.execute(text("UPDATE process SET seen_at = now() - interval '5 minutes'"))
        db.session.commit()

    seen = get(app, queued, "/queue")

    assert "No worker is alive." in seen.text


@pytest.mark.parametrize(
    ("view", "shown"), [("", 2), ("failed", 1), ("waiting", 0), ("missing", 0), ("made-up", 2)]
)
def test_povs_stand_with_their_state(app: Flask, world: World, view: str, shown: int) -> None:
    seen = get(app, world, f"/povs?view={view}")

    assert len(seen.soup.select("tbody th[scope=row]")) == shown
    assert seen.sentence == "1 POV could not be synced."


@pytest.mark.parametrize("path", ["", "/history", "/errors", "/queue", "/povs"])
def test_an_empty_organisation_reads_what_to_do(app: Flask, path: str) -> None:
    world = empty_world(app)

    seen = get(app, world, path)

    assert seen.status == 200
    assert seen.sentence


@pytest.mark.parametrize(
    "path", ["/history", "/history.csv", "/errors", "/queue", "/_queue", "/povs"]
)
def test_a_pov_owner_is_kept_out(app: Flask, world: World, path: str) -> None:
    seen = Browser(app, world.person(Role.POV_OWNER)).get(f"/admin/crm/sync{path}")

    assert seen.status == 403
