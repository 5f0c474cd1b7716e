"""Keeps workers going through one schedule, kills them, and waits until it is quiet."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from crm_admin.errors import CrmAdminError
from crm_admin.services import plans
from tests.crash import admins
from tests.crash.people import People
from tests.crash.plan import ASKING, ROTATING, Kill, Plan
from tests.crash.stage import Simulated, Stage
from tests.crash.workers import Hits, Worker, fork, work_on

LEAST_KILLS = 3
AWAKE_SECONDS = 0.4
LONGEST_SECONDS = 10.0
QUIET_SECONDS = 40.0
QUIET_RUNS = 12
ENDED = {"succeeded", "partial", "failed", "cancelled"}
TICK = 0.02
ASK_SECONDS = 0.05
LOOK_SECONDS = 0.1


class Conductor:
    """One schedule in progress."""

    def __init__(
        self, plan: Plan, stage: Stage, crm: Simulated, hits: Hits, people: People
    ) -> None:
        self.plan, self.stage, self.crm, self.hits, self.people = plan, stage, crm, hits, people
        self.workers: list[Worker] = []
        self.kills = list(plan.kills)
        self.killed = 0
        self.random = Random(plan.seed + 1)
        self.looked = 0.0

    @property
    def organization_id(self) -> UUID:
        return self.people.person.organization_id

    def start(self, kill: Kill | None) -> Worker:
        """Let one more worker begin, which is to end like this."""
        work = partial(work_on, self.organization_id, self.stage)
        self.workers.append(fork(work, kill, self.hits, self.stage))
        return self.workers[-1]

    def look_after(self) -> None:
        """See who died, froze or woke again, and end who is due."""
        for worker in list(self.workers):
            if worker.kill is not None and time.monotonic() - worker.started >= worker.kill.after:
                worker.signal(signal.SIGKILL)
            pid, status = os.waitpid(worker.pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if not pid:
                continue
            if os.WIFSTOPPED(status):
                worker.frozen, worker.kill = True, None
                self.killed += 1
            elif os.WIFCONTINUED(status):
                lived = time.monotonic() - worker.started
                worker.frozen, worker.kill = False, Kill("kill", after=lived + AWAKE_SECONDS)
            else:
                self.workers.remove(worker)
                self.killed += 1
                self._let_lapse()

    def _let_lapse(self) -> None:
        """With nobody left who could hold a lease, its time may as well be over."""
        if not self.workers:
            self.people.rows(
                "UPDATE sync_run SET lease_until = now() - interval '1 second'"
                " WHERE state = 'running' RETURNING id"
            )

    def keep_working(self) -> None:
        """Have one worker that runs, the next one on the list to be killed."""
        self.look_after()
        if any(not worker.frozen for worker in self.workers):
            return
        while self.kills and self.kills[0].point in ASKING:
            self._ask_and_die(self.kills.pop(0))
        self.start(self.kills.pop(0) if self.kills else None)

    def _ask_and_die(self, kill: Kill) -> None:
        """Whoever asks for a run may die before or after it is written."""
        work = partial(self.people.ask, "delta")
        worker = fork(lambda: work() and None, replace(kill, hit=1), self.hits, self.stage)
        _, status = os.waitpid(worker.pid, 0)
        self.killed += os.WIFSIGNALED(status)

    def end_all(self) -> None:
        """Kill every worker there is, frozen ones too."""
        for worker in self.workers:
            worker.signal(signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(worker.pid, 0)
        self.workers.clear()
        self._let_lapse()

    def live(self) -> list[dict[str, Any]]:
        return self.people.rows(
            "SELECT id, state FROM sync_run WHERE state IN ('queued', 'running', 'waiting')"
        )

    def hold(self, worker: Worker, seconds: float = QUIET_SECONDS) -> bool:
        """Wait until a worker stands still at its point; False when it ended without."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pid, status = os.waitpid(worker.pid, os.WNOHANG | os.WUNTRACED)
            if pid and os.WIFSTOPPED(status):
                worker.frozen = True
                return True
            if pid:
                self.workers.remove(worker)
                return False
            time.sleep(TICK)
        return False

    def let_go(self, worker: Worker) -> None:
        worker.frozen = False
        worker.signal(signal.SIGCONT)

    def wait_for(self, done: Callable[[], bool], seconds: float) -> bool:
        """Keep workers going until it is done; False when it takes too long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.keep_working()
            self.approve()
            if done():
                return True
            time.sleep(ASK_SECONDS)
        return False

    def approve(self) -> None:
        """A person accepts whatever plan is ready."""
        if time.monotonic() - self.looked < LOOK_SECONDS:
            return
        self.looked = time.monotonic()
        planned = self.people.rows("SELECT id, plan_hash FROM sync_run WHERE state = 'planned'")
        for row in planned:
            with suppress(CrmAdminError):
                plans.approve(
                    person=self.people.person, run_id=row["id"], plan_hash=row["plan_hash"]
                )

    def main_part(self) -> None:
        """Edits on both sides while workers die."""
        people = self.people
        people.ask("full")
        breaks = {chaos.at: chaos.kind for chaos in self.plan.chaos}
        for number, edit in enumerate(self.plan.edits):
            self.break_down(breaks.get(number, ""))
            if self.plan.rotate and number == len(self.plan.edits) // 2:
                self.rotate_keys(Kill("kill", ROTATING))
            self.keep_working()
            self.approve()
            if self.plan.fulls or edit.kind != "run_full":
                people.act(edit)
            time.sleep(edit.pause)
        until = time.monotonic() + LONGEST_SECONDS
        while self._deaths_due() and time.monotonic() < until:
            self.keep_working()
            self.approve()
            if not self.live():
                people.act(self.plan.edits[self.random.randrange(len(self.plan.edits))])
                people.ask(self.random.choice(("delta", "full")) if self.plan.fulls else "delta")
            time.sleep(TICK)
        self.kills.clear()

    def rotate_keys(self, kill: Kill | None) -> None:
        """Have a process seal all secrets anew, which may die half-way."""
        work = partial(admins.rotate_keys, self.people)
        _, status = os.waitpid(fork(work, kill, self.hits, self.stage).pid, 0)
        self.killed += os.WIFSIGNALED(status)

    def break_down(self, kind: str) -> None:
        """Take a server away from everybody, and bring it back."""
        match kind:
            case "database_broken":
                self.stage.break_database()
            case "queue_broken":
                self.stage.break_queue()
            case "queue_emptied":
                self.stage.empty_queue()

    def _deaths_due(self) -> bool:
        pending = bool(self.kills) or any(worker.kill for worker in self.workers)
        if not pending and self.killed < LEAST_KILLS:
            # A point that was never reached killed nobody: somebody dies at any moment instead.
            self.kills.append(Kill("kill", after=self.random.uniform(0.05, 0.4)))
            self.end_all()
        return pending or bool(self.kills)

    def run(self, mode: str) -> dict[str, Any] | None:
        """Work on a new run until it ends and return its row; None when it does not."""
        run_id = None
        until = time.monotonic() + QUIET_SECONDS
        while run_id is None and time.monotonic() < until:
            if self.wait_for(lambda: not self.live(), QUIET_SECONDS):
                run_id = self.people.ask(mode)
        if run_id is None or not self.wait_for(lambda: self.state(run_id) in ENDED, QUIET_SECONDS):
            return None
        return self.people.rows("SELECT * FROM sync_run WHERE id = %s", run_id)[0]

    def state(self, run_id: UUID) -> str:
        return str(self.people.rows("SELECT state FROM sync_run WHERE id = %s", run_id)[0]["state"])

    def come_to_rest(self) -> list[str]:
        """Run deltas until one writes nothing on either side; what is wrong otherwise."""
        quiet = 0
        for _ in range(QUIET_RUNS):
            row = self.run("delta")
            if row is None:
                return [f"I17 nothing ends: {self.live()}"]
            quiet = quiet + 1 if row["state"] == "succeeded" and not written(row) else 0
            if quiet:
                return []
        return [f"I4 no rest after {QUIET_RUNS} runs: {row['counts']} {row['reason']}"]


def written(row: Mapping[str, Any]) -> int:
    """Return how much a run wrote on both sides."""
    words = [f"{side}_{word}" for side in ("ours", "theirs") for word in WORDS]
    return sum(int(row["counts"].get(word, 0)) for word in words)


WORDS = ("created", "updated", "deleted")
