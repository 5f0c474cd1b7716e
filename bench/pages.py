"""`python -m bench.pages --rows 1000000 --json`: pages over HTTP with a million records.

The app is served as `bin/start` serves it, by one process; a second organisation of the same size
lies beside the first. The peer is Flask-Admin over the same table, in the same run.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, Final

from bench import pages_ours
from bench.asking import Browser, line, served
from bench.pages_world import ORGANIZATIONS, Size, fill
from bench.world import OURS, World, worker_app, world
from crm_admin import config

Line = dict[str, Any]
COMPARED: Final = {
    "records first": "records first",
    "records deep": "records deep",
    "records by stage": "records by stage",
    "search name": "search name",
}


def ours(found: World, rows: int, times: int, only: str = "") -> Iterator[Line]:
    """Yield a line per page of ours."""
    app = worker_app(config.load(found.environ))
    with found.cluster.connect(OURS) as connection:
        cookie = pages_ours.signed_in(app, connection)
        pages, cold = pages_ours.pages(connection, rows), pages_ours.cold(connection)
    with served("wsgi:app", {**os.environ, **found.environ}) as port:
        browser = Browser(port, cookie)
        for name, path in pages.items():
            if only in name:
                yield line("pages", "crm_admin", name, rows, browser.timed(path, times))
        for name, path in cold.items():
            weight = round(browser.weight(path) / 1024, 1)
            yield {"bench": "weight", "peer": "crm_admin", "page": name, "kb": weight}


def peer(found: World, rows: int, times: int) -> Iterator[Line]:
    """Yield a line per page of Flask-Admin; its deep pages are an OFFSET."""
    cluster = found.cluster
    environ = {
        **os.environ,
        "SECRET_KEY": found.environ["SECRET_KEY"],
        "BENCH_DATABASE": cluster.url("postgres", cluster.password, OURS),
        "BENCH_ORGANIZATION": str(ORGANIZATIONS[0]),
        "BENCH_KIND": pages_ours.KIND,
    }
    deep = min(pages_ours.DEEP, rows // 100) - 1
    pages = {
        "records first": "/admin/peer/?sort=2&desc=1",
        "records deep": f"/admin/peer/?sort=2&desc=1&page={deep}",
        "records by stage": "/admin/peer/?flt0_0=won",
        "search name": "/admin/peer/?search=Nordlicht+Bu",
    }
    with served("bench.pages_admin:app", environ) as port:
        browser = Browser(port)
        for name, path in pages.items():
            yield line("pages", "flask-admin", name, rows, browser.timed(path, times))


def sentences(lines: list[Line]) -> list[str]:
    """Return how much longer the peer takes, page by page."""
    by = {(each["peer"], each["page"]): each for each in lines if each["bench"] == "pages"}
    said = []
    for page in COMPARED:
        mine, other = by.get(("crm_admin", page)), by.get(("flask-admin", page))
        if mine and other:
            ratio = other["p50_ms"] / mine["p50_ms"]
            said.append(
                f"{page}: {mine['p50_ms']} ms, Flask-Admin {other['p50_ms']} ms: {ratio:.1f}x"
            )
    return said


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print one JSON line per page and peer")
    parser.add_argument("--peers", default="crm_admin,flask-admin", help="comma-separated")
    given = parser.parse_args()
    lines: list[Line] = []
    with world() as found:
        fill(found, Size.of(given.rows))
        for measure in (ours, peer):
            if {"ours": "crm_admin", "peer": "flask-admin"}[measure.__name__] in given.peers:
                for each in measure(found, given.rows, given.times):
                    lines.append(each)
                    if given.json:
                        print(json.dumps(each), flush=True)
    for sentence in sentences(lines):
        print(sentence, file=sys.stderr)


if __name__ == "__main__":
    main()
