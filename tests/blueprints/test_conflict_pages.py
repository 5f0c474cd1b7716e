"""Conflicts as a person without JavaScript settles them, alone and many alike."""

from typing import Any
from uuid import UUID

import orjson
import pytest
from flask import Flask
from sqlalchemy import event, text

from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from tests.browsing import Seen
from tests.demo_rows import HOSTILE, World, acting, ago, full_world, insert
from tests.visiting import Visitor

QUEUE = "/admin/crm/conflicts"
OURS = {"amount": "12400", "currency": "EUR"}
MONEY = '[{"name": "currency", "params": {"currency": "EUR"}}]'


@pytest.fixture
def world(app: Flask) -> World:
    """The usual world; its conflict shows our present value."""
    made = full_world(app)
    with acting(app, made):
        db.session.execute(
            text(
                "UPDATE conflict SET ours = :ours, theirs = :theirs, ours_at = :now,"
                " theirs_at = :at"
            ),
            {
                "ours": orjson.dumps({"v": OURS}).decode(),
                "theirs": '{"v": "61500"}',
                "now": ago(minutes=1),
                "at": ago(hours=2),
            },
        )
        db.session.execute(
            text("UPDATE field_rule SET steps = :steps WHERE rule_id = 'r2'"), {"steps": MONEY}
        )
        db.session.commit()
    return made


def browser(app: Flask, world: World, role: Role = Role.ADMIN) -> Visitor:
    return Visitor(app, world.person(role))


def page_of(world: World) -> str:
    return f"{QUEUE}/{world.conflict}"


def rows(app: Flask, world: World, query: str, **values: object) -> list[dict[str, Any]]:
    with acting(app, world):
        return [dict(row) for row in db.session.execute(text(query), values).mappings()]


def state(app: Flask, world: World) -> tuple[str, str | None]:
    row = rows(app, world, "SELECT state, how FROM conflict WHERE id = :id", id=world.conflict)[0]
    return row["state"], row["how"]


def choose(visitor: Visitor, world: World, **values: str) -> Seen:
    """Fill in the form of the conflict's page and send it."""
    seen = visitor.get(page_of(world))
    form = seen.form(page_of(world))
    return visitor.send(form, **{f"{key}-{world.conflict}": value for key, value in values.items()})


def add_alike(app: Flask, world: World, amount: int, field: str = "revenue") -> list[UUID]:
    """More POVs in conflict over the same field."""
    made = []
    with acting(app, world):
        for at in range(amount):
            record, link, conflict = new_id(), new_id(), new_id()
            insert(
                "record",
                world,
                id=record,
                kind="pov",
                data={"title": f"Pilot {at}", "revenue": OURS},
                title=f"Pilot {at}",
            )
            insert(
                "link",
                world,
                id=link,
                connection_id=world.connection,
                stream_id=world.stream,
                record_id=record,
                remote_object="deals",
                remote_id=record.hex[-9:],
            )
            insert(
                "conflict",
                world,
                id=conflict,
                link_id=link,
                stream_id=world.stream,
                record_id=record,
                connection_id=world.connection,
                rule_id="r2",
                field=field,
                ours={"v": OURS},
                theirs={"v": "700"},
                state="open",
                seen={"ours": "1", "theirs": "2"},
                created_at=ago(minutes=at + 1),
            )
            made.append(conflict)
        db.session.commit()
    return made


def test_the_page_shows_both_values_and_what_each_choice_writes(app: Flask, world: World) -> None:
    seen = browser(app, world).get(page_of(world))

    assert "1 field of" in seen.sentence
    assert "was changed on both sides" in seen.sentence
    assert "HubSpot EU gets 12400" in seen.text
    assert "CRM Admin gets" in seen.text
    assert "We suggest CRM Admin for Revenue" in seen.text
    assert seen.soup.select_one("input[type=radio][value=ours][checked]")
    keys = {tag["data-key"] for tag in seen.soup.select("[data-key]")}
    assert {"1", "2", "e"} <= keys


def test_settling_goes_on_to_the_next_and_offers_to_undo(app: Flask, world: World) -> None:
    (other,) = add_alike(app, world, 1)
    visitor = browser(app, world)

    answer = choose(visitor, world, choice="theirs")
    seen = visitor.follow(answer.response.location)

    assert answer.status == 303
    assert answer.response.location.startswith(f"{QUEUE}/{other}?done={world.conflict}")
    assert state(app, world) == ("resolved", "theirs")
    assert "Settled Revenue of" in seen.text
    undone = visitor.send(seen.form(f"{QUEUE}/{world.conflict}/undo"))
    assert undone.status == 303
    assert state(app, world) == ("open", None)


