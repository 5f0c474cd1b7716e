"""The servers a measurement runs on, its own and durable, and gone afterwards."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import flask_migrate
from flask import Flask

from crm_admin import config, database
from crm_admin.app import MIGRATIONS
from crm_admin.errors import present
from crm_admin.extensions import db, migrate
from crm_admin.launcher import databases, places, processes, servers

PASSWORD: Final = "login-of-the-bench"  # noqa: S105 - of a server that lives for minutes
KEY: Final = "Y3JtLWFkbWluLWJlbmNoLW9ubHkta2V5LTMyLWJ5dGU="
OURS: Final = "bench_ours"
PEERS: Final = "bench_peers"
DAY: Final = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class World:
    """Where things are: our settings as an environment, and a database of their own for peers."""

    cluster: servers.PostgreSQL
    environ: Mapping[str, str]

    @property
    def peers(self) -> dict[str, str]:
        """Return how to reach the peers' database."""
        folder = str(self.cluster.sockets)
        return {"host": folder, "user": "crm_login", "password": PASSWORD, "dbname": PEERS}


def worker_app(settings: config.Config) -> Flask:
    """Return the app as the engine needs it: settings and engines, no doors."""
    app = Flask("crm_admin")
    app.config["CRM"] = settings
    database.init_app(app, settings)
    migrate.init_app(app, db, directory=str(MIGRATIONS))
    return app


@contextmanager
def world() -> Iterator[World]:
    """Run Valkey and PostgreSQL, fsync on, our tables in one database and nothing in another."""
    folder = places.socket_folder()
    cluster = servers.PostgreSQL(
        data=folder / "data",
        sockets=folder / "pg",
        home=places.of_checkout().home,
        password=f"superuser-{PASSWORD}",
        log=folder / "postgres.log",
    )
    valkey = servers.Valkey(
        data=folder / "valkey-data", sockets=folder, log=folder / "valkey.log", durable=False
    )
    try:
        cluster.start()
        valkey.start()
        yield _prepared(cluster, valkey, folder)
    finally:
        valkey.stop()
        cluster.stop()
        places.remove_socket_folder(folder)


def _prepared(cluster: servers.PostgreSQL, valkey: servers.Valkey, folder: Path) -> World:
    environ = {
        "DATABASE_URL": databases.prepare(cluster, password=PASSWORD, database=OURS),
        "REDIS_URL": valkey.url,
        "STORAGE_URL": f"file://{folder / 'files'}",
        "PUBLIC_URL": "http://127.0.0.1:1",
        "SECRET_KEY": "bench-only-51c7f0b2a4d84e0f9b6c3d2e1f0a9b8c",
        "ENCRYPTION_KEYS": f"bench:{KEY}",
        "PRIVATE_ENDPOINTS": "127.0.0.0/8",
    }
    app = worker_app(config.load(environ))
    with app.app_context():
        flask_migrate.upgrade()
    database.dispose(app)
    databases.create(cluster, database=PEERS)
    with cluster.connect(PEERS) as connection:
        connection.execute(f"GRANT CREATE ON DATABASE {PEERS} TO crm_login")
    return World(cluster, environ)


@contextmanager
def simulator(contacts: int, seed: int) -> Iterator[str]:
    """Run a simulated HubSpot with so many contacts as a process; yields its address."""
    command = [sys.executable, "-m", "crm_admin.simulators", "--provider", "hubspot"]
    with subprocess.Popen(
        [*command, "--print-port"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=processes.tie(signal.SIGTERM),
    ) as process:
        try:
            url = f"http://127.0.0.1:{int(present(process.stdout).readline())}"
            # Records made yesterday: a delta must not read them again as just changed.
            post(f"{url}/_sim/config", {"index_lag": 0, "clock_offset": -DAY})
            post(f"{url}/_sim/seed", {"contacts": contacts, "seed": seed})
            post(f"{url}/_sim/config", {"clock_offset": 0})
            yield url
        finally:
            process.terminate()


def post(url: str, body: Mapping[str, object]) -> Any:
    """Return what a control of the simulator answers."""
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - our own loopback
    with urlopen(request) as answer:  # noqa: S310 - likewise
        return json.load(answer)


def child(module: str, asked: Mapping[str, object], environ: Mapping[str, str]) -> Any:
    """Run a part of a measurement in a process of its own; returns the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(asked)],
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        preexec_fn=processes.tie(signal.SIGTERM),
    )
    return json.loads(done.stdout.splitlines()[-1])
