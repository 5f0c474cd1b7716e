"""Budget, breaker and log for one process: command lines, tests, and simulators without Redis."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from crm_admin.outward import breaker
from crm_admin.outward.protocols import CallEntry, Rank, Seen

ROUNDING = 1e-6
SHORTEST_WAIT_SECONDS = 0.001


@dataclass(slots=True)
class _Bucket:
    limit: float
    window: float
    left: float
    at: float
    blocked_until: float = 0.0


class LocalBudget:
    """A token bucket per name; bulk work leaves `reserve` of each bucket to people.

    Buckets come from the spec's limits, calls per seconds, and follow what answers tell. A name
    without a bucket is not limited until an answer blocks it.
    """

    def __init__(
        self,
        limits: dict[str, tuple[int, float]],
        *,
        reserve: float = 0.1,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._clock = clock
        self._reserve = reserve
        self._lock = threading.Lock()
        self._buckets = {
            name: _Bucket(limit, window, limit, clock()) for name, (limit, window) in limits.items()
        }

    def take(self, cost: int, rank: Rank, bucket: str = "") -> float:
        """Take and return 0, or take nothing and return the seconds after which to ask again."""
        with self._lock:
            held = self._buckets.get(bucket)
            if held is None:
                return 0.0
            now = self._clock()
            if now < held.blocked_until:
                return held.blocked_until - now
            self._refill(held, now)
            floor = 0.0 if rank is Rank.PEOPLE else min(held.limit * self._reserve, held.limit - 1)
            missing = cost + floor - held.left
            if missing > ROUNDING:
                return max(missing * held.window / held.limit, SHORTEST_WAIT_SECONDS)
            held.left -= cost
            return 0.0

    def learn(self, seen: Seen) -> None:
        """Bring the bucket into line: never above what the CRM says remains."""
        with self._lock:
            now = self._clock()
            held = self._buckets.setdefault(seen.bucket, _Bucket(1e9, 1.0, 1e9, now))
            self._refill(held, now)
            if seen.limit and seen.window_seconds:
                held.limit, held.window = seen.limit, seen.window_seconds
            if seen.remaining is not None:
                held.left = min(held.left, seen.remaining)
            if seen.blocked_seconds > 0:
                held.blocked_until = max(held.blocked_until, now + seen.blocked_seconds)

    def _refill(self, held: _Bucket, now: float) -> None:
        held.left = min(held.limit, held.left + (now - held.at) * held.limit / held.window)
        held.at = now


class LocalBreaker:
    """The breaker of one connection in one process."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.state = breaker.Breaker()

    def wait_seconds(self) -> float:
        """Return 0 when a call may go out now, else the seconds to wait."""
        with self._lock:
            self.state, wait = breaker.before_call(self.state, self._clock())
            return wait

    def succeeded(self) -> None:
        """Note a call that was answered sensibly."""
        with self._lock:
            self.state = breaker.after_success(self.state)

    def failed(self) -> None:
        """Note a call that was not."""
        with self._lock:
            self.state = breaker.after_failure(self.state, self._clock())


class LocalCallLog:
    """Keeps the last calls in memory."""

    def __init__(self, keep: int = 1000) -> None:
        self._keep = keep
        self.entries: list[CallEntry] = []

    def record(self, entry: CallEntry) -> None:
        """Keep the entry, forgetting the oldest."""
        self.entries.append(entry)
        del self.entries[: -self._keep]
