"""Reads the next pages while the present ones are stored: the CRM and the database work at the same
time.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.unlinked import Unlinked

TURN_SECONDS: Final = 0.0005
"""How long the reading thread may keep Python to itself: the storing one comes back from the
database dozens of times a slice, and would wait ten times as long each time by default.
"""


@dataclass(frozen=True, slots=True)
class Pages:
    """Some pages' records and the cursor of the next page, None after the last.

    `prepared` holds by id what was translated while there was time; `total` is what the CRM tells
    of the whole pass.
    """

    records: Sequence[RemoteRecord]
    cursor: str | None
    prepared: Mapping[str, Unlinked] = field(default_factory=dict)
    total: int | None = None


Key = tuple[str, bool, str | None]
"""Remote object, whether archived records are read, and the cursor to begin at."""


class Ahead:
    """At most one read under way. The client serves one call at a time: `rest` before using it.

    Nothing read before a write of ours may be used after it, because what we wrote would look like
    their edit: `drop` forgets it, and nothing more is read ahead in this claim of the run.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._key: Key | None = None
        self._future: Future[Pages] | None = None
        self._sends = False
        self._turn = sys.getswitchinterval()

    def begin(self, key: Key, read: Callable[[], Pages]) -> None:
        """Start reading, unless this claim has sent something."""
        if self._sends:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "read-ahead")
            sys.setswitchinterval(TURN_SECONDS)
        self._key, self._future = key, self._pool.submit(read)

    def take(self, key: Key) -> Pages | None:
        """Return what was read for this key, or raise what the read raised; None when it was
        not.
        """
        future, known = self._future, self._key
        self.rest()
        self._key = self._future = None
        return future.result() if future is not None and known == key else None

    def rest(self) -> None:
        """Wait until the client is free."""
        if self._future is not None:
            wait([self._future])

    def drop(self) -> None:
        """Forget what was read: something was sent."""
        self.rest()
        self._key = self._future = None
        self._sends = True

    def close(self) -> None:
        """End the thread; what it read is forgotten."""
        self.rest()
        self._key = self._future = None
        if self._pool is not None:
            self._pool.shutdown()
            sys.setswitchinterval(self._turn)
