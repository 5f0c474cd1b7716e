"""What every call to a CRM is given: its log, and the networks it may reach."""

from dataclasses import replace
from ipaddress import ip_network
from uuid import UUID

from flask import current_app

from crm_admin.ids import new_id
from crm_admin.outward.guard import Network
from crm_admin.outward.protocols import CallEntry, Rank, RateBudget, Seen
from crm_admin.services.sql import transaction

INSERT = """
INSERT INTO api_call (organization_id, at, id, connection_id, run_id, method, path, status, ms,
       request_id, sent_bytes, received_bytes, request_body, answer_body, error, rank)
SELECT organization_id, now(), %s, id, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
  FROM connection WHERE id = %s
"""


class Calls:
    """Counts the calls of one opened connection and keeps them for the log until they are written
    together.
    """

    def __init__(self, connection_id: UUID, run_id: UUID | None, rank: Rank) -> None:
        self._connection_id = connection_id
        self._run_id = run_id
        self._rank = rank
        self._written = self._taken = 0
        self._entries: list[CallEntry] = []

    def record(self, entry: CallEntry) -> None:
        """Keep the entry until the next flush."""
        self._entries.append(entry)

    def take(self) -> int:
        """Return the calls since the last take."""
        made = self._written + len(self._entries)
        count, self._taken = made - self._taken, made
        return count

    def flush(self) -> None:
        """Write the kept entries in a transaction of their own; call it outside the work's."""
        entries = self._entries[:]
        if not entries:
            return
        with transaction() as cursor:
            cursor.executemany(INSERT, [self._row(entry) for entry in entries])
        del self._entries[: len(entries)]
        self._written += len(entries)

    def _row(self, entry: CallEntry) -> tuple[object, ...]:
        return (
            new_id(),
            self._run_id,
            entry.method,
            entry.path,
            entry.status,
            round(entry.milliseconds),
            entry.request_id,
            len(entry.request_body),
            len(entry.answer_body),
            entry.request_body.replace("\0", ""),
            entry.answer_body.replace("\0", ""),
            entry.failure or None,
            self._rank.value,
            self._connection_id,
        )


def private_networks() -> tuple[Network, ...]:
    """Return the networks that may be reached although they are private: simulators on this
    machine.
    """
    return tuple(ip_network(text) for text in current_app.config["CRM"].private_endpoints)


class Capped:
    """A budget whose default bucket never follows an answer beyond what a person allowed."""

    def __init__(self, budget: RateBudget, calls: float, seconds: float) -> None:
        self._budget = budget
        self._per_second = calls / seconds

    def take(self, cost: int, rank: Rank, bucket: str = "") -> float:
        """Take and return 0, or take nothing and return the seconds after which to ask again."""
        return self._budget.take(cost, rank, bucket)

    def learn(self, seen: Seen) -> None:
        """Bring the budget into line with what an answer told, as far as it is allowed."""
        if seen.bucket or not seen.limit or not seen.window_seconds:
            self._budget.learn(seen)
            return
        most = max(1, int(self._per_second * seen.window_seconds))
        left = None if seen.remaining is None else min(seen.remaining, most)
        self._budget.learn(replace(seen, limit=min(seen.limit, most), remaining=left))
