"""The provider's own clock, which a test may set wrong, and the stamps records get from it."""

import time
from email.utils import formatdate
from functools import lru_cache

MAX_LEAD_MS = 1000


class Clock:
    """Stamps never go back and differ from each other, unless writes come faster than one a
    millisecond.
    """

    def __init__(self) -> None:
        self._offset_ms = 0
        self._last = 0

    @property
    def offset_seconds(self) -> float:
        return self._offset_ms / 1000

    def set_offset(self, seconds: float) -> None:
        self._offset_ms = round(seconds * 1000)
        self._last = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._offset_ms

    def stamp(self) -> int:
        now = self.now_ms()
        if now > self._last:
            self._last = now
        elif self._last - now < MAX_LEAD_MS:
            self._last += 1
        return self._last

    def shared_stamp(self) -> int:
        """The stamp of a bulk job, whose records may all carry the same one."""
        self._last = max(self.now_ms(), self._last)
        return self._last

    def latest(self) -> int:
        return self._last

    def http_date(self) -> str:
        return formatdate(self.now_ms() / 1000, usegmt=True)


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"


def iso(stamp_ms: int) -> str:
    """The stamp as HubSpot and its kind write moments: UTC, milliseconds, a Z."""
    seconds, milliseconds = divmod(stamp_ms, 1000)
    return f"{_second(seconds)}.{milliseconds:03d}Z"
