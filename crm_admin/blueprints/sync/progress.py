"""How often a page asks after a run, and how long the run still takes."""

from crm_admin.clock import now
from crm_admin.services.queries.runs import RunLine

PATIENCE_SECONDS = 600


def poll_seconds(line: RunLine) -> int:
    """Return the seconds between two questions: 0 when it is over, fewer while it moves, more
    after ten minutes."""
    if not line.is_live:
        return 0
    if (now() - line.created_at).total_seconds() > PATIENCE_SECONDS:
        return 15
    return 2 if line.state == "running" else 5


def seconds_left(line: RunLine) -> int | None:
    """Return an estimate from the pace so far; None until there is enough to go by."""
    if line.seconds is None or not line.total or line.done < 20 or line.done >= line.total:
        return None
    return int(line.seconds / line.done * (line.total - line.done))
