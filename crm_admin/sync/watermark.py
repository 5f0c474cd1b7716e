"""From where a pass reads, and how far the watermark may move once the pass is complete."""

from datetime import datetime, timedelta
from typing import Final

LEAST_OVERLAP: Final = timedelta(seconds=120)


def overlap(index_lag_seconds: float, declared_seconds: float = 0.0) -> timedelta:
    """Return how much of the past is read again: a record may be found later than it was
    changed.
    """
    lag = timedelta(seconds=max(0.0, index_lag_seconds))
    return max(LEAST_OVERLAP, 2 * lag, timedelta(seconds=max(0.0, declared_seconds)))


def start_of_pass(watermark: datetime | None, again: timedelta) -> datetime | None:
    """Return from when a pass reads; None reads everything, because nothing is known yet."""
    return None if watermark is None else watermark - again


def end_of_pass(
    *,
    started: datetime,
    clock_offset_seconds: float,
    index_lag_seconds: float,
    covered_until: datetime | None = None,
    before: datetime | None = None,
) -> datetime:
    """Return the watermark after a complete pass, on the CRM's clock; it never moves back.

    It is the start of the pass as the CRM's clock had it, minus the time its index may lag, and
    never beyond the stamp up to which the CRM itself says to be complete.
    """
    theirs = started + timedelta(seconds=clock_offset_seconds)
    reached = theirs - timedelta(seconds=max(0.0, index_lag_seconds))
    if covered_until is not None:
        reached = min(reached, covered_until)
    return reached if before is None else max(before, reached)
