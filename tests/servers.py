"""A PostgreSQL and a Valkey per test process: quick, and no process needs another's."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from crm_admin.launcher.servers import PostgreSQL, Valkey


@pytest.fixture(scope="session")
def sockets() -> Iterator[Path]:
    from crm_admin.launcher import places

    folder = places.socket_folder()
    yield folder
    places.remove_socket_folder(folder)


@pytest.fixture(scope="session")
def cluster(sockets: Path) -> Iterator["PostgreSQL"]:
    """A PostgreSQL of this process's own, quick because it may lose everything."""
    from crm_admin.launcher import places, servers

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
def valkey(sockets: Path) -> Iterator["Valkey"]:
    from crm_admin.launcher import servers

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
