"""The calls of a run to its CRM: a page of them, and one with what was asked and answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.services.queries import paging
from crm_admin.services.queries.sql import Row, first, rows

CALLS = """
SELECT id, at, method, path, status, ms, request_id, sent_bytes, received_bytes, error
  FROM api_call
 WHERE run_id = :run
   AND (NOT :failed OR coalesce(status, 0) NOT BETWEEN 200 AND 299)
   AND (CAST(:moment AS timestamptz) IS NULL
        OR (at, id) < (CAST(:moment AS timestamptz), CAST(:id AS uuid)))
 ORDER BY at DESC, id DESC LIMIT :amount
"""

ONE = """
SELECT id, at, method, path, status, ms, request_id, sent_bytes, received_bytes, error,
       request_body, answer_body
  FROM api_call WHERE run_id = :run AND id = :call
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call; bodies are masked and cut when they are stored, and read only for one call."""

    id: UUID
    at: datetime
    method: str
    path: str
    status: int | None
    ms: int
    request_id: str
    sent: int
    received: int
    error: str
    asked: str = ""
    answered: str = ""

    @property
    def failed(self) -> bool:
        return self.status is None or not 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Calls:
    calls: Sequence[Call]
    after: str


def calls(run_id: UUID, *, after: str = "", failed: bool = False) -> Calls:
    """Return one page of the run's calls, newest first, without their bodies."""
    place = paging.decode(after)
    found = rows(
        CALLS,
        run=run_id,
        failed=failed,
        moment=place.value if place else None,
        id=place.id if place else None,
        amount=paging.PAGE + 1,
    )
    shown = [_call(row) for row in found[: paging.PAGE]]
    more = len(found) > paging.PAGE
    return Calls(shown, paging.encode(shown[-1].at.isoformat(), shown[-1].id) if more else "")


def call(run_id: UUID, call_id: UUID) -> Call:
    """Return one call with what was sent and answered, as far as it was kept."""
    row = first(ONE, run=run_id, call=call_id)
    if row is None:
        raise NotFound("This call is not in the log any more.")
    return _call(row, row["request_body"] or "", row["answer_body"] or "")


def _call(row: Row, asked: str = "", answered: str = "") -> Call:
    return Call(
        row["id"],
        row["at"],
        row["method"],
        row["path"],
        row["status"],
        row["ms"],
        row["request_id"] or "",
        row["sent_bytes"] or 0,
        row["received_bytes"] or 0,
        row["error"] or "",
        asked,
        answered,
    )
