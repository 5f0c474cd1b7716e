"""The rate budget and breaker of a connection, shared by all workers through Redis, or per process
without it.
"""

import json
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from uuid import UUID

import redis
from flask import current_app

from crm_admin import dispatch
from crm_admin.outward import breaker
from crm_admin.outward.inprocess import LocalBreaker, LocalBudget
from crm_admin.outward.protocols import BreakerState, Rank, RateBudget, Seen
from crm_admin.providers.registry import limits_of
from crm_admin.services.sql import Row

RESERVE = 0.1
KEEP_SECONDS = 3600
TOLD_SECONDS = 5.0
CALM_SECONDS = 0.5

# A token bucket on the server's clock: returns 0 after taking, else the milliseconds to wait. Bulk
# work leaves the
# reserve to people. A bucket nobody told a limit for is open.
TAKE = """
local now = redis.call('TIME'); now = now[1] * 1000 + math.floor(now[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'left', 'at', 'limit', 'window', 'blocked')
local blocked = tonumber(held[5]) or 0
if now < blocked then return blocked - now end
local limit = tonumber(held[3]) or tonumber(ARGV[3])
local window = tonumber(held[4]) or tonumber(ARGV[4])
if limit <= 0 then return 0 end
local left = math.min(limit, (tonumber(held[1]) or limit) + (now - (tonumber(held[2]) or now)) *
limit / window)
local floor = math.min(limit * tonumber(ARGV[2]), limit - 1)
local missing = tonumber(ARGV[1]) + floor - left
local wait = 0
if missing > 0 then wait = math.ceil(missing * window / limit) else left = left - tonumber(ARGV[1])
end
redis.call('HSET', KEYS[1], 'left', tostring(left), 'at', now)
redis.call('EXPIRE', KEYS[1], ARGV[5])
return wait
"""

LEARN = """
local now = redis.call('TIME'); now = now[1] * 1000 + math.floor(now[2] / 1000)
if tonumber(ARGV[1]) > 0 then redis.call('HSET', KEYS[1], 'limit', ARGV[1], 'window', ARGV[2]) end
if tonumber(ARGV[3]) >= 0 then
  local left = tonumber(redis.call('HGET', KEYS[1], 'left'))
  if not left or left > tonumber(ARGV[3]) then redis.call('HSET', KEYS[1], 'left', ARGV[3], 'at',
  now) end
end
if tonumber(ARGV[4]) > 0 then redis.call('HSET', KEYS[1], 'blocked', now + tonumber(ARGV[4])) end
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 0
"""


class SharedBudget:
    """The calls left to a connection, counted in Redis; while Redis is away each process counts for
    itself.
    """

    def __init__(
        self, client: redis.Redis, key: str, limits: Mapping[str, tuple[int, float]]
    ) -> None:
        self._client = client
        self._key = key
        self._limits = limits
        self._local = LocalBudget(dict(limits))
        self._told: dict[str, tuple[int | None, float | None, float]] = {}

    def take(self, cost: int, rank: Rank, bucket: str = "") -> float:
        """Take and return 0, or take nothing and return the seconds after which to ask again."""
        limit, window = self._limits.get(bucket, (0, 1.0))
        reserve = 0.0 if rank is Rank.PEOPLE else RESERVE
        try:
            wait = self._client.eval(
                TAKE, 1, f"{self._key}:{bucket}", cost, reserve, limit, window * 1000, KEEP_SECONDS
            )
        except redis.RedisError:
            return self._local.take(cost, rank, bucket)
        return float(wait) / 1000

    def learn(self, seen: Seen) -> None:
        """Bring the budget into line with what an answer told."""
        self._local.learn(seen)
        if self._is_known(seen):
            return
        told = seen.limit if seen.limit and seen.window_seconds else 0
        remaining = -1 if seen.remaining is None else seen.remaining
        try:
            self._client.eval(
                LEARN,
                1,
                f"{self._key}:{seen.bucket}",
                told,
                (seen.window_seconds or 0) * 1000,
                remaining,
                seen.blocked_seconds * 1000,
                KEEP_SECONDS,
            )
        except redis.RedisError:
            return

    def _is_known(self, seen: Seen) -> bool:
        """While half of a limit is left, an answer that names the same limit again says nothing."""
        left, limit, now = seen.remaining, seen.limit, time.monotonic()
        before = self._told.get(seen.bucket)
        if left is None or not limit or 2 * left < limit or seen.blocked_seconds:
            return False
        if before and before[:2] == (limit, seen.window_seconds) and now < before[2]:
            return True
        self._told[seen.bucket] = (limit, seen.window_seconds, now + TOLD_SECONDS)
        return False


