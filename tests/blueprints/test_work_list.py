"""Needs you and Home: what waits, who has it, what may wait, and one true sentence."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from tests.browsing import Seen
from tests.demo_rows import HOSTILE, World, acting, ago, empty_world, full_world, insert
from tests.visiting import Visitor

LIST = "/admin/crm/attention"
HOME = "/admin/crm"
OUTBOX = """
INSERT INTO outbox (organization_id, stream_id, record_id, version)
SELECT organization_id, stream_id, record_id, 1 FROM link
"""


@pytest.fixture
def world(app: Flask) -> World:
    return full_world(app)


def visitor(app: Flask, world: World, role: Role = Role.ADMIN) -> Visitor:
    return Visitor(app, world.person(role))


def change(app: Flask, world: World, statement: str, **values: object) -> None:
    with acting(app, world):
        db.session.execute(text(statement), values)
        db.session.commit()


def rows(app: Flask, world: World, query: str) -> list[dict[str, Any]]:
    with acting(app, world):
        return [dict(row) for row in db.session.execute(text(query)).mappings()]


def titles(seen: Seen) -> list[str]:
    return [" ".join(tag.get_text().split()) for tag in seen.soup.select("main .rows-work h3")]


def key_of(seen: Seen, words: str) -> str:
    """The key of the piece of work whose title holds these words."""
    for item in seen.soup.select("#attention-list > ul > li"):
        heading = item.select_one("h3")
        if heading is not None and words in heading.get_text():
            return str(item.select_one("input[name=key]")["value"])  # type: ignore[index]
    raise AssertionError(f"nothing on the list says {words}")


def test_everything_that_waits_is_listed_worst_first_with_a_way_to_mend_it(
    app: Flask, world: World
) -> None:
    with acting(app, world):
        insert(
            "attention",
            world,
            id=new_id(),
            kind="request",
            subject="x",
            sentence=f"Pia asks about {HOSTILE}",
            fix={"label": "Open it", "url": f"/povs/{world.own}"},
        )
        insert(
            "process",
            world,
            name="worker:a:1",
            kind="worker",
            pid=1,
            host="a",
            seen_at=ago(minutes=6),
        )
        db.session.commit()

    seen = visitor(app, world).get(LIST)

    found = titles(seen)
    assert seen.sentence == f"{len(found)} things need you."
    assert found[0].startswith(("HubSpot EU", "No worker"))
    assert any("No worker has checked in since" in title for title in found)
    assert any("ended our sign-in" in title for title in found)
    assert any("waits for approval" in title for title in found)
    assert any("changed on both sides" in title for title in found)
    assert f"Pia asks about {HOSTILE}" in found
    links = [tag["href"] for tag in seen.soup.select("#attention-list .actions > a")]
    assert all(link.startswith("/") for link in links)
    assert seen.soup.select_one("header .need").get_text(strip=True).startswith(str(len(found)))  # type: ignore[union-attr]


def test_work_is_given_to_somebody_and_found_there(app: Flask, world: World) -> None:
    admin, operator = visitor(app, world), visitor(app, world, Role.OPERATOR)
    seen = admin.get(LIST)
    to = world.person(Role.OPERATOR).user_id

    answer = admin.post(f"{LIST}/assign", {"key": key_of(seen, "both sides"), "to": str(to)})
    foreign = admin.post(f"{LIST}/assign", {"key": key_of(seen, "both sides"), "to": str(new_id())})

    assert (answer.status, foreign.status) == (303, 422)
    assert len(titles(operator.get(f"{LIST}?view=mine"))) == 1
    assert "Person operator has it" in admin.get(LIST).text
    assert not any("both sides" in one for one in titles(admin.get(f"{LIST}?view=unassigned")))


def test_what_is_snoozed_until_it_gets_worse_comes_back_when_it_does(
    app: Flask, world: World
) -> None:
    admin = visitor(app, world)
    key = key_of(admin.get(LIST), "both sides")

    answer = admin.post(f"{LIST}/snooze", {"key": key, "rule": "worse"})
    after = admin.get(answer.response.location)
    change(
        app,
        world,
        "INSERT INTO conflict (organization_id, id, link_id, stream_id, record_id, connection_id,"
        " rule_id, field, state) SELECT organization_id, :id, link_id, stream_id, record_id,"
        " connection_id, 'r9', 'title', 'open' FROM conflict LIMIT 1",
        id=new_id(),
    )

    assert "Off the list." in after.text
    assert not any("both sides" in one for one in titles(after))
    assert any("2 fields were changed" in one for one in titles(admin.get(LIST)))


@pytest.mark.parametrize("rule", ["day", "run"])
def test_what_is_snoozed_waits_among_the_snoozed_and_can_be_taken_back(
    app: Flask, world: World, rule: str
) -> None:
    admin = visitor(app, world)
    key = key_of(admin.get(LIST), "both sides")

    answer = admin.post(f"{LIST}/snooze", {"key": key, "rule": rule})
    notice = admin.get(answer.response.location)
    snoozed = admin.get(f"{LIST}?view=snoozed")
    home = admin.get(HOME)
    admin.send(next(form for form in notice.soup.select(f"form[action='{LIST}/wake']")))

    assert any("both sides" in one for one in titles(snoozed))
    assert not any("both sides" in one for one in titles(home))
    assert any("both sides" in one for one in titles(admin.get(LIST)))


def test_the_next_run_wakes_what_waited_for_it(app: Flask, world: World) -> None:
    admin = visitor(app, world)
    admin.post(f"{LIST}/snooze", {"key": key_of(admin.get(LIST), "both sides"), "rule": "run"})
    change(app, world, "UPDATE sync_run SET finished_at = now() WHERE id = :id", id=world.partial)

    assert any("both sides" in one for one in titles(admin.get(LIST)))


def test_muting_needs_a_reason_that_stays_with_it(app: Flask, world: World) -> None:
    admin = visitor(app, world)
    key = key_of(admin.get(LIST), "both sides")

    refused = admin.post(f"{LIST}/mute", {"key": key, "reason": "  "})
    muted = admin.post(f"{LIST}/mute", {"key": key, "reason": HOSTILE})
    seen = admin.get(f"{LIST}?view=snoozed")

    assert (refused.status, muted.status) == (422, 303)
    assert "Write why this needs nobody" in refused.text
    assert f"Muted by Person admin: {HOSTILE}" in seen.text
    actions = [row["action"] for row in rows(app, world, "SELECT action FROM audit_event")]
    assert "attention.mute" in actions


def test_a_question_is_ticked_off_and_taken_back(app: Flask, world: World) -> None:
    item = new_id()
    with acting(app, world):
        insert("attention", world, id=item, kind="request", subject="x", sentence="Pia asks")
        db.session.commit()
    admin = visitor(app, world)

    done = admin.send(admin.get(LIST).form(f"{LIST}/{item}/done"))
    after = admin.get(done.response.location)
    again = admin.post(f"{LIST}/{item}/done", {})
    admin.send(after.form(f"{LIST}/{item}/open"))

    assert "Pia asks" not in titles(after)
    assert again.status == 303
    assert "Pia asks" in titles(admin.get(LIST))


def test_marks_are_made_on_work_that_is_there_by_those_who_may(app: Flask, world: World) -> None:
    admin, viewer = visitor(app, world), visitor(app, world, Role.VIEWER)
    key = key_of(admin.get(LIST), "both sides")

    statuses = [
        admin.post(f"{LIST}/snooze", {"key": "plan:none", "rule": "day"}).status,
        admin.post(f"{LIST}/snooze", {"key": key, "rule": "forever"}).status,
        admin.post(f"{LIST}/{new_id()}/done", {}).status,
        viewer.post(f"{LIST}/snooze", {"key": key, "rule": "day"}).status,
    ]

    assert statuses == [404, 422, 404, 403]
    assert not viewer.get(LIST).soup.select("main form[method=post]")


def test_a_pov_owner_is_told_of_their_own_povs_alone(app: Flask, world: World) -> None:
    owner = visitor(app, world, Role.POV_OWNER)

    seen = owner.get(LIST)

    assert titles(seen) == ["1 field was changed on both sides"]
    assert owner.get(HOME).status == 403
    assert owner.get(f"{HOME}/_attention", htmx=True).status == 403


def test_nothing_to_do_says_when_that_was_checked(app: Flask) -> None:
    world = empty_world(app)

    seen = visitor(app, world).get(LIST)

    assert seen.sentence == "Nothing needs you."
    assert "Nothing needs you. Last checked" in seen.text


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        (
            [
                "DELETE FROM sync_run WHERE state = 'running'",
                "UPDATE connection SET stance = 'observe'",
            ],
            "Nothing is written yet",
        ),
        (["UPDATE connection SET stance = 'paused'"], "1 sync is running. Nothing needs you."),
        (
            [
                "DELETE FROM sync_run WHERE state = 'running'",
                "UPDATE connection SET stance = 'paused'",
            ],
            "Everything is paused.",
        ),
        (
            [
                "UPDATE connection SET stance = 'active'",
                "UPDATE sync_run SET state = 'succeeded', finished_at = now()",
            ],
            "Everything is in sync as of",
        ),
        (
            [
                "DELETE FROM sync_run WHERE state = 'running'",
                "UPDATE connection SET stance = 'active'",
            ],
            "Not every connection has finished a sync yet.",
        ),
        (
            [
                "DELETE FROM sync_run WHERE state = 'running'",
                "UPDATE connection SET stance = 'active'",
                OUTBOX,
            ],
            "2 changes wait to be sent. Nothing needs you.",
        ),
    ],
)
def test_home_says_the_truth_in_every_state(
    app: Flask, world: World, statements: list[str], sentence: str
) -> None:
    for statement in (
        "DELETE FROM conflict",
        "UPDATE link SET error = NULL",
        "UPDATE connection SET health = 'ok'",
        "DELETE FROM sync_run WHERE state = 'planned'",
        *statements,
    ):
        change(app, world, statement)

    seen = visitor(app, world).get(HOME)

    assert sentence in seen.sentence


def test_home_shows_each_connection_with_its_two_weeks(app: Flask, world: World) -> None:
    seen = visitor(app, world).get(HOME)

    card = seen.soup.find(id=f"card-{world.connection}")
    assert card is not None
    assert card.select_one("svg.bar")
    assert card.select_one("svg.spark")
    assert len(card.select("details table tbody tr")) == 14
    assert "required" in seen.soup.select_one("section[aria-labelledby=mapped]").get_text()  # type: ignore[union-attr]


def test_the_checklist_is_hidden_for_one_person_alone(app: Flask, world: World) -> None:
    admin, operator = visitor(app, world), visitor(app, world, Role.OPERATOR)

    admin.send(admin.get(HOME).form(f"{HOME}/checklist"))

    assert "Show getting started" in admin.get(HOME).text
    assert "Hide this list" in operator.get(HOME).text
    admin.send(admin.get(HOME).form(f"{HOME}/checklist"))
    assert "Hide this list" in admin.get(HOME).text


def test_a_demo_conflict_is_for_demo_organisations(app: Flask, world: World) -> None:
    admin = visitor(app, world)

    foreign = admin.post(f"{HOME}/demo-conflict", {})
    change(app, world, "UPDATE organization SET demo = true")
    nothing = admin.post(f"{HOME}/demo-conflict", {}, follow=True)

    assert foreign.status == 404
    assert "no synced POV to practise on" in nothing.text


def test_the_list_costs_few_queries_however_much_waits(app: Flask, world: World) -> None:
    change(
        app,
        world,
        "INSERT INTO attention (organization_id, id, kind, subject, sentence)"
        " SELECT :org, gen_random_uuid(), 'schema', CAST(n AS text), 'Field ' || n || ' is gone'"
        " FROM generate_series(1, 500) AS n",
        org=world.organization,
    )
    admin = visitor(app, world)
    admin.get(LIST)
    seen: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *found: seen.append(found[2]))

    page = admin.get(LIST)

    asked = [one for one in seen if one.lstrip().upper().startswith(("SELECT", "WITH"))]
    assert len(titles(page)) == 100
    assert len(asked) <= 14
