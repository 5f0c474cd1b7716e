"""HubSpot's rate limits: counting calls per account, the headers that tell, and the refusal."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from crm_admin.simulators.hubspot.settings import Limits

DAY_MS: Final = 86_400_000
UNLIMITED: Final = 1_000_000


@dataclass(slots=True)
class Usage:
    """Calls of one account; search has its own window, the day is the provider's."""

    recent: deque[float] = field(default_factory=deque)
    searches: deque[float] = field(default_factory=deque)
    day: int = 0
    today: int = 0

    def refusal(self, limits: Limits, now_ms: int, *, search: bool) -> str | None:
        """Counts the call and names the policy it breaks; a refused call does not count."""
        now = time.monotonic()
        _forget_before(self.recent, now - 10)
        _forget_before(self.searches, now - 1)
        self._turn_day(now_ms)
        if _full(limits.daily, self.today):
            return "DAILY"
        if search and _full(limits.search_secondly, len(self.searches)):
            return "SECONDLY"
        if not search and _full(limits.ten_secondly, len(self.recent)):
            return "TEN_SECONDLY_ROLLING"
        self.today += 1
        (self.searches if search else self.recent).append(now)
        return None

    def headers(self, limits: Limits, *, oauth: bool) -> list[tuple[str, str]]:
        most = UNLIMITED if limits.ten_secondly is None else limits.ten_secondly
        shown = [
            ("X-HubSpot-RateLimit-Max", str(most)),
            ("X-HubSpot-RateLimit-Remaining", str(max(0, most - len(self.recent)))),
            ("X-HubSpot-RateLimit-Interval-Milliseconds", "10000"),
        ]
        if not oauth:
            daily = UNLIMITED if limits.daily is None else limits.daily
            shown.append(("X-HubSpot-RateLimit-Daily", str(daily)))
            left = daily if limits.daily is None else max(0, daily - self.today)
            shown.append(("X-HubSpot-RateLimit-Daily-Remaining", str(left)))
        return shown

    def _turn_day(self, now_ms: int) -> None:
        day = now_ms // DAY_MS
        if day != self.day:
            self.day = day
            self.today = 0


def _full(limit: int | None, used: int) -> bool:
    return limit is not None and used >= limit


def _forget_before(calls: deque[float], moment: float) -> None:
    while calls and calls[0] <= moment:
        calls.popleft()
