"""What the schedules of a lane share: a PostgreSQL, a Valkey, a database that logs every move."""

import gc
import os
import shutil
import signal
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
import redis
from flask import Flask

from crm_admin import config, database, dispatch
from crm_admin.app import create_app
from crm_admin.errors import present
from crm_admin.extensions import db
from crm_admin.launcher import databases, places, processes, servers
from crm_admin.services import budget

LEASE_SECONDS = 0.7
SETTLE_SECONDS = 0.9
DATABASE = "crm_crash"
SURVIVES = {"synchronous_commit": "on"}
"""Commits reach the system's files, so that only an end of the whole machine would lose them."""
PASSWORD = "login-of-the-schedules"
KEY = "Y3JtLWFkbWluLWNyYXNoLXNjaGVkdWxlcy0zMi1ieXQ="
NEXT_KEY = "bmV4dC1rZXktb2YtdGhlLXNjaGVkdWxlcy0zMi1ieXQ="
READY_SECONDS = 20

MOVES = """
CREATE TABLE crash_move (
    n bigint GENERATED ALWAYS AS IDENTITY, organization_id uuid, what text, id uuid, before text,
    after text);
CREATE TABLE crash_send (
    organization_id uuid, effect_id uuid, sent_epoch int, live_epoch int, live_runs int);
CREATE FUNCTION crash_sent() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    INSERT INTO crash_send SELECT NEW.organization_id, NEW.id, NEW.sent_epoch,
           max(r.lease_epoch), count(*) FROM sync_run r
     WHERE r.organization_id = NEW.organization_id AND r.connection_id = NEW.connection_id
       AND r.state = 'running';
    RETURN NULL; END $$;
CREATE TRIGGER crash_sent AFTER UPDATE OF state ON effect FOR EACH ROW
  WHEN (NEW.state = 'sending' AND OLD.state <> 'sending') EXECUTE FUNCTION crash_sent();
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
    """The servers of one lane, and the app whose processes are killed."""

    folder: Path
    cluster: servers.PostgreSQL
    valkey: servers.Valkey
    app: Flask
    database: str

    @property
    def errors(self) -> Path:
        return self.folder / "errors"

    @property
    def calls(self) -> Path:
        return self.folder / "calls"

    def break_database(self) -> None:
        """PostgreSQL dies without a word to anybody and comes back; what was committed is there."""
        processes.stop(present(self.cluster.process), signal.SIGQUIT)
        self.cluster.process = None
        self.cluster.start()
        with self.app.app_context():
            forget_connections(self.app)

    def break_queue(self) -> None:
        """Valkey goes with all it held and comes back empty."""
        self.valkey.stop()
        self.valkey.start()

    def empty_queue(self) -> None:
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()


def forget_connections(app: Flask) -> None:
    """Leave every connection of this process as it is; the next one that is asked for is new."""
    db.session.remove()
    for engine in (db.engine, *app.extensions["crm_engines"].values()):
        engine.dispose(close=False)
    dispatch.client.cache_clear()
    budget._budget.cache_clear()
    budget._breaker.cache_clear()


@contextmanager
def template() -> Iterator[Path]:
    """A cluster at rest with the migrated database: each lane begins with a copy of its files."""
    folder = places.socket_folder()
    cluster, valkey = _servers(folder)
    cluster.start()
    valkey.start()
    try:
        _prepare(folder, cluster, valkey)
    finally:
        valkey.stop()
        cluster.stop()
    try:
        yield folder / "data"
    finally:
        places.remove_socket_folder(folder)


@contextmanager
def stage(data: Path) -> Iterator[Stage]:
    """Servers of our own, begun as a copy of `data`, for as long as the block lasts."""
    folder = places.socket_folder()
    cluster, valkey = _servers(folder)
    _copy(data, folder / "data", cluster)
    cluster.start()
    valkey.start()
    app = create_app(config.load(_settings(folder, cluster, valkey)))
    # What is there by now is shared by every worker: a collection would copy all of it for each.
    gc.freeze()
    try:
        yield Stage(folder, cluster, valkey, app, DATABASE)
    finally:
        with app.app_context():
            forget_connections(app)
        valkey.stop()
        cluster.stop()
        places.remove_socket_folder(folder)


def _servers(folder: Path) -> tuple[servers.PostgreSQL, servers.Valkey]:
    cluster = servers.PostgreSQL(
        data=folder / "data",
        sockets=folder / "pg",
        home=places.of_checkout().home,
        password="superuser-of-the-schedules",
        log=folder / "postgres.log",
        settings={**servers.UNSAFE_BUT_FAST, **SURVIVES, "shared_buffers": "32MB"},
    )
    sockets = folder
    valkey = servers.Valkey(
        data=folder / "valkey-data", sockets=sockets, log=folder / "valkey.log", durable=False
    )
    return cluster, valkey


def _copy(data: Path, to: Path, cluster: servers.PostgreSQL) -> None:
    shutil.copytree(data, to)
    owner = data.stat()
    for path in (to, *to.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    to.chmod(0o700)


def _settings(folder: Path, cluster: servers.PostgreSQL, valkey: servers.Valkey) -> dict[str, str]:
    return {
        "DATABASE_URL": cluster.url("crm_login", PASSWORD, DATABASE),
        "REDIS_URL": valkey.url,
        "STORAGE_URL": f"file://{folder / 'files'}",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": "crash-only-3b7d4520f1e2d3c4b5a697888f3a6c1e",
        "ENCRYPTION_KEYS": f"crash:{KEY},next:{NEXT_KEY}",
        "PRIVATE_ENDPOINTS": "127.0.0.0/8",
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "SETTLE_SECONDS": str(SETTLE_SECONDS),
        "DATABASE_POOL_SIZE": "2",
    }


def _prepare(folder: Path, cluster: servers.PostgreSQL, valkey: servers.Valkey) -> None:
    databases.prepare(cluster, password=PASSWORD, database=DATABASE)
    app = create_app(config.load(_settings(folder, cluster, valkey)))
    with app.app_context():
        flask_migrate.upgrade()
    database.dispose(app)
    with cluster.connect(DATABASE) as connection:
        connection.execute(MOVES)
        for table in WATCHED:
            connection.execute(MOVE.format(table=table))


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
