"""Schedules as a person without JavaScript sees and changes them."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from crm_admin.services import schedules as service
from crm_admin.services.sql import transaction
from tests.demo_rows import HOSTILE, World, acting, ago, full_world, insert
from tests.visiting import Visitor

LIST = "/admin/crm/schedules"


@pytest.fixture
def world(app: Flask) -> World:
    """The usual world with the schedules its connections bring along, and a live scheduler."""
    made = full_world(app)
    with acting(app, made):
        with transaction() as cursor:
            service.add_built_in(cursor, made.organization, made.connection)
        insert("process", made, name="scheduler:a:1", kind="scheduler", pid=1, host="a")
        db.session.execute(text("UPDATE connection SET stance = 'active'"))
        db.session.commit()
    return made


def visitor(app: Flask, world: World, role: Role = Role.ADMIN) -> Visitor:
    return Visitor(app, world.person(role))


def rows(app: Flask, world: World, query: str, **values: object) -> list[dict[str, Any]]:
    with acting(app, world):
        return [dict(row) for row in db.session.execute(text(query), values).mappings()]


def change(app: Flask, world: World, statement: str, **values: object) -> None:
    with acting(app, world):
        db.session.execute(text(statement), values)
        db.session.commit()


def schedule(app: Flask, world: World, job: str = "delta-sync") -> dict[str, Any]:
    return rows(app, world, "SELECT * FROM schedule WHERE job = :job", job=job)[0]


def at(row: dict[str, Any]) -> str:
    return f"{LIST}/{row['id']}"


def test_the_list_says_in_words_what_happens_when(app: Flask, world: World) -> None:
    run = world.partial
    change(
        app,
        world,
        "UPDATE schedule SET outcomes = CAST(:outcomes AS jsonb), name = :name"
        " WHERE job = 'delta-sync'",
        name=HOSTILE,
        outcomes='[{"at": "2026-11-20T12:00:00+00:00", "word": "started", "say": "<b>", "run":'
        f' "{run}"}}, {{"at": "x", "word": "made up"}}, 7]',
    )

    seen = visitor(app, world).get(LIST)

    assert seen.sentence == "6 schedules are on."
    assert "Every 15 minutes" in seen.text
    assert HOSTILE in seen.text
    marks = [tag.get_text(strip=True) for tag in seen.soup.select(".outcomes li")]
    assert [mark.partition(":")[0] for mark in marks] == ["Unknown", "Done with errors"]
    assert seen.soup.select_one(f".outcomes a[href$='{run}']")


def test_a_dead_scheduler_is_the_first_thing_said(app: Flask, world: World) -> None:
    change(app, world, "UPDATE process SET seen_at = :at", at=ago(minutes=22))

    seen = visitor(app, world).get(LIST)

    assert seen.sentence.startswith("The scheduler has not checked in since")
    assert "flask crm scheduler" in seen.text or "crm scheduler" in seen.text


def test_a_late_schedule_says_so_here_and_in_the_work_list(app: Flask, world: World) -> None:
    change(
        app,
        world,
        "UPDATE schedule SET late_minutes = 10, next_at = now() - interval '1 hour'"
        " WHERE job = 'delta-sync'",
    )
    admin = visitor(app, world)

    assert admin.get(LIST).sentence == "1 schedule is late."
    assert "Delta sync is late" in admin.get("/admin/crm/attention").text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("cron=30+6+*+*+1-5&tz=Europe/Paris", "At 06:30, weekdays"),
        ("how=interval&every=90&unit=minutes", "Every 90 minutes"),
        ("cron=nonsense", "five parts"),
        ("cron=0+0+30+2+*", "never comes"),
        ("cron=0+6+*+*+*&tz=Mars/Base", "Choose a time zone"),
        ("how=interval&every=-4", "1 minute or more"),
        ("how=interval&every=999999999999999", "1 minute or more"),
    ],
)
def test_the_preview_says_what_it_means_or_what_is_wrong(
    app: Flask, world: World, asked: str, words: str
) -> None:
    seen = visitor(app, world).get(f"{LIST}/_preview?{asked}", htmx=True)

    assert seen.status == 200
    assert words in seen.text
    assert not seen.soup.find("html")


def test_a_schedule_is_made_changed_paused_and_removed(app: Flask, world: World) -> None:
    admin = visitor(app, world)
    values = {"name": "Weekly", "job": "full-sync", "connection": str(world.connection)}
    when = {"how": "cron", "cron": "0 3 * * sun", "zone": "Europe/Paris", "late_minutes": "60"}

    made = admin.send(admin.get(f"{LIST}/new").form(f"{LIST}/new"), **values, **when)
    row = schedule(app, world, "full-sync")
    form = admin.get(at(row)).form(at(row))
    saved = admin.send(form, quiet_from="22:00", quiet_until="06:00", stage="ask")
    admin.post(f"{at(row)}/pause", {"hours": "24"})
    paused = admin.get(at(row))
    admin.post(f"{at(row)}/pause", {})
    kept = schedule(app, world, "full-sync")
    admin.post(f"{at(row)}/remove", {})

    assert (made.status, saved.status) == (303, 303)
    assert row["cron"] == "0 3 * * sun"
    assert "Weekly is paused until" in paused.sentence
    assert kept["quiet"] == {"from": "22:00", "until": "06:00", "zone": "Europe/Paris"}
    assert (kept["staged"], kept["paused_until"], kept["late_minutes"]) == (True, None, 60)
    assert not rows(app, world, "SELECT 1 FROM schedule WHERE job = 'full-sync'")
    actions = {one["action"] for one in rows(app, world, "SELECT action FROM audit_event")}
    assert {"schedule.make", "schedule.edit", "schedule.pause", "schedule.remove"} <= actions


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Give it a name."),
        ({"how": "cron", "cron": "every day"}, "five parts"),
        ({"every": "0"}, "1 minute or more"),
        ({"every": "400", "unit": "days"}, "31 days or less"),
        ({"zone": "Mars/Base"}, "Choose a time zone"),
        ({"quiet_from": "22:00"}, "two different times"),
        ({"late_minutes": "soon"}, "1 minute and 7 days"),
        ({"owner": str(new_id())}, "Choose a person"),
    ],
)
def test_what_cannot_be_saved_is_said_beside_its_field_and_kept(
    app: Flask, world: World, changes: dict[str, str], sentence: str
) -> None:
    admin, row = visitor(app, world), schedule(app, world)

    answer = admin.send(admin.get(at(row)).form(at(row)), **changes)

    assert answer.status == 422
    assert sentence in answer.text
    assert answer.title.startswith("Error:")
    name = next(iter(changes))
    held = answer.soup.select_one(f"input[name={name}], select[name={name}] option[selected]")
    assert held is None or changes[name] in {held.get("value"), ""} or name in {"how", "owner"}
    assert schedule(app, world) == row


def test_a_stale_form_shows_what_it_is_now(app: Flask, world: World) -> None:
    admin, row = visitor(app, world), schedule(app, world)
    form = admin.get(at(row)).form(at(row))
    first = admin.send(form, every="20")

    late = admin.send(form, every="45")

    assert (first.status, late.status) == (303, 409)
    assert "Every 20 minutes" in late.text
    assert schedule(app, world)["every_seconds"] == 1200


def test_run_now_is_asked_once_however_often_it_is_pressed(app: Flask, world: World) -> None:
    operator, row = visitor(app, world, Role.OPERATOR), schedule(app, world)

    statuses = [operator.post(f"{at(row)}/run", {}).status for _ in range(2)]

    assert statuses == [303, 303]
    assert schedule(app, world)["asked_at"] is not None
    asked = rows(app, world, "SELECT 1 FROM audit_event WHERE action = 'schedule.run'")
    assert len(asked) == 1


def test_switching_off_keeps_a_schedule_from_running(app: Flask, world: World) -> None:
    admin, row = visitor(app, world), schedule(app, world)

    admin.post(f"{at(row)}/switch", {"on": "0"})

    assert not schedule(app, world)["enabled"]
    assert "Delta sync is off." in admin.get(at(row)).sentence
    admin.post(f"{at(row)}/switch", {"on": "1"})
    assert schedule(app, world)["enabled"]


def test_only_admins_change_and_owners_see_nothing(app: Flask, world: World) -> None:
    row = schedule(app, world)
    operator, owner = visitor(app, world, Role.OPERATOR), visitor(app, world, Role.POV_OWNER)
    verbs = ("", "/switch", "/pause", "/remove")

    refused = [operator.post(f"{at(row)}{verb}", {}).status for verb in verbs]
    hidden = [owner.get(path).status for path in (LIST, at(row), f"{LIST}/_preview?cron=x")]
    unknown = [
        visitor(app, world).get(f"{LIST}/{new_id()}").status,
        visitor(app, world).post(f"{LIST}/{new_id()}/run", {}).status,
    ]

    assert refused == [403] * 4
    assert hidden == [403] * 3
    assert unknown == [404, 404]
    assert operator.get(at(row)).status == 200
    assert not operator.get(at(row)).soup.select("#schedule-form")


def test_a_built_in_one_is_not_removed(app: Flask, world: World) -> None:
    row = schedule(app, world)

    answer = visitor(app, world).post(f"{at(row)}/remove", {}, follow=True)

    assert "Switch it off instead" in answer.text
    assert schedule(app, world)["id"] == row["id"]


def test_a_thousand_schedules_cost_few_queries(app: Flask, world: World) -> None:
    change(
        app,
        world,
        "INSERT INTO schedule (organization_id, id, name, job, cron, next_at, outcomes)"
        " SELECT :org, gen_random_uuid(), 'Mine ' || n, 'cleanup', '0 3 * * *', now(),"
        " jsonb_build_array(jsonb_build_object('word', 'done', 'run', CAST(:run AS text)))"
        " FROM generate_series(1, 300) AS n",
        org=world.organization,
        run=str(world.partial),
    )
    admin = visitor(app, world)
    admin.get(LIST)
    seen: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *found: seen.append(found[2]))

    page = admin.get(LIST)

    asked = [one for one in seen if one.lstrip().upper().startswith(("SELECT", "WITH"))]
    assert len(page.soup.select("tbody tr")) == 306
    assert len(asked) <= 12