def test_the_whole_record_is_settled_by_one_button(app: Flask, world: World) -> None:
    visitor = browser(app, world)
    form = visitor.get(page_of(world)).form(page_of(world))

    visitor.send(form, whole="newest")

    assert state(app, world) == ("resolved", "ours")


def test_a_typed_value_is_checked_like_the_record_form(app: Flask, world: World) -> None:
    visitor = browser(app, world)

    wrong = choose(visitor, world, choice="typed", typed="a lot")
    kept = wrong.soup.select_one(f"[name=typed-{world.conflict}]")
    mixed = choose(visitor, world, choice="ours", typed="13000 EUR")
    nothing = choose(visitor, world, choice="")
    right = choose(visitor, world, choice="typed", typed="13000 EUR")

    assert (wrong.status, mixed.status, nothing.status, right.status) == (422, 422, 422, 303)
    assert wrong.title.startswith("Error:")
    assert kept is not None
    assert kept["value"] == "a lot"
    assert "Choose it, or clear it" in mixed.text
    assert "at least one field" in nothing.text
    assert state(app, world) == ("resolved", "typed")
    record = rows(app, world, "SELECT data FROM record WHERE id = :id", id=world.own)[0]
    assert record["data"]["revenue"]["amount"] == "13000"


def test_a_value_that_moved_meanwhile_comes_back_fresh(app: Flask, world: World) -> None:
    visitor = browser(app, world)
    form = visitor.get(page_of(world)).form(page_of(world))
    with acting(app, world):
        db.session.execute(
            text(
                "UPDATE record SET data = data ||"
                ' \'{"revenue": {"amount": "99", "currency": "EUR"}}\' WHERE id = :id'
            ),
            {"id": world.own},
        )
        db.session.commit()

    answer = visitor.send(form, **{f"choice-{world.conflict}": "ours"})

    assert answer.status == 409
    assert "changed again meanwhile" in answer.text
    assert "€ 99" in answer.text
    assert state(app, world)[0] == "open"


def test_a_second_tab_and_a_double_click_change_nothing_more(app: Flask, world: World) -> None:
    visitor = browser(app, world)
    form = visitor.get(page_of(world)).form(page_of(world))
    first = visitor.send(form, **{f"choice-{world.conflict}": "ours"})

    again = visitor.send(form, **{f"choice-{world.conflict}": "ours"})
    late = visitor.send(form, **{f"choice-{world.conflict}": "theirs"})

    assert (first.status, again.status, late.status) == (303, 303, 409)
    assert "settled this meanwhile" in late.text
    assert state(app, world) == ("resolved", "ours")


def test_htmx_gets_the_next_record_as_a_part_with_a_notice(app: Flask, world: World) -> None:
    (other,) = add_alike(app, world, 1)
    visitor = browser(app, world)
    form = visitor.get(page_of(world)).form(page_of(world))

    answer = visitor.send(form, htmx=True, **{f"choice-{world.conflict}": "ours"})
    wrong = visitor.send(form, htmx=True, **{f"choice-{world.conflict}": "theirs"})

    assert answer.status == 200
    assert not answer.soup.find("html")
    assert answer.response.headers["HX-Push-Url"].startswith(f"{QUEUE}/{other}")
    assert f"/{world.conflict}/undo" in answer.response.headers["HX-Trigger"]
    assert wrong.status == 409
    assert wrong.soup.find(id="conflict-work")


def test_later_shows_the_next_record_without_settling(app: Flask, world: World) -> None:
    add_alike(app, world, 1)

    seen = browser(app, world).get(f"{page_of(world)}/_next", htmx=True)

    assert seen.status == 200
    assert "Pilot 0" in seen.text
    assert state(app, world)[0] == "open"


def test_others_see_who_looks_at_it(app: Flask, world: World) -> None:
    mine, others = browser(app, world), browser(app, world, Role.OPERATOR)
    form = mine.get(page_of(world)).form(f"{page_of(world)}/claim")

    quiet = mine.send(form, htmx=True)
    here, there = mine.get(page_of(world)), others.get(page_of(world))

    assert quiet.status == 204
    assert "You are looking at it since" in here.text
    assert "Person admin is looking at it since" in there.text
    others.send(there.form(f"{page_of(world)}/claim"))
    assert "Person operator is looking at it" in mine.get(page_of(world)).text
    others.send(others.get(page_of(world)).form(f"{page_of(world)}/release"))
    assert "Nobody else is looking at it" in mine.get(page_of(world)).text


