"""Real servers for the tests that ask for them; tests of pure rooms start nothing."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import flask_migrate
import pytest
import redis
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from crm_admin import config, database
from crm_admin.app import MIGRATIONS, create_app
from crm_admin.extensions import db
from crm_admin.launcher import databases, places, servers

NOON: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEMPLATE: Final = "crm_template"
LOGIN_PASSWORD: Final = "login-of-the-tests"
KEY: Final = "Y3JtLWFkbWluLXRlc3RzLW9ubHkta2V5LTMyLWJ5dGU="


@pytest.fixture(scope="session")
def sockets() -> Iterator[Path]:
    folder = places.socket_folder()
    yield folder
    places.remove_socket_folder(folder)


@pytest.fixture(scope="session")
def cluster(sockets: Path) -> Iterator[servers.PostgreSQL]:
    """A PostgreSQL of this process's own, quick because it may lose everything."""
    server = servers.PostgreSQL(
        data=sockets / "data",
        sockets=sockets / "pg",
        home=places.of_checkout().home,
        password="superuser-of-the-tests",
        log=sockets / "postgres.log",
        settings={**servers.UNSAFE_BUT_FAST, "shared_buffers": "64MB"},
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(sockets: Path) -> Iterator[servers.Valkey]:
    server = servers.Valkey(
        data=sockets / "valkey-data", sockets=sockets, log=sockets / "valkey.log", durable=False
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def free_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def environ(valkey: servers.Valkey, free_port: int, sockets: Path) -> dict[str, str]:
    """Every setting a process of ours needs, but DATABASE_URL."""
    return {
        "REDIS_URL": valkey.url,
        "STORAGE_URL": f"file://{sockets / 'files'}",
        "PUBLIC_URL": f"http://127.0.0.1:{free_port}",
        "SECRET_KEY": "tests-only-8f3a6c1e9b7d4520f1e2d3c4b5a69788",
        "ENCRYPTION_KEYS": f"tests:{KEY}",
        "PRIVATE_ENDPOINTS": "127.0.0.0/8",
        "CRON_SECRET": "cron-of-the-tests",
        "DATABASE_POOL_SIZE": "4",
    }


@pytest.fixture(scope="session")
def template(cluster: servers.PostgreSQL, environ: dict[str, str]) -> str:
    """The name of a database with every migration applied, to copy from."""
    url = databases.prepare(cluster, password=LOGIN_PASSWORD, database=TEMPLATE)
    app = create_app(config.load({**environ, "DATABASE_URL": url}))
    if (MIGRATIONS / "env.py").exists():
        with app.app_context():
            flask_migrate.upgrade()
    database.dispose(app)
    return TEMPLATE


@pytest.fixture(scope="session")
def database_url(cluster: servers.PostgreSQL, template: str) -> str:
    databases.create(cluster, database="crm_test", template=template)
    return cluster.url("crm_login", LOGIN_PASSWORD, "crm_test")


@pytest.fixture(scope="session")
def settings(environ: dict[str, str], database_url: str) -> config.Config:
    return config.load({**environ, "DATABASE_URL": database_url})


@pytest.fixture(scope="session")
def one_app(settings: config.Config) -> Iterator[Flask]:
    app = create_app(settings)
    app.testing = True
    yield app
    database.dispose(app)


@pytest.fixture
def app(one_app: Flask, cluster: servers.PostgreSQL, valkey: servers.Valkey) -> Iterator[Flask]:
    """The app on an empty database; what the test writes is gone afterwards."""
    yield one_app
    _empty(cluster)
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    shutil.rmtree(one_app.config["CRM"].storage_url.removeprefix("file://"), ignore_errors=True)


@pytest.fixture
def in_app(app: Flask) -> Iterator[Flask]:
    """The app with its context pushed, for services; do not mix with `client` in one test."""
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still at noon until the test moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def _empty(cluster: servers.PostgreSQL) -> None:
    with cluster.connect("crm_test") as connection:
        names = connection.execute(
            "SELECT format('%I', relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'"
        ).fetchall()
        if names:
            connection.execute("SET lock_timeout = '10s'")
            connection.execute(
                f"TRUNCATE {', '.join(name for (name,) in names)} RESTART IDENTITY CASCADE"
            )


def pytest_configure(config: pytest.Config) -> None:
    os.umask(0o077)
