"""Random runs, drawn from a seed, taken back and brought back: both sides are as they were, no edit
made since is lost, and the next sync has nothing to do.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import pytest

from crm_admin.services import undo
from tests.services.engine.conftest import Desk, HubSpot

QUIET = {"created": 0, "updated": 0, "deleted": 0}
FIELDS = {
    "contact": {"job_title": "jobtitle", "city": "city", "address": "address"},
    "company": {"city": "city", "description": "description"},
}
OBJECTS = {"contact": "contacts", "company": "companies"}
NAMES = ("hs_", "crm_admin", "lastmod", "createdate")


@dataclass
class Side:
    """Both sides as a random person sees them; records are known by e-mail or name."""

    desk: Desk
    hubspot: HubSpot
    random: Random
    count: int = 0
    since: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def word(self) -> str:
        self.count += 1
        return f"word {self.count}"

    def name_of(self, kind: str, data: dict[str, Any]) -> str:
        return str(data.get("email" if kind == "contact" else "name"))

    def ours(self, kind: str) -> dict[str, UUID]:
        rows = self.desk.rows(
            "SELECT id, data FROM record WHERE kind = %s AND deleted_at IS NULL ORDER BY id", kind
        )
        return {self.name_of(kind, row["data"]): row["id"] for row in rows}

    def theirs(self, kind: str) -> dict[str, str]:
        found = self.hubspot.all(OBJECTS[kind])
        return {self.name_of(kind, values): remote for remote, values in found.items()}

    def new(self, kind: str, side: str) -> None:
        self.count += 1
        named = f"r{self.count}@harbour.test" if kind == "contact" else f"Harbour {self.count} Ltd"
        name = {"email": named} if kind == "contact" else {"name": named}
        if side == "ours":
            self.desk.add(kind, **name, city=self.word())
        else:
            self.hubspot.add(OBJECTS[kind], **name, city=self.word())

    def change(self, kind: str, side: str) -> tuple[str, str, str, str, str] | None:
        """Change a random field of a random record on one side; blank it at times."""
        known = sorted(self.ours(kind) if side == "ours" else self.theirs(kind))
        if not known:
            return None
        name, mine = self.random.choice(known), self.random.choice(sorted(FIELDS[kind]))
        value = "" if self.random.random() < 0.2 else self.word()
        if side == "ours":
            self.desk.edit(self.ours(kind)[name], **{mine: value or None})
        else:
            properties = {FIELDS[kind][mine]: value}
            self.hubspot.edit(OBJECTS[kind], self.theirs(kind)[name], **properties)
        return side, kind, name, mine, value

    def refer(self) -> None:
        contacts, companies = self.ours("contact"), self.ours("company")
        if contacts and companies:
            target = companies[self.random.choice(sorted(companies))]
            self.desk.edit(contacts[self.random.choice(sorted(contacts))], company=str(target))

    def act(self) -> None:
        kind, side = self.random.choice(sorted(OBJECTS)), self.random.choice(("ours", "theirs"))
        match self.random.randrange(8):
            case 0 | 1:
                self.new(kind, side)
            case 2:
                self.refer()
            case _:
                self.change(kind, side)

    def look(self) -> dict[str, object]:
        """Everything that people see of both sides."""
        found: dict[str, object] = {}
        for kind in OBJECTS:
            for name, record_id in self.ours(kind).items():
                found[f"ours {kind} {name}"] = self.desk.record(record_id)["data"]
            for values in self.hubspot.all(OBJECTS[kind]).values():
                kept = {k: v for k, v in values.items() if v and not k.startswith(NAMES)}
                found[f"theirs {kind} {self.name_of(kind, values)}"] = kept
        return found


def quiet(desk: Desk) -> bool:
    after = desk.sync("full")
    return (after.state, after.ours, after.theirs) == ("succeeded", QUIET, QUIET)


def drawn(desk: Desk, hubspot: HubSpot, seed: int) -> tuple[Side, UUID, dict[str, object]]:
    """Return both sides after a random run, the run, and how they were before it."""
    both = Side(desk, hubspot, Random(seed))
    for kind in OBJECTS:
        for side in ("ours", "theirs", "ours", "theirs"):
            both.new(kind, side)
    desk.sync("full")
    both.refer()
    assert desk.sync("delta").state == "succeeded"
    for _ in range(14):
        both.act()
    before = both.look()
    run = desk.sync("delta")
    assert run.state == "succeeded"
    return both, run.run, before


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_random_run_goes_back_comes_back_and_is_never_fought(
    desk: Desk, hubspot: HubSpot, seed: int
) -> None:
    both, run, before = drawn(desk, hubspot, seed)
    after = both.look()

    first = desk.undo(run)

    assert both.look() == before
    assert quiet(desk)
    plan = undo.start(person=desk.person, run_id=first.run, staged=True, wake=False)
    second = desk.approve(desk.work(plan.id))
    assert (second.state, both.look()) == ("succeeded", after)
    assert quiet(desk)


@pytest.mark.parametrize("seed", range(11, 14))
def test_no_edit_made_after_a_random_run_is_lost_by_its_undo(
    desk: Desk, hubspot: HubSpot, seed: int
) -> None:
    both, run, _ = drawn(desk, hubspot, seed)
    since = {}
    for _ in range(6):
        made = both.change(
            both.random.choice(sorted(OBJECTS)), both.random.choice(("ours", "theirs"))
        )
        if made is not None:
            since[made[1:4]] = made

    desk.undo(run)

    for side, kind, name, mine, value in since.values():
        if side == "ours":
            assert desk.record(both.ours(kind)[name])["data"].get(mine, "") == value
        else:
            held = hubspot.all(OBJECTS[kind])[both.theirs(kind)[name]]
            assert (held.get(FIELDS[kind][mine]) or "") == value
    desk.sync("delta")
    assert quiet(desk)
