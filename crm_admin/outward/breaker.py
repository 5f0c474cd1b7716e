"""The breaker: after ten failures in a minute a connection rests, then one probe decides."""

from dataclasses import dataclass, replace
from enum import StrEnum

FAILURES = 10
WINDOW_SECONDS = 60.0
FIRST_REST_SECONDS = 30.0
LONGEST_REST_SECONDS = 300.0
PROBE_SECONDS = 60.0


class State(StrEnum):
    """Closed lets calls through, open holds them back, half open waits for one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state between two calls; times are seconds on one clock of the caller's choice."""

    state: State = State.CLOSED
    failures: tuple[float, ...] = ()
    until: float = 0.0
    rest: float = FIRST_REST_SECONDS


def before_call(breaker: Breaker, now: float) -> tuple[Breaker, float]:
    """Return the state and 0 when a call may go out now, else the seconds to wait.

    An open breaker whose rest is over lets one probe through; while that probe is out nobody else
    calls, and a probe that never reports is given up after a minute.
    """
    if breaker.state is State.CLOSED:
        return breaker, 0.0
    if now < breaker.until:
        return breaker, breaker.until - now
    return replace(breaker, state=State.HALF_OPEN, until=now + PROBE_SECONDS), 0.0


def after_success(breaker: Breaker) -> Breaker:
    """Return the state after an answered call: closed, with its failures forgotten."""
    if breaker.state is State.CLOSED and not breaker.failures:
        return breaker
    return Breaker()


def after_failure(breaker: Breaker, now: float) -> Breaker:
    """Return the state after a failed call: the tenth opens, a failed probe doubles the rest."""
    if breaker.state is State.OPEN:
        return breaker
    if breaker.state is State.HALF_OPEN:
        rest = min(breaker.rest * 2, LONGEST_REST_SECONDS)
        return Breaker(State.OPEN, (), now + rest, rest)
    failures = (*(at for at in breaker.failures if now - at < WINDOW_SECONDS), now)
    if len(failures) >= FAILURES:
        return Breaker(State.OPEN, (), now + breaker.rest, breaker.rest)
    return replace(breaker, failures=failures)
