"""A simulated HubSpot per test, on its own port, and a client that knows a token of it."""

from collections.abc import Iterator

import pytest

from crm_admin.simulators.server import Running, start_in_thread
from tests.simulators.client import Client


@pytest.fixture
def running() -> Iterator[Running]:
    with start_in_thread() as running:
        yield running


@pytest.fixture
def hubspot(running: Running) -> Iterator[Client]:
    with Client(running.url) as client:
        yield client
