"""Keeps processes running, restarts those that fall, and stops all of them in order."""

import logging
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Final, Protocol

from crm_admin.launcher import processes
from crm_admin.launcher.processes import Program

logger = logging.getLogger(__name__)

FIRST_DELAY: Final = 0.2
LONGEST_DELAY: Final = 10.0
STEADY_SECONDS: Final = 60.0
TICK: Final = 0.1


class Server(Protocol):
    """A server that starts and stops itself."""

    process: subprocess.Popen[bytes] | None

    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(slots=True)
class Child:
    """A process that is started again whenever it ends."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes]
    ending: signal.Signals = signal.SIGTERM
    is_server: bool = False
    delay: float = FIRST_DELAY
    started: float = field(default_factory=time.monotonic)
    due: float | None = None


class Supervisor:
    """Children in the order they were added; they stop in the opposite one."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.stopping = False
        self.changed: Callable[[], None] = lambda: None

    def listen(self) -> None:
        """From now on, Ctrl-C and SIGTERM end `run`; a second one changes nothing."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def add(self, name: str, program: Program) -> None:
        """Start a program and keep it running."""
        self._keep(Child(name, lambda: processes.start(program), processes.start(program)))

    def adopt(self, name: str, server: Server, ending: signal.Signals) -> None:
        """Keep a server running that was started already."""

        def again() -> subprocess.Popen[bytes]:
            server.start()
            return _process_of(server)

        self._keep(Child(name, again, _process_of(server), ending, is_server=True))

    def run(self) -> None:
        """Watch over the children until asked to stop."""
        while not self.stopping:
            self.look_after()
            time.sleep(TICK)

    def look_after(self) -> None:
        """Start again what fell, with growing patience."""
        now = time.monotonic()
        for child in self.children:
            if child.due is None and child.process.poll() is not None:
                if now - child.started > STEADY_SECONDS:
                    child.delay = FIRST_DELAY
                logger.warning(
                    "%s ended with %s; see its log", child.name, child.process.returncode
                )
                child.due = now + child.delay
                child.delay = min(child.delay * 2, LONGEST_DELAY)
            if child.due is not None and now >= child.due:
                self._restart(child)

    def stop(self) -> None:
        """Stop programs, all at once, and then the servers they use, last started first."""
        programs = [child for child in self.children if not child.is_server]
        for child in programs:
            processes.ask(child.process, child.ending)
        for child in programs:
            processes.await_end(child.process)
        for child in reversed(self.children):
            if child.is_server:
                processes.stop(child.process, child.ending)
        self.children.clear()

    def pids(self) -> dict[str, int]:
        return {child.name: child.process.pid for child in self.children}

    def _keep(self, child: Child) -> None:
        self.children.append(child)

    def _restart(self, child: Child) -> None:
        child.started, child.due = time.monotonic(), None
        try:
            child.process = child.start()
        except Exception:
            logger.exception("%s could not be started again", child.name)
        self.changed()

    def _ask(self, _: int, __: FrameType | None) -> None:
        self.stopping = True


def _process_of(server: Server) -> subprocess.Popen[bytes]:
    if server.process is None:
        msg = "a server is adopted after it was started"
        raise ValueError(msg)
    return server.process
