"""The processes of a running CRM Admin, as commands."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crm_admin.launcher.places import Places
from crm_admin.launcher.ports import LOOPBACK
from crm_admin.launcher.processes import Program

WEB_PROCESSES: Final = 2
WEB_THREADS: Final = 8
WORKERS: Final = {"worker": "now,bulk", "worker-now": "now"}


def web(places: Places, environ: Mapping[str, str], port: int) -> Program:
    """Return the web server."""
    options = ["--workers", WEB_PROCESSES, "--threads", WEB_THREADS, "--worker-class", "gthread"]
    options += ["--bind", f"{LOOPBACK}:{port}", "--timeout", 60, "--graceful-timeout", 10]
    # Longer than pages wait between two polls, or each poll would open a connection anew.
    options += ["--keep-alive", 10]
    options += ["--preload", "--no-control-socket", "--worker-tmp-dir", _memory(), "wsgi:app"]
    command = [sys.executable, "-m", "gunicorn", *(str(option) for option in options)]
    return _program(places, environ, "web", command)


def worker(places: Places, environ: Mapping[str, str], name: str) -> Program:
    """Return a worker by its name in WORKERS."""
    return _program(places, environ, name, [*_flask("worker"), "--queues", WORKERS[name]])


def scheduler(places: Places, environ: Mapping[str, str]) -> Program:
    """Return the scheduler."""
    return _program(places, environ, "scheduler", _flask("scheduler"))


def simulators(places: Places, environ: Mapping[str, str], port: int) -> Program:
    """Return all simulated CRMs, which keep their records in `var/`."""
    records = places.var / "simulators" / "records.jsonl"
    records.parent.mkdir(mode=0o700, exist_ok=True)
    command = [sys.executable, "-m", "crm_admin.simulators", "--port", str(port), "--data"]
    return _program(places, environ, "simulators", [*command, str(records)])


def flask(*words: str) -> list[str]:
    """Return the command line of `flask …` in our own Python."""
    return [sys.executable, "-m", "flask", *words]


def _flask(*words: str) -> list[str]:
    return flask("crm", *words)


def _program(places: Places, environ: Mapping[str, str], name: str, command: list[str]) -> Program:
    return Program(command, log=places.logs / f"{name}.log", environ=environ, cwd=places.checkout)


def _memory() -> str:
    shared = Path("/dev/shm")  # noqa: S108 -- the web server's heartbeat files, made privately
    return str(shared) if shared.is_dir() else "/tmp"  # noqa: S108 -- likewise
