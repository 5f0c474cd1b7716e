"""Who runs the servers of this checkout, and where they are."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from crm_admin.errors import Unavailable
from crm_admin.launcher import processes
from crm_admin.launcher.places import Places, remove_socket_folder, write_private


class Held(Unavailable):
    """Another process runs the servers of this checkout."""


@dataclass(frozen=True, slots=True)
class Running:
    """What `var/run.json` says: the environment to work with, and what to clean up after a kill."""

    pid: int
    command: str
    sockets: str
    environ: dict[str, str] = field(repr=False)
    pids: dict[str, int] = field(default_factory=dict)
    births: dict[str, str] = field(default_factory=dict)
    url: str | None = None


def write(places: Places, running: Running) -> None:
    """Say where the servers are, and when each process began."""
    born = processes.births(running.pids.values())
    births = {name: born[pid] for name, pid in running.pids.items() if pid in born}
    running = replace(running, births=births)
    write_private(places.run_file, json.dumps(asdict(running), indent=2) + "\n")


def read(places: Places) -> Running | None:
    """Return what the last start said, if it is there and whole."""
    try:
        return Running(**json.loads(places.run_file.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


@contextmanager
def owning(places: Places, command: str) -> Iterator[None]:
    """Own the servers of this checkout inside the block; Held says who does already."""
    with places.lock_file.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise Held(
                f"{file.read().strip() or 'Another start'} already runs the servers of"
                f" {places.checkout}. Stop it first, or use it."
            ) from error
        file.truncate(0)
        file.write(f"{command} (process {os.getpid()})\n")
        file.flush()
        sweep(places)
        try:
            yield
        finally:
            places.run_file.unlink(missing_ok=True)
            file.truncate(0)


@contextmanager
def using(places: Places, *, alone: bool = False) -> Iterator[None]:
    """Keep the servers up for this command; `alone` waits until no other command uses them."""
    with places.users_file.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


def sweep(places: Places) -> None:
    """Remove what a killed start left: its processes where the system did not, and its sockets."""
    left = read(places)
    if left is None:
        return
    alive = processes.births(left.pids.values())
    for name, pid in left.pids.items():
        if pid in alive and alive[pid] == left.births.get(name):
            processes.end(pid)
    remove_socket_folder(Path(left.sockets))
    places.run_file.unlink(missing_ok=True)
