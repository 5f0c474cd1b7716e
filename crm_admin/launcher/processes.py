"""Child processes that never outlive us, whatever kills us."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crm_admin.launcher.account import Account

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Program:
    """What to start: `ending` is the signal that asks it to stop, `stdin` a text it reads first."""

    command: Sequence[str | Path]
    log: Path | None = None
    environ: Mapping[str, str] | None = None
    account: Account = field(default_factory=Account)
    ending: signal.Signals = signal.SIGTERM
    cwd: Path | str = "/"
    stdin: str | None = None


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, tied to us; call it from the main thread.

    What it writes is for its own account alone, and it leaves no memory on disk when it falls.
    """
    with Path(program.log or os.devnull).open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in program.command],
            cwd=program.cwd,
            env=None if program.environ is None else dict(program.environ),
            stdin=subprocess.DEVNULL if program.stdin is None else subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
            preexec_fn=tie(program.ending),
            **program.account.switch,
        )
    if program.stdin is not None and process.stdin is not None:
        process.stdin.write(program.stdin.encode())
        process.stdin.close()
    return process


def stop(process: subprocess.Popen[bytes], ending: signal.Signals = signal.SIGTERM) -> int:
    """Ask a process to end, wait, then force it; returns its exit code."""
    ask(process, ending)
    return await_end(process)


def ask(process: subprocess.Popen[bytes], ending: signal.Signals) -> None:
    """Ask a process to end, unless it did."""
    if process.poll() is None:
        process.send_signal(ending)


def await_end(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process that was asked to end, then force it."""
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def end(pid: int) -> None:
    """End a process that is not our child: ask, wait a moment, force."""
    for ending, patience in ((signal.SIGINT, 3.0), (signal.SIGKILL, 1.0)):
        try:
            os.kill(pid, ending)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tell whether a process exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def births(pids: Iterable[int]) -> dict[int, str]:
    """Return when each living process began; a number used again has another time."""
    wanted = ",".join(str(pid) for pid in pids)
    if not wanted:
        return {}
    done = subprocess.run(
        ["ps", "-o", "pid=,lstart=", "-p", wanted], capture_output=True, text=True, check=False
    )
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    return {int(row[0]): row[1].strip() for row in rows if len(row) == 2}


def command_line(pid: int) -> str:
    """Return how a process was started; empty when it is gone."""
    done = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def tie(ending: signal.Signals) -> Callable[[], None]:
    """Return what a child runs first: it dumps no core, and gets `ending` when we die where the
    system can tell it.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    parent = os.getpid()

    def bind() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if library is None:
            return
        library.prctl(PR_SET_PDEATHSIG, int(ending))
        if os.getppid() != parent:
            os._exit(1)

    return bind
