"""Real servers for the tests that ask for them; tests of pure rooms start and import nothing.

So everything of ours is imported where it is used.
"""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import time_machine

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from crm_admin.config import Config
    from crm_admin.launcher.servers import PostgreSQL, Valkey

pytest_plugins = ["tests.servers"]

NOON: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEMPLATE: Final = "crm_template"
LOGIN_PASSWORD: Final = "login-of-the-tests"
KEY: Final = "Y3JtLWFkbWluLXRlc3RzLW9ubHkta2V5LTMyLWJ5dGU="


@pytest.fixture(scope="session")
def environ(valkey: "Valkey", free_port: int, sockets: Path) -> dict[str, str]:
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
def template(cluster: "PostgreSQL", environ: dict[str, str]) -> str:
    """The name of a database with every migration applied, to copy from."""
    import flask_migrate

    from crm_admin import config, database
    from crm_admin.app import create_app
    from crm_admin.launcher import databases

    url = databases.prepare(cluster, password=LOGIN_PASSWORD, database=TEMPLATE)
    app = create_app(config.load({**environ, "DATABASE_URL": url}))
    with app.app_context():
        flask_migrate.upgrade()
    database.dispose(app)
    return TEMPLATE


@pytest.fixture(scope="session")
def database_url(cluster: "PostgreSQL", template: str) -> str:
    from crm_admin.launcher import databases

    databases.create(cluster, database="crm_test", template=template)
    return cluster.url("crm_login", LOGIN_PASSWORD, "crm_test")


@pytest.fixture(scope="session")
def settings(environ: dict[str, str], database_url: str) -> "Config":
    from crm_admin import config

    return config.load({**environ, "DATABASE_URL": database_url})


@pytest.fixture(scope="session")
def one_app(settings: "Config") -> Iterator["Flask"]:
    from crm_admin import database
    from crm_admin.app import create_app

    app = create_app(settings)
    app.testing = True
    yield app
    database.dispose(app)


@pytest.fixture
def app(one_app: "Flask", cluster: "PostgreSQL", valkey: "Valkey") -> Iterator["Flask"]:
    """The app on an empty database; what the test writes is gone afterwards."""
    import redis

    yield one_app
    _empty(cluster)
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    shutil.rmtree(one_app.config["CRM"].storage_url.removeprefix("file://"), ignore_errors=True)


@pytest.fixture
def in_app(app: "Flask") -> Iterator["Flask"]:
    """The app with its context pushed, for services; do not mix with `client` in one test."""
    from crm_admin.extensions import db

    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def client(app: "Flask") -> "FlaskClient":
    return app.test_client()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still at noon until the test moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def _empty(cluster: "PostgreSQL") -> None:
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
