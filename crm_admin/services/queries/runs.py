"""Runs as lists and cards show them: what runs now, and the few newest."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.clock import now
from crm_admin.services.queries.counts import Counts, counts_of
from crm_admin.services.queries.sql import Row, rows

COLUMNS = """
SELECT r.id, r.connection_id, c.name AS connection, r.mode, r.trigger, r.by_name, r.state,
  r.phase, r.staged,
       r.counts, r.total, r.wake_at, r.reason, r.reason_code, r.cancel_asked, r.undone_by,
         r.undo_of, r.plan_of, r.pause_by, r.attempt,
       r.created_at, r.started_at, r.finished_at
  FROM sync_run r LEFT JOIN connection c ON c.id = r.connection_id
"""

LIVE = ("queued", "running", "waiting")
OVER = ("succeeded", "partial", "failed", "cancelled")

TRIGGER_WORDS = {
    "schedule": "Schedule",
    "webhook": "Webhook",
    "cli": "Command line",
    "api": "API",
    "system": "CRM Admin",
}


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in a list."""

    id: UUID
    connection_id: UUID | None
    connection: str
    mode: str
    started_by: str
    state: str
    phase: str
    staged: bool
    counts: Counts
    total: int | None
    wake_at: datetime | None
    reason: str
    stopping: bool
    undone: bool
    undo_of: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    reason_code: str = ""
    plan_of: UUID | None = None
    pause_by: str = ""
    attempt: int = 0

    @property
    def is_paused(self) -> bool:
        """A person paused it, and it rests."""
        return self.state == "waiting" and bool(self.pause_by)

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def status(self) -> str:
        if self.is_paused:
            return "paused"
        return "run_undone" if self.undone else f"run_{self.state}"

    @property
    def done(self) -> int:
        return self.counts.read

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken so far."""
        if self.started_at is None:
            return None
        return ((self.finished_at or now()) - self.started_at).total_seconds()


def run_line(row: Row) -> RunLine:
    """Return a run's line from a row of COLUMNS."""
    return RunLine(
        id=row["id"],
        connection_id=row["connection_id"],
        connection=row["connection"] or "",
        mode=row["mode"],
        started_by=row["by_name"] or TRIGGER_WORDS.get(row["trigger"], row["trigger"] or ""),
        state=row["state"],
        phase=row["phase"] or "",
        staged=row["staged"],
        counts=counts_of(row["counts"]),
        total=row["total"],
        wake_at=row["wake_at"],
        reason=row["reason"] or "",
        stopping=row["cancel_asked"],
        undone=row["undone_by"] is not None,
        undo_of=row["undo_of"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        reason_code=row["reason_code"] or "",
        plan_of=row["plan_of"],
        pause_by=row["pause_by"] or "",
        attempt=row["attempt"],
    )


def live_runs() -> tuple[RunLine, ...]:
    """Return what is queued, running or waiting, oldest first."""
    found = rows(
        f"{COLUMNS} WHERE r.state = ANY(:states) ORDER BY r.created_at LIMIT 20", states=list(LIVE)
    )
    return tuple(run_line(row) for row in found)


def newest_runs(amount: int) -> tuple[RunLine, ...]:
    """Return the newest runs that are over or wait as a plan."""
    found = rows(
        f"{COLUMNS} WHERE r.state <> ALL(:states) ORDER BY r.created_at DESC LIMIT :amount",
        states=list(LIVE),
        amount=amount,
    )
    return tuple(run_line(row) for row in found)
