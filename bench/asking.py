"""Asks a served app for pages again and again, as one browser would, and says how long it took."""

import gzip
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from crm_admin.launcher import ports, processes

READY_SECONDS: Final = 180
ASSET: Final = re.compile(r"/assets/[0-9a-f]+/[\w./-]+")
GZIPPED: Final = b"\x1f\x8b"
WARM: Final = 12
"""So often a page is asked for before it counts: PostgreSQL plans a statement anew five times."""


class Browser:
    """One connection that is kept open, with a cookie."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._http = HTTPConnection(ports.LOOPBACK, port, timeout=60)
        self._headers = {"Cookie": cookie} if cookie else {}

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Return status and body of a page."""
        self._http.request("GET", path, headers={**self._headers, **(headers or {})})
        answer = self._http.getresponse()
        return answer.status, answer.read()

    def timed(self, path: str, times: int) -> list[float]:
        """Return the milliseconds of each of so many answers; anything but 200 ends it."""
        taken = []
        for number in range(WARM + times):
            started = time.perf_counter()
            status, body = self.get(path)
            ended = time.perf_counter()
            if status != 200:
                raise SystemExit(f"{path} answered {status}: {body[:300]!r}")
            if number >= WARM:
                taken.append(1000 * (ended - started))
        return taken

    def weight(self, path: str) -> int:
        """Return the bytes of a page and of all it loads, as a browser that has nothing gets it."""
        packed = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "none"}
        status, body = self.get(path, packed)
        if status != 200:
            raise SystemExit(f"{path} answered {status}.")
        page = gzip.decompress(body).decode() if body[:2] == GZIPPED else body.decode()
        parts = sorted(set(ASSET.findall(page)))
        return len(body) + sum(len(self.get(part, packed)[1]) for part in parts)


def spread(taken: list[float]) -> dict[str, float]:
    """Return the middle and the 95th of a hundred."""
    return {
        "p50_ms": round(median(taken), 2),
        "p95_ms": round(quantiles(taken, n=20)[-1], 2),
    }


@contextmanager
def served(app: str, environ: Mapping[str, str], *, workers: int = 1) -> Iterator[int]:
    """Serve an app as `bin/start` serves ours; yields its port."""
    port = ports.any_free()
    options = ["--workers", workers, "--threads", 8, "--worker-class", "gthread", "--preload"]
    options += ["--bind", f"{ports.LOOPBACK}:{port}", "--no-control-socket", "--timeout", 120]
    options += ["--keep-alive", 10]
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *(str(option) for option in options), app],
        env=dict(environ),
        cwd=Path(__file__).resolve().parents[1],
        preexec_fn=processes.tie(signal.SIGTERM),
    ) as server:
        try:
            _await_ready(port)
            yield port
        finally:
            server.terminate()


def _await_ready(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            Browser(port).get("/healthz")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def line(bench: str, peer: str, page: str, rows: int, taken: list[float]) -> dict[str, Any]:
    """Return what is printed about one page."""
    return {"bench": bench, "peer": peer, "page": page, "rows": rows, **spread(taken)}
