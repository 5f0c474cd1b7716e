"""Plays schedules side by side, each lane a process with servers of its own: whatever a schedule
changes in its process ends with that.
"""

import os
import selectors
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import orjson

from tests.crash.stage import Simulated, Stage, stage
from tests.crash.workers import end_with_parent

Job = Callable[[Stage, Simulated], dict]
"""What a lane does: plays something on its stage and tells of it."""


def play(data: Path, jobs: Sequence[Job], lanes: int) -> Iterator[dict]:
    """Yield what each job tells as soon as it does; RuntimeError when a lane ends early."""
    pipes, pids = [], []
    for lane in range(min(lanes, len(jobs))):
        reading, writing = os.pipe()
        pids.append(os.fork())
        if pids[-1] == 0:
            os.close(reading)
            _lane(data, jobs[lane::lanes], writing)
        os.close(writing)
        pipes.append(reading)
    yield from _read(pipes)
    broken = [pid for pid in pids if os.waitpid(pid, 0)[1]]
    if broken:
        raise RuntimeError(f"{len(broken)} of {len(pids)} lanes ended early")


def _read(pipes: Sequence[int]) -> Iterator[dict]:
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ, bytearray())
        while selector.get_map():
            for key, _ in selector.select():
                chunk = os.read(key.fd, 65536)
                key.data.extend(chunk)
                *lines, rest = bytes(key.data).split(b"\n")
                key.data[:] = rest
                yield from map(orjson.loads, lines)
                if not chunk:
                    selector.unregister(key.fd)
                    os.close(key.fd)


def _lane(data: Path, jobs: Sequence[Job], pipe: int) -> None:
    """The process of one lane: forks its workers itself and never returns."""
    status = 1
    end_with_parent(os.getppid())
    try:
        with stage(data) as mine, closing(Simulated(mine.folder)) as crm, mine.app.app_context():
            for job in jobs:
                os.write(pipe, orjson.dumps(job(mine, crm)) + b"\n")
        status = 0
    except BaseException:  # noqa: BLE001 -- the end of a process: nobody else would tell
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)
