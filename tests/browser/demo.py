"""The demo as people meet it: the app over HTTP, a worker process, the simulated HubSpot, and the
seed on both sides.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from werkzeug.serving import make_server

from crm_admin import config, database
from crm_admin.app import create_app
from crm_admin.launcher import processes
from crm_admin.launcher.processes import Program
from crm_admin.services.seed import demo as seed
from crm_admin.simulators.server import start_in_thread

CHECKOUT = Path(__file__).parents[2]
PASSWORD = "seven-green-boats-at-dusk"

APPLICATION = {
    "HUBSPOT_SIMULATOR_CLIENT_ID": "crm-admin-demo",
    "HUBSPOT_SIMULATOR_CLIENT_SECRET": "secret-of-the-demo-application",
}
"""What the sign-in by one press is done with."""


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the two sides are reached."""

    url: str
    hubspot: str

    def deal(self, remote_id: str) -> str:
        """Return the address where a person edits a deal in HubSpot."""
        return f"{self.hubspot}/_sim/record?object=deals&id={remote_id}"


@contextmanager
def running(environ: dict[str, str], log: Path) -> Iterator[Demo]:
    """Serve the demo in the database of `environ` until the block ends."""
    with start_in_thread(None) as simulators:
        environ = {
            **environ,
            "DEMO": "1",
            "DEMO_PASSWORD": PASSWORD,
            "SIMULATOR_URL": simulators.url,
            **APPLICATION,
        }
        app = create_app(config.load(environ))
        with app.app_context():
            seed.seed()
        with _worker(environ, log), _served(app, environ["PUBLIC_URL"]):
            yield Demo(environ["PUBLIC_URL"], f"{simulators.url}/hubspot")
        database.dispose(app)


@contextmanager
def _worker(environ: dict[str, str], log: Path) -> Iterator[None]:
    """A worker of its own process, which ends with us whatever happens."""
    process = processes.start(
        Program(
            [sys.executable, "-m", "flask", "crm", "worker", "--queues", "now,bulk"],
            log=log,
            environ={**os.environ, **environ, "FLASK_APP": "wsgi"},
            cwd=CHECKOUT,
        )
    )
    try:
        yield
        assert process.poll() is None, f"The worker ended by itself: {log.read_text()}"
    finally:
        processes.stop(process)


@contextmanager
def _served(app: Flask, url: str) -> Iterator[None]:
    server = make_server("127.0.0.1", int(url.rpartition(":")[2]), app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
