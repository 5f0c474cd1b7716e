"""`python -m bench.polling --json`: people who watch a run while two syncs work.

Each asks every two seconds for the part of the page that changes, as the page's own script does:
with the tag of the last answer, so that nothing new is answered by 204.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from bench.asking import served, spread
from bench.world import World, simulator, world
from crm_admin.errors import present
from crm_admin.launcher import ports, processes

EVERY: Final = 2.0
PER_THREAD: Final = 10
SYNCS: Final = 2


@dataclass(slots=True)
class Person:
    """One open page: where it asks, its cookie, and the tag of what it shows."""

    path: str
    cookie: str
    due: float
    http: HTTPConnection
    tag: str = ""


@dataclass(slots=True)
class Seen:
    """What came back, of all people together."""

    taken: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    errors: int = 0

    def note(self, status: int, milliseconds: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.taken.append(milliseconds)
        if status not in {200, 204}:
            self.errors += 1


@contextmanager
def syncing(found: World, people: int, records: int) -> Iterator[dict[str, Any]]:
    """Run a sync as a process of its own; yields the run and the cookies of who may watch it."""
    with simulator(records, 1) as url:
        asked = json.dumps({"url": url, "people": people})
        with subprocess.Popen(
            [sys.executable, "-m", "bench.polling_sync", asked],
            env={**os.environ, **found.environ},
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=processes.tie(signal.SIGTERM),
        ) as process:
            try:
                yield json.loads(present(process.stdout).readline())
            finally:
                process.kill()


def ask(person: Person, seen: Seen, *, again: bool = True) -> None:
    """Poll once; a kept connection that was closed meanwhile is opened anew, as browsers do."""
    headers = {"Cookie": person.cookie, "HX-Request": "true"}
    if person.tag:
        headers["If-None-Match"] = person.tag
    started = time.perf_counter()
    try:
        person.http.request("GET", person.path, headers=headers)
        answer = person.http.getresponse()
        answer.read()
    except (OSError, HTTPException):
        person.http.close()
        if again:
            ask(person, seen, again=False)
        else:
            seen.errors += 1
        return
    person.tag = answer.headers.get("ETag") or person.tag
    seen.note(answer.status, 1000 * (time.perf_counter() - started))


def poll(people: list[Person], seen: Seen, until: float) -> None:
    """Let each ask when it is due."""
    while (now := time.perf_counter()) < until:
        for person in people:
            if person.due <= now:
                ask(person, seen)
                person.due += EVERY
        time.sleep(0.002)


def watch(port: int, runs: list[dict[str, Any]], seconds: float) -> Seen:
    """Return what all people saw."""
    seen, start = Seen(), time.perf_counter()
    cookies = [(run["run"], token) for run in runs for token in run["tokens"]]
    people = [
        Person(
            f"/admin/crm/sync/runs/{run}/_card",
            f"crm_session={token}",
            start + EVERY * number / len(cookies),
            HTTPConnection(ports.LOOPBACK, port, timeout=30),
        )
        for number, (run, token) in enumerate(cookies)
    ]
    groups = [people[at : at + PER_THREAD] for at in range(0, len(people), PER_THREAD)]
    threads = [
        threading.Thread(target=poll, args=(group, seen, start + seconds)) for group in groups
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def measure(people: int, seconds: float, records: int) -> dict[str, Any]:
    """Return the figures as one line."""
    with world() as found, ExitStack() as stack:
        runs = [stack.enter_context(syncing(found, people // SYNCS, records)) for _ in range(SYNCS)]
        port = stack.enter_context(served("wsgi:app", {**os.environ, **found.environ}, workers=2))
        seen = watch(port, runs, seconds)
    return {
        "bench": "polling",
        "peer": "crm_admin",
        "people": people,
        "syncs": SYNCS,
        "requests": len(seen.taken),
        "errors": seen.errors,
        "statuses": {str(status): count for status, count in sorted(seen.statuses.items())},
        **spread(seen.taken),
    }


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.polling", description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--records", type=int, default=50_000, help="what each sync reads")
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    given = parser.parse_args()
    line = measure(given.people, given.seconds, given.records)
    if given.json:
        print(json.dumps(line))
    sentence = f"{line['people']} people: p50 {line['p50_ms']} ms, p95 {line['p95_ms']} ms"
    print(f"{sentence}, {line['errors']} errors of {line['requests']}", file=sys.stderr)


if __name__ == "__main__":
    main()
