"""How many questions the pages of records ask the database, however many rows there are."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event

from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from tests.browsing import Browser
from tests.demo_rows import World, acting, full_world, insert

MOST = 18
"""With the session, the organisation's frame and the counters of the side bar."""
PAGES = ("/povs", "/records/contact", "/povs/view", "/_find?q=fjord", "/_find?q=zzzz", "/profile")


@contextmanager
def counting(app: Flask) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _k: object, statement: str, *_rest: object) -> None:
        if "set_config" not in statement:
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def asked(app: Flask, one: Browser, path: str) -> int:
    with counting(app) as seen:
        assert one.get(path).status == 200
    return len(seen)


@pytest.mark.parametrize("page", [*PAGES, "pov", "as of"])
def test_more_rows_are_no_more_questions(app: Flask, page: str) -> None:
    world = full_world(app)
    own = f"/povs/{world.others}"
    path = {"pov": own, "as of": f"{own}?as_of=2026-11-21"}.get(page, page)
    one = Browser(app, world.person(Role.ADMIN))
    one.get(path)

    few = asked(app, one, path)
    _fill(app, world)
    many = asked(app, one, path)

    # An empty list asks nothing about its lines.
    assert many <= few + 3
    assert many <= MOST


def _fill(app: Flask, world: World) -> None:
    """Enough records for a second page, and changes of one record for a second part of its past."""
    with acting(app, world):
        for number in range(60):
            for kind in ("contact", "pov"):
                insert("record", world, id=new_id(), kind=kind, data={}, title=f"{kind} {number}")
            insert(
                "operation",
                world,
                id=new_id(),
                run_at="now",
                record_id=world.others,
                side="ours",
                action="update",
                state="done",
                fields={"partner": [None, str(number), "edited", ""]},
            )
        db.session.commit()
