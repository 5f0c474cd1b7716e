"""Conducts one schedule: people edit, workers die, new ones go on until it is quiet."""

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from crm_admin import tenancy
from crm_admin.services import connections, undo
from crm_admin.services.engine.requests import RunRef
from tests.crash import admins, checks, checks_tables, story, tempo, variants, witness
from tests.crash.conductor import ENDED, QUIET_SECONDS, Conductor, written
from tests.crash.people import FIELDS, move_in, remote_names
from tests.crash.plan import OBJECTS, Plan
from tests.crash.stage import Simulated, Stage
from tests.crash.workers import Hits


@dataclass(slots=True)
class Result:
    """What became of a schedule."""

    plan: Plan
    violations: list[str] = field(default_factory=list)
    kills: int = 0
    seconds: float = 0.0
    story: list[str] = field(default_factory=list)


CUT_OFF = ("OperationalError", "AdminShutdown", "InterfaceError", "server closed")
"""What a worker says whose PostgreSQL went away under it."""


def conduct(
    plan: Plan,
    stage: Stage,
    crm: Simulated,
    hits: Hits,
    variant: str = "",
    play: Callable[[Conductor, Result], None] | None = None,
) -> Result:
    """Carry out a schedule, or another `play`, from an empty organisation to its checks."""
    started, result = time.monotonic(), Result(plan)
    stage.errors.unlink(missing_ok=True)
    stage.calls.unlink(missing_ok=True)
    witness.watch(stage.calls)
    crm.post("reset", {})
    people = move_in(
        crm,
        1 + plan.seed % 900_000,
        Random(plan.seed),
        marker=plan.marker,
        signed_in=plan.signed_in,
    )
    tempo.hurry()
    tempo.tell_apart(0.02 if plan.sharp else 5.0)
    undo_variant = variants.apply(variant)
    conductor = Conductor(plan, stage, crm, hits, people)
    with tenancy.acting_for(people.person.organization_id):
        try:
            (play or _play)(conductor, result)
            if result.violations:
                result.story = story.of(people, result.violations, witness.read(stage.calls))
        except Exception:  # noqa: BLE001 -- the schedules after this one are to be played too
            result.violations.append(f"the schedule broke off: {traceback.format_exc()[-1500:]}")
        finally:
            conductor.end_all()
            undo_variant()
    if stage.errors.exists():
        traces = filter(None, stage.errors.read_text(encoding="utf-8").split("\0"))
        broken = any(chaos.kind == "database_broken" for chaos in plan.chaos)
        result.violations += [
            f"error in a worker: {trace[-1500:]}"
            for trace in dict.fromkeys(traces)
            if not (broken and any(word in trace for word in CUT_OFF))
        ]
    result.kills, result.seconds = conductor.killed, time.monotonic() - started
    return result


def _play(conductor: Conductor, result: Result) -> None:
    plan, crm = conductor.plan, conductor.crm
    _set_up(conductor)
    crm.post("faults", {"rules": list(plan.faults)})
    conductor.main_part()
    crm.post("faults", {"rules": []})
    result.violations += conductor.come_to_rest()
    if result.violations:
        return
    if not plan.rotate:
        close(conductor, result)
        return
    conductor.end_all()
    conductor.rotate_keys(None)
    result.violations += admins.of_keys(conductor.people)
    with admins.without_former_key():
        close(conductor, result)


def close(conductor: Conductor, result: Result) -> None:
    """Check everything once it is quiet, undo included where the schedule has one."""
    plan, people = conductor.plan, conductor.people
    result.violations += checks.of_records(people, witness.read(conductor.stage.calls))
    waiting = people.rows(f"{story.WAITING} FROM outbox")
    row = conductor.run("full")
    if row is None or written(row) or not checks.is_well(people, row):
        result.violations.append(
            f"I4 I6 a full run found more to do: {row and row['id']}; waiting before: {waiting}"
        )
    result.violations += checks.of_lost(people)
    if plan.undo and not result.violations:
        result.violations += _take_back(conductor)
    result.violations += checks_tables.of_tables(people, conductor.stage)


def _set_up(conductor: Conductor) -> None:
    """Records on both sides, some of them the same ones."""
    people, crm = conductor.people, conductor.crm
    crm.post("config", {"index_lag": conductor.plan.index_lag})
    connections.check(people.person.organization_id, people.connection_id)
    stance = "observe" if conductor.plan.observe else "active"
    connections.set_stance(person=people.person, connection_id=people.connection_id, stance=stance)
    if conductor.plan.removal:
        admins.let_deletes_through(people)
    for name in OBJECTS:
        for _ in range(5):
            people.create_theirs(name)
        for _ in range(2):
            people.create_ours(name)
    for _ in range(conductor.plan.crowd):
        people.create_theirs("contacts")
    twin = remote_names("contacts", people.tokens["contacts"][6])
    crm.post(f"edit?portal={people.portal}", {"object": "contacts", "properties": twin})


def _take_back(conductor: Conductor) -> list[str]:
    """Undo a run with kills on the way: both sides must be as they were, and stay so."""
    people = conductor.people
    for name in OBJECTS:
        for token in people.tokens[name][:2]:
            people.edit_ours(name, token, FIELDS[name][0][0], people.value(FIELDS[name][0][0]))
        for token in people.tokens[name][2:4]:
            pair = FIELDS[name][-1]
            people.edit_theirs(name, token, pair, people.value(pair[0]))
    people.create_theirs("contacts")
    people.create_ours("companies")
    before = checks.snapshot(people)
    time.sleep(2 * tempo.INDEX_LAG)
    row = conductor.run("delta")
    if row is None or row["state"] != "succeeded":
        return [f"I17 the run to be undone did not succeed: {row and row['reason']}"]
    after = checks.snapshot(people)
    reference = _undo(conductor, row["id"])
    if not conductor.wait_for(lambda: conductor.state(reference.id) in ENDED, QUIET_SECONDS):
        return ["I17 the undo does not end"]
    found = checks.differences(before, checks.snapshot(people))
    row = conductor.run("full")
    if row is None or written(row):
        found.append(f"I12 the next run fights the undo: {row and row['id']}")
    return (
        found if found or not conductor.plan.redo else _bring_back(conductor, reference.id, after)
    )


def _undo(conductor: Conductor, run_id: UUID) -> RunRef:
    """Ask for an undo, planned first in some schedules, and let the next workers die of it."""
    conductor.wait_for(lambda: not conductor.live(), QUIET_SECONDS)
    conductor.end_all()
    conductor.kills = list(conductor.plan.undo_kills)
    return undo.start(person=conductor.people.person, run_id=run_id, staged=conductor.plan.observe)


def _bring_back(conductor: Conductor, undo_id: UUID, after: Mapping[str, str]) -> list[str]:
    """Undo the undo, killed on the way too: both sides are as the run had left them."""
    people = conductor.people
    reference = _undo(conductor, undo_id)
    if not conductor.wait_for(lambda: conductor.state(reference.id) in ENDED, QUIET_SECONDS):
        return ["I17 the undo of the undo does not end"]
    found = checks.differences(after, checks.snapshot(people), "I12 brought back: ")
    row = conductor.run("full")
    if row is None or written(row):
        found.append(f"I12 the next run fights what was brought back: {row and row['id']}")
    return found
