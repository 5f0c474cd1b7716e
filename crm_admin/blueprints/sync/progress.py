"""How often a page asks after a run, how fast the run is, and how long it still takes."""

from crm_admin.clock import now
from crm_admin.services.queries.runs import RunLine

PATIENCE_SECONDS = 600
SLOW_SECONDS = 15
ENOUGH = 20


def poll_seconds(line: RunLine) -> int:
    """Return the seconds between two questions: 0 when it is over, fewer while it moves, more
    after ten minutes and while a person paused it."""
    if not line.is_live:
        return 0
    if line.is_paused or (now() - line.created_at).total_seconds() > PATIENCE_SECONDS:
        return SLOW_SECONDS
    return 2 if line.state == "running" else 5


def seconds_left(line: RunLine) -> int | None:
    """Return an estimate from the pace so far; None until there is enough to go by."""
    if line.seconds is None or not line.total or line.done < ENOUGH or line.done >= line.total:
        return None
    return int(line.seconds / line.done * (line.total - line.done))


def per_second(line: RunLine) -> float | None:
    """Return the records a second so far, waits included; None until there is enough to go by."""
    if line.seconds is None or line.done < ENOUGH or line.seconds < 1:
        return None
    return line.done / line.seconds


def wait_seconds(line: RunLine) -> int | None:
    """Return how long a waiting run still waits; None when it has no time or is due."""
    if line.state != "waiting" or line.wake_at is None:
        return None
    left = (line.wake_at - now()).total_seconds()
    return int(left) if left >= 1 else None
