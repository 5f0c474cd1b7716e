"""Moments at which an engine known to be wrong goes wrong, brought about and not waited for: each
is a short play that holds a worker exactly where it matters.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import current_app

from crm_admin.services import connections
from tests.crash import tempo
from tests.crash.conduct import Result, close
from tests.crash.conductor import QUIET_SECONDS, Conductor
from tests.crash.people import FIELDS
from tests.crash.plan import Kill, Plan
from tests.crash.stage import LEASE_SECONDS
from tests.crash.workers import EVERY

Play = Callable[[Conductor, Result], None]
LATE_SECONDS = 2.4
LATEST_SECONDS = 3.2
"""How late this CRM may carry out what it was sent; a slow machine looks within that, too."""


@dataclass(frozen=True, slots=True)
class Target:
    """A play, and the words of the violation that an engine with this error commits in it."""

    play: Play
    words: str
    sharp: bool = True


def plan_of(target: Target) -> Plan:
    """Return a schedule with nothing drawn: the play is all of it."""
    return Plan(
        seed=1,
        marker=False,
        observe=False,
        undo=False,
        redo=False,
        sharp=target.sharp,
        fulls=False,
        index_lag=0.0,
        crowd=0,
        edits=(),
        faults=(),
        kills=(),
        undo_kills=(),
    )


def _open(conductor: Conductor) -> None:
    people = conductor.people
    conductor.crm.post("config", {"index_lag": 0.0})
    connections.check(people.person.organization_id, people.connection_id)
    connections.set_stance(
        person=people.person, connection_id=people.connection_id, stance="active"
    )


def _rest(conductor: Conductor, result: Result) -> None:
    result.violations += conductor.come_to_rest()
    close(conductor, result)


def an_answer_dies(conductor: Conductor, result: Result) -> None:
    """A create was carried out, and the worker dies with the answer in its hands."""
    _open(conductor)
    conductor.people.create_ours("companies")
    conductor.people.ask("delta")
    conductor.hold(conductor.start(Kill("kill", "intent.after_send", after=QUIET_SECONDS)))
    conductor.end_all()
    _rest(conductor, result)


def a_create_comes_late(conductor: Conductor, result: Result) -> None:
    """The CRM does not answer a create in time, and carries it out after we gave up waiting."""
    settings = current_app.config["CRM"]
    current_app.config["CRM"] = replace(settings, settle_seconds=LATEST_SECONDS)
    try:
        _come_late(conductor, result)
    finally:
        current_app.config["CRM"] = settings


def _come_late(conductor: Conductor, result: Result) -> None:
    _open(conductor)
    late = {"fault": "late", "path": "/batch/create$", "seconds": LATE_SECONDS, "times": 1}
    conductor.crm.post("faults", {"rules": [late]})
    conductor.people.create_ours("companies")
    conductor.people.ask("delta")
    conductor.wait_for(lambda: not conductor.live(), QUIET_SECONDS)
    time.sleep(LATE_SECONDS)
    conductor.crm.post("faults", {"rules": []})
    _rest(conductor, result)


def an_edit_behind_the_reader(conductor: Conductor, result: Result) -> None:
    """While a pass goes on, a record it has read is edited, and then one it has yet to read."""
    _open(conductor)
    people = conductor.people
    for _ in range(2 * tempo.PAGE + 2):
        people.create_theirs("contacts")
    tokens = people.tokens["contacts"]
    people.ask("full")
    worker = conductor.start(Kill("hold", "page.applied.after_commit", EVERY, QUIET_SECONDS))
    edited = False
    while conductor.live() and conductor.hold(worker, 2.0):
        read = len(people.ours("contacts"))
        if not edited and 0 < read <= tempo.PAGE:
            edited = True
            for token in (tokens[0], tokens[-1]):
                pair = FIELDS["contacts"][1]
                people.edit_theirs("contacts", token, pair, people.value(pair[0]))
                time.sleep(0.01)
        conductor.let_go(worker)
    conductor.end_all()
    if not edited:
        result.violations.append("the reader was never held between two pages")
    _rest(conductor, result)


def two_edits_of_two_fields(conductor: Conductor, result: Result) -> None:
    """We edit one field of a record, a moment later they edit another one."""
    _open(conductor)
    people = conductor.people
    people.create_theirs("contacts")
    (token,) = people.tokens["contacts"]
    conductor.run("full")
    ours, theirs = FIELDS["contacts"][0], FIELDS["contacts"][1]
    people.edit_ours("contacts", token, ours[0], people.value(ours[0]))
    time.sleep(0.1)
    people.edit_theirs("contacts", token, theirs, people.value(theirs[0]))
    _rest(conductor, result)


def a_sleeper_wakes(conductor: Conductor, result: Result) -> None:
    """A worker sleeps past its lease right before it sends; another one does its work meanwhile."""
    _open(conductor)
    people = conductor.people
    people.create_ours("companies")
    people.ask("delta")
    sleeper = conductor.start(Kill("hold", "intent.sending.after_commit", 1, QUIET_SECONDS))
    held = conductor.hold(sleeper)
    time.sleep(1.2 * LEASE_SECONDS)
    conductor.start(None)
    deadline = time.monotonic() + QUIET_SECONDS
    while held and not people.theirs("companies") and time.monotonic() < deadline:
        time.sleep(0.02)
    conductor.let_go(sleeper)
    time.sleep(0.5)
    conductor.end_all()
    _rest(conductor, result)


TARGETS: dict[str, Target] = {
    "post-then-store": Target(an_answer_dies, "was created 2 times"),
    "no-settle-time": Target(a_create_comes_late, "was created 2 times"),
    "newest-seen": Target(an_edit_behind_the_reader, "a full run found more to do"),
    "stamp-only": Target(two_edits_of_two_fields, "left no trace"),
    "no-fencing": Target(a_sleeper_wakes, "was created 2 times"),
}
