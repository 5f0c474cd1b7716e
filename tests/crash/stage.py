"""What all schedules share: one PostgreSQL, one Valkey, one database that logs every move."""

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import flask_migrate
import orjson
from flask import Flask

from crm_admin import config, database
from crm_admin.app import create_app
from crm_admin.launcher import databases, places, processes, servers

LEASE_SECONDS = 1.0
SETTLE_SECONDS = 1.0
PASSWORD = "login-of-the-schedules"
KEY = "Y3JtLWFkbWluLWNyYXNoLXNjaGVkdWxlcy0zMi1ieXQ="
READY_SECONDS = 20

MOVES = """
CREATE TABLE crash_move (
    n bigint GENERATED ALWAYS AS IDENTITY, organization_id uuid, what text, id uuid, before text,
    after text);
CREATE FUNCTION crash_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    INSERT INTO crash_move (organization_id, what, id, before, after)
    VALUES (NEW.organization_id, TG_ARGV[0], NEW.id, OLD.state, NEW.state);
    RETURN NULL; END $$;
"""
MOVE = """
CREATE TRIGGER crash_note AFTER UPDATE OF state ON {table} FOR EACH ROW
  WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION crash_note('{table}')
"""
WATCHED = ("sync_run", "operation", "effect", "conflict")


@dataclass(slots=True)
class Stage:
    """The servers, and the app whose processes are killed."""

    folder: Path
    cluster: servers.PostgreSQL
    app: Flask
    database: str

    @property
    def errors(self) -> Path:
        return self.folder / "errors"


@contextmanager
def stage() -> Iterator[Stage]:
    """Servers of our own for as long as the block lasts."""
    folder = places.socket_folder()
    cluster = servers.PostgreSQL(
        data=folder / "data",
        sockets=folder / "pg",
        home=places.of_checkout().home,
        password="superuser-of-the-schedules",
        log=folder / "postgres.log",
        settings={**servers.UNSAFE_BUT_FAST, "shared_buffers": "128MB"},
    )
    valkey = servers.Valkey(
        data=folder / "valkey-data", sockets=folder, log=folder / "valkey.log", durable=False
    )
    cluster.start()
    valkey.start()
    try:
        yield on(folder, cluster, valkey)
    finally:
        valkey.stop()
        cluster.stop()
        places.remove_socket_folder(folder)


def on(folder: Path, cluster: servers.PostgreSQL, valkey: servers.Valkey) -> Stage:
    """Return the stage on running servers, its database made and migrated."""
    url = databases.prepare(cluster, password=PASSWORD, database="crm_crash")
    settings = {
        "DATABASE_URL": url,
        "REDIS_URL": valkey.url,
        "STORAGE_URL": f"file://{folder / 'files'}",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": "crash-only-3b7d4520f1e2d3c4b5a697888f3a6c1e",
        "ENCRYPTION_KEYS": f"crash:{KEY}",
        "PRIVATE_ENDPOINTS": "127.0.0.0/8",
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "SETTLE_SECONDS": str(SETTLE_SECONDS),
        "DATABASE_POOL_SIZE": "2",
    }
    app = create_app(config.load(settings))
    with app.app_context():
        flask_migrate.upgrade()
    database.dispose(app)
    with cluster.connect("crm_crash") as connection:
        connection.execute(MOVES)
        for table in WATCHED:
            connection.execute(MOVE.format(table=table))
    return Stage(folder, cluster, app, "crm_crash")


class Simulated:
    """A simulated CRM in a process of its own, steered and questioned over HTTP."""

    def __init__(self, folder: Path, provider: str = "hubspot") -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as probe:
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command: list[str | Path] = [sys.executable, "-m", "crm_admin.simulators"]
        self.process = processes.start(
            processes.Program(
                [*command, "--provider", provider, "--port", str(port)],
                log=folder / f"simulator-{port}.log",
                environ=dict(os.environ),
                cwd=places.CHECKOUT,
            )
        )
        self._await()

    def get(self, path: str) -> dict:
        with urllib.request.urlopen(f"{self.url}/_sim/{path}", timeout=10) as answer:
            return orjson.loads(answer.read())

    def post(self, path: str, body: object) -> dict:
        request = urllib.request.Request(
            f"{self.url}/_sim/{path}",
            data=orjson.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return orjson.loads(answer.read())

    def close(self) -> None:
        processes.stop(self.process)

    def _await(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.get("config")
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return