def test_many_are_settled_alike_after_they_were_shown(app: Flask, world: World) -> None:
    made = add_alike(app, world, 12)
    visitor = browser(app, world)
    seen = visitor.get(page_of(world))
    link = seen.soup.find("a", string="Also settle 12 like it")
    assert link is not None

    preview = visitor.get(f"{link['href']}&choice=theirs")
    form = preview.form(f"{QUEUE}/alike")
    with acting(app, world):
        db.session.execute(text("UPDATE conflict SET seen = '{}' WHERE id = :id"), {"id": made[0]})
        db.session.commit()
    report = visitor.send(form)

    assert preview.sentence.startswith("13 conflicts of Revenue")
    assert len(preview.soup.select("tbody tr")) == 13
    assert report.sentence == "Settled 12 conflicts. 1 stays open."
    assert "changed again meanwhile" in report.text
    left = rows(app, world, "SELECT id FROM conflict WHERE state = 'open'")
    assert [row["id"] for row in left] == [made[0]]


@pytest.mark.parametrize(
    "data",
    [{"choice": "ours"}, {"choice": "burn", "one": "x"}, {"choice": "ours", "one": "x|y"}],
)
def test_a_made_up_bulk_form_is_refused(app: Flask, world: World, data: dict[str, object]) -> None:
    visitor = browser(app, world)
    visitor.get(QUEUE)

    assert visitor.post(f"{QUEUE}/alike", data).status == 422


def test_settled_ones_keep_the_value_that_lost(app: Flask, world: World) -> None:
    with acting(app, world):
        db.session.execute(
            text("UPDATE conflict SET state = 'resolved', how = 'by_policy', resolved_at = now()")
        )
        db.session.commit()
    visitor = browser(app, world)

    empty, seen = visitor.get(QUEUE), visitor.get(f"{QUEUE}?view=settled")
    used = visitor.send(seen.form(f"{page_of(world)}/other"))

    assert empty.sentence == "No conflicts. 1 was settled automatically this week."
    assert "Settled by its rule" in seen.text
    assert used.status == 303
    assert state(app, world) == ("resolved", "theirs")
    record = rows(app, world, "SELECT data FROM record WHERE id = :id", id=world.own)[0]
    assert record["data"]["revenue"]["amount"] == "61500"


def test_the_file_holds_what_the_filter_shows_and_no_formulas(app: Flask, world: World) -> None:
    add_alike(app, world, 2)
    with acting(app, world):
        db.session.execute(text("UPDATE record SET title = '=1+1' WHERE title = 'Pilot 0'"))
        db.session.commit()
    visitor = browser(app, world)

    whole = visitor.get(f"{QUEUE}/export.csv").response.get_data(as_text=True)
    none = visitor.get(f"{QUEUE}/export.csv?field=title").response.get_data(as_text=True)

    assert whole.count("\r\n") == 4
    assert "'=1+1" in whole
    assert none.count("\r\n") == 1


def test_a_pov_owner_meets_only_their_own(app: Flask, world: World) -> None:
    (other,) = add_alike(app, world, 1)
    owner = browser(app, world, Role.POV_OWNER)

    seen = owner.get(QUEUE)
    file = owner.get(f"{QUEUE}/export.csv").response.get_data(as_text=True)
    foreign = owner.get(f"{QUEUE}/{other}")
    blind = [
        owner.post(f"{QUEUE}/{other}{verb}", {"choice": "ours", "whole": "ours"}).status
        for verb in ("", "/undo", "/other", "/claim", "/release")
    ]
    unknown = owner.get(f"{QUEUE}/{new_id()}")

    assert "Pilot 0" not in seen.text + file
    assert (foreign.status, unknown.status) == (404, 404)
    assert blind == [404] * 5
    assert choose(owner, world, choice="ours").status == 303


def test_a_viewer_looks_and_does_not_settle(app: Flask, world: World) -> None:
    viewer = browser(app, world, Role.VIEWER)

    seen = viewer.get(page_of(world))
    answer = viewer.post(page_of(world), {"whole": "ours"})

    assert "Your role may look" in seen.text
    assert not seen.soup.select("main form[method=post]")
    assert answer.status == 403


def test_hostile_text_stays_text(app: Flask, world: World) -> None:
    with acting(app, world):
        db.session.execute(
            text("UPDATE conflict SET theirs = :theirs, field = 'stage', rule_id = 'r4'"),
            {"theirs": f'{{"v": "{HOSTILE.replace(chr(34), chr(92) + chr(34))}"}}'},
        )
        db.session.commit()

    seen = browser(app, world).get(page_of(world))

    assert HOSTILE in seen.text
    assert not [tag for tag in seen.soup.find_all("script") if not tag.get("src")]


def test_a_thousand_conflicts_cost_few_queries(app: Flask, world: World) -> None:
    add_alike(app, world, 300)
    visitor = browser(app, world)
    visitor.get(QUEUE)
    seen: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *found: seen.append(found[2]))

    page = visitor.get(page_of(world))

    asked = [one for one in seen if one.lstrip().upper().startswith(("SELECT", "WITH"))]
    assert page.status == 200
    assert len(page.soup.select("#conflict-queue .queue li")) == 50
    assert len(asked) <= 20