class SharedBreaker:
    """The breaker of a connection, kept in Redis; the last writer wins, which costs at most one
    more probe.
    """

    def __init__(self, client: redis.Redis, key: str) -> None:
        self._client = client
        self._key = key
        self._local = LocalBreaker()
        self._calm = False
        self._asked_at = 0.0

    def wait_seconds(self) -> float:
        """Return 0 when a call may go out, else the seconds to wait. What others note is seen
        within a moment; what this process notes, at once.
        """
        now = time.monotonic()
        if self._calm and now - self._asked_at < CALM_SECONDS:
            return 0.0
        self._asked_at = now
        return self._step(lambda state: breaker.before_call(state, time.time()))

    def succeeded(self) -> None:
        """Note a call that was answered sensibly; where nothing was wrong before it, nothing is
        noted.
        """
        if self._calm:
            return
        self._step(lambda state: (breaker.after_success(state), 0.0))

    def failed(self) -> None:
        """Note a call that was not."""
        self._step(lambda state: (breaker.after_failure(state, time.time()), 0.0))

    def _step(self, move: Callable[[breaker.Breaker], tuple[breaker.Breaker, float]]) -> float:
        try:
            held = self._client.get(self._key)
            before = breaker.Breaker() if held is None else _read(held)
            after, wait = move(before)
            self._calm = after == breaker.Breaker()
            if after != before:
                self._client.set(self._key, _text(after), ex=KEEP_SECONDS)
        except redis.RedisError:
            self._calm = False
            self._local.state, wait = move(self._local.state)
        return float(wait)


def _read(held: object) -> breaker.Breaker:
    kept = json.loads(held)  # type: ignore[arg-type]
    return breaker.Breaker(
        breaker.State(kept["state"]), tuple(kept["failures"]), kept["until"], kept["rest"]
    )


def _text(state: breaker.Breaker) -> str:
    return json.dumps({name: getattr(state, name) for name in state.__dataclass_fields__})


@lru_cache(maxsize=256)
def _budget(
    url: str, connection_id: UUID, limits: tuple[tuple[str, tuple[int, float]], ...]
) -> SharedBudget:
    return SharedBudget(dispatch.client(url), f"crm:budget:{connection_id}", dict(limits))


@lru_cache(maxsize=256)
def _breaker(url: str, connection_id: UUID) -> SharedBreaker:
    return SharedBreaker(dispatch.client(url), f"crm:breaker:{connection_id}")


def budget_of(row: Row) -> RateBudget:
    """Return the budget of a connection: its own limits, else the provider's; answers bring both
    into line.

    A simulator starts without limits and tells its own.
    """
    simulated = row["environment"] == "simulator"
    given = (row["limits"] or {}).get("calls") or ({} if simulated else limits_of(row["provider"]))
    limits = tuple((bucket, (int(pair[0]), float(pair[1]))) for bucket, pair in given.items())
    return _budget(current_app.config["CRM"].redis_url, row["id"], limits)


def breaker_of(connection_id: UUID) -> BreakerState:
    """Return the breaker of a connection."""
    return _breaker(current_app.config["CRM"].redis_url, connection_id)
