"""What waits and who works: runs in their order, asked-for records, workers, and the queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import redis

from crm_admin import dispatch
from crm_admin.clock import now
from crm_admin.services.queries.runs import COLUMNS, RunLine, run_line
from crm_admin.services.queries.sql import Row, only, rows

LOOKED_AT = 2_000
"""Jobs of a queue that are looked through for a run's place."""
SILENT = timedelta(seconds=90)
"""A part that gave no sign for this long is taken for dead."""

WAITING = f"""
{COLUMNS} WHERE r.state IN ('queued', 'waiting')
 ORDER BY r.state = 'waiting', r.created_at LIMIT 100
"""

ASKED = """
SELECT w.connection_id, c.name, c.stance, count(*) AS amount, min(w.created_at) AS oldest
  FROM wanted w JOIN connection c ON c.id = w.connection_id
 GROUP BY w.connection_id, c.name, c.stance ORDER BY c.name
"""

OUTBOX = """
SELECT count(*) AS amount, min(created_at) AS oldest
  FROM (SELECT created_at FROM outbox WHERE not_before <= now() LIMIT 10001) due
"""

PROCESSES = """
SELECT name, kind, host, pid, started_at, seen_at, info FROM process ORDER BY kind, name LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits, why, and its place among the jobs; None when no job is there for it."""

    line: RunLine
    place: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Records and syncs that were asked of a connection and wait for its run."""

    connection: str
    amount: int
    oldest: datetime
    stance: str


@dataclass(frozen=True, slots=True)
class Part:
    """A worker or scheduler, as its last sign of life told."""

    kind: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    cpu_percent: float | None
    memory_mb: float | None
    child_peak_mb: float | None

    @property
    def silent(self) -> bool:
        return now() - self.seen_at > SILENT


@dataclass(frozen=True, slots=True)
class Jobs:
    """What Redis holds. `away` says that it did not answer."""

    away: bool
    urgent: int = 0
    bulk: int = 0
    places: Mapping[UUID, int] | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    waiting: Sequence[Waiting]
    asked: Sequence[Asked]
    outbox: int
    outbox_oldest: datetime | None
    parts: Sequence[Part]
    jobs: Jobs

    @property
    def workers(self) -> int:
        return sum(1 for part in self.parts if part.kind == "worker" and not part.silent)

    @property
    def oldest(self) -> datetime | None:
        """When the run was asked for that waits longest for a worker."""
        return min(
            (one.line.created_at for one in self.waiting if one.line.state == "queued"),
            default=None,
        )

    @property
    def last_reached(self) -> datetime | None:
        """When a worker last reached the queue: its sign of life follows an answer of Redis."""
        return max((part.seen_at for part in self.parts if part.kind == "worker"), default=None)


def queue() -> Queue:
    """Return what waits now; while Redis is away everything else still holds."""
    found = jobs()
    places = found.places or {}
    workers = [_part(row) for row in rows(PROCESSES)]
    outbox = only(OUTBOX)
    return Queue(
        waiting=[_waiting(run_line(row), places, away=found.away) for row in rows(WAITING)],
        asked=[
            Asked(row["name"], row["amount"], row["oldest"], row["stance"]) for row in rows(ASKED)
        ],
        outbox=outbox["amount"],
        outbox_oldest=outbox["oldest"],
        parts=workers,
        jobs=found,
    )


def jobs() -> Jobs:
    """Ask Redis what it holds."""
    try:
        urgent, bulk = dispatch.queue(dispatch.NOW), dispatch.queue(dispatch.BULK)
        ids = [*urgent.get_job_ids(0, LOOKED_AT), *bulk.get_job_ids(0, LOOKED_AT)]
        return Jobs(away=False, urgent=urgent.count, bulk=bulk.count, places=_places(ids))
    except redis.RedisError:
        return Jobs(away=True)


def _places(ids: Sequence[str]) -> dict[UUID, int]:
    """Workers take the urgent queue first, so places are counted through both."""
    places: dict[UUID, int] = {}
    for place, job_id in enumerate(ids, 1):
        prefix, _, rest = job_id.partition("sync-run-")
        if prefix or not rest:
            continue
        try:
            places.setdefault(UUID(rest.rpartition("-")[0]), place)
        except ValueError:
            continue
    return places


def _waiting(line: RunLine, places: Mapping[UUID, int], *, away: bool) -> Waiting:
    return Waiting(line, places.get(line.id), _reason(line, away=away))


def _reason(line: RunLine, *, away: bool) -> str:
    if line.state == "waiting":
        return line.reason or "It waits for the CRM."
    if away:
        return "It waits for the queue to answer."
    return "It goes on when a worker is free." if line.started_at else "It waits for a worker."


def _part(row: Row) -> Part:
    info: Mapping[str, Any] = row["info"] or {}
    return Part(
        row["kind"],
        row["host"],
        row["pid"],
        row["started_at"],
        row["seen_at"],
        _number(info.get("cpu_percent")),
        _number(info.get("memory_mb")),
        _number(info.get("child_peak_mb")),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
