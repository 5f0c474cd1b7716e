"""The one place that reads the clock, so that tests can hold time still."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment as an aware time in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds of a clock that never goes back, for deadlines inside one process."""
    return time.monotonic()
