"""What search sees: every record as it was some time ago, in the order of modification."""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from crm_admin.simulators.row import Row

SPARE = 4096


@dataclass(slots=True)
class SearchIndex:
    """`version` changes whenever an answer could; entries of `by_time` may be stale and are checked
    on use.
    """

    docs: dict[int, Row] = field(default_factory=dict)
    by_time: list[tuple[int, int]] = field(default_factory=list)
    version: int = 0
    _pending: deque[tuple[float, int, Row | None]] = field(default_factory=deque)

    def note(self, row_id: int, row: Row | None, visible_at: float) -> None:
        """Searches from `visible_at` on find this state; None takes the record out."""
        self._pending.append((visible_at, row_id, row))

    def note_now(self, row_id: int, row: Row | None) -> None:
        """Searches find this state as soon as they find what was noted before it."""
        if self._pending:
            self.note(row_id, row, self._pending[-1][0])
        else:
            self._put(row_id, row)

    def hurry(self, latest: float) -> None:
        """Nothing that waits becomes visible later than this."""
        waiting = [(min(at, latest), row_id, row) for at, row_id, row in self._pending]
        self._pending = deque(waiting)

    def catch_up(self, now: float) -> None:
        while self._pending and self._pending[0][0] <= now:
            _, row_id, row = self._pending.popleft()
            self._put(row_id, row)

    def changed_between(self, low: int, high: int) -> Iterator[Row]:
        first = bisect_left(self.by_time, (low, 0))
        last = bisect_right(self.by_time, (high, 1 << 62))
        previous: tuple[int, int] | None = None
        for entry in self.by_time[first:last]:
            row = self.docs.get(entry[1])
            if row is not None and row.updated == entry[0] and entry != previous:
                yield row
            previous = entry

    def _put(self, row_id: int, row: Row | None) -> None:
        self.version += 1
        if row is None:
            self.docs.pop(row_id, None)
            return
        self.docs[row_id] = row
        entry = (row.updated, row_id)
        if not self.by_time or entry > self.by_time[-1]:
            self.by_time.append(entry)
        else:
            insort(self.by_time, entry)
        if len(self.by_time) > 2 * len(self.docs) + SPARE:
            self.by_time = sorted((kept.updated, kept.id) for kept in self.docs.values())
