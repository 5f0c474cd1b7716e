"""A laboratory per test: the simulator on its own port and the client beside it."""

from collections.abc import Iterator

import pytest

from crm_admin.simulators.server import start_in_thread
from tests.providers.lab import Facts, Lab


@pytest.fixture
def lab(facts: Facts) -> Iterator[Lab]:
    with start_in_thread(facts.provider) as running:
        yield Lab(running, facts)
