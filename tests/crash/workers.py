"""Workers as processes forked from one that has the app loaded, and the ways they end."""

import ctypes
import mmap
import os
import signal
import struct
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from crm_admin import crashpoints
from crm_admin.crashpoints import NAMES
from crm_admin.extensions import db
from crm_admin.services import schedules, sync_runs
from crm_admin.services.sql import transaction
from tests.crash.plan import Kill
from tests.crash.stage import LEASE_SECONDS, Stage, forget_connections

PR_SET_PDEATHSIG = 1
IDLE_SECONDS = 0.05
FREEZE_SECONDS = 1.3 * LEASE_SECONDS

DUE = """
SELECT id FROM sync_run WHERE state = 'queued' OR (state = 'waiting' AND wake_at <= now())
    OR (state = 'running' AND lease_until < now()) ORDER BY created_at
"""


EVERY = 0
"""A hit that means each pass of a point."""


class Hits:
    """How often each crash point was passed, counted in memory that forks share."""

    def __init__(self) -> None:
        self._names = sorted(NAMES)
        self._memory = mmap.mmap(-1, 8 * len(self._names))

    def add(self, name: str) -> None:
        place = 8 * self._names.index(name)
        (count,) = struct.unpack_from("q", self._memory, place)
        struct.pack_into("q", self._memory, place, count + 1)

    def counts(self) -> Counter[str]:
        found = struct.unpack(f"{len(self._names)}q", self._memory)
        return Counter(dict(zip(self._names, found, strict=True)))


@dataclass(slots=True)
class Worker:
    """A forked process: `frozen` until its child wakes it, or who held it."""

    pid: int
    kill: Kill | None
    started: float = field(default_factory=time.monotonic)
    frozen: bool = False

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


def fork(work: Callable[[], None], kill: Kill | None, hits: Hits, stage: Stage) -> Worker:
    """Return a process that does `work` with database connections of its own and then ends."""
    db.session.remove()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return Worker(pid, kill)
    status = 1
    try:
        end_with_parent(parent)
        forget_connections(stage.app)
        crashpoints.install(_handler(kill, hits))
        work()
        status = 0
    except BaseException:  # noqa: BLE001 -- the end of a process: nobody else would tell
        with stage.errors.open("a", encoding="utf-8") as file:
            file.write(traceback.format_exc() + "\0")
    finally:
        sys.stdout.flush()
        os._exit(status)
    raise AssertionError


def end_with_parent(parent: int) -> None:
    """Have the system end this process when its parent dies, however that happens."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _handler(kill: Kill | None, hits: Hits) -> Callable[[str], None]:
    passed: Counter[str] = Counter()

    def act(name: str) -> None:
        hits.add(name)
        passed[name] += 1
        if kill is None or name != kill.point or kill.hit not in {passed[name], EVERY}:
            return
        if kill.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if kill.action == "hold":
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        _freeze()

    return act


def _freeze() -> None:
    """Stand still past the lease: a child wakes us, for others may wait for locks we hold."""
    sleeper, child = os.getpid(), os.fork()
    if child == 0:
        os.closerange(3, 1024)
        time.sleep(FREEZE_SECONDS)
        with suppress(ProcessLookupError):
            os.kill(sleeper, signal.SIGCONT)
        os._exit(0)
    os.kill(sleeper, signal.SIGSTOP)
    os.waitpid(child, 0)


def work_on(organization_id: UUID, stage: Stage) -> None:
    """Take up whatever is due of one organisation, for ever; errors are noted and survived."""
    random = Random(os.getpid())
    while True:
        with transaction() as cursor:
            due = [row["id"] for row in cursor.execute(DUE).fetchall()]
        for run_id in due:
            try:
                sync_runs.work(organization_id, run_id)
            except Exception:  # noqa: BLE001 -- a worker outlives its jobs
                with stage.errors.open("a", encoding="utf-8") as file:
                    file.write(traceback.format_exc() + "\0")
                db.session.rollback()
        if random.random() < 0.05:
            schedules.reconcile()
        time.sleep(IDLE_SECONDS)
