"""Home: one sentence of truth, the work list, the connections, what runs, what happened, and the
system's health."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_admin import __version__
from crm_admin.services.queries.connections import Card, cards
from crm_admin.services.queries.runs import RunLine, live_runs, newest_runs
from crm_admin.services.queries.sql import Row, first, only, rows

STEPS = """
SELECT (SELECT count(*) FROM connection) AS connections,
       (SELECT count(*) FROM connection WHERE jsonb_array_length(coalesce(checks -> 'lines',
         '[]'::jsonb)) > 0
           AND health = 'ok') AS checked,
       (SELECT count(*) FROM stream WHERE enabled) AS streams,
       (SELECT count(*) FROM sync_run WHERE connection_id IS NOT NULL) AS runs,
       (SELECT count(*) FROM sync_run WHERE approved_at IS NOT NULL) AS applied,
       (SELECT count(*) FROM conflict WHERE state = 'resolved') AS settled,
       (SELECT count(*) FROM sync_run WHERE undo_of IS NOT NULL) AS undone,
       (SELECT count(*) FROM record WHERE kind = 'pov' AND deleted_at IS NULL) AS povs,
       (SELECT max(finished_at) FROM sync_run WHERE state IN ('succeeded', 'partial')) AS synced_at
"""

PROCESSES = """
SELECT kind, count(*) FILTER (WHERE seen_at > now() - interval '60 seconds') AS alive,
  max(seen_at) AS seen_at
  FROM process GROUP BY kind
"""

QUEUE = """
SELECT count(*) AS waiting, min(created_at) AS oldest FROM sync_run WHERE state = 'queued'
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the getting-started list; it is done when its state is reached, however that
    came."""

    title: str
    text: str
    done: bool
    action: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Health:
    workers: int
    worker_seen_at: datetime | None
    scheduler_seen_at: datetime | None
    scheduler: int
    queued: int
    oldest: datetime | None
    version: str

    @property
    def stuck(self) -> bool:
        """Work waits and nobody takes it."""
        return self.workers == 0 and self.queued > 0

    @property
    def good(self) -> bool:
        return self.workers > 0 and self.scheduler > 0


@dataclass(frozen=True, slots=True)
class Home:
    connections: Sequence[Card]
    running: Sequence[RunLine]
    activity: Sequence[RunLine]
    health: Health
    steps: Sequence[Step]
    povs: int
    synced_at: datetime | None

    @property
    def is_new(self) -> bool:
        """Nothing has been applied yet, so the checklist stands in place of figures."""
        return not self.connections

    @property
    def steps_done(self) -> int:
        return sum(1 for step in self.steps if step.done)


def home() -> Home:
    """Return what Home shows to people who see the whole organisation."""
    state = only(STEPS)
    return Home(
        connections=cards(),
        running=live_runs(),
        activity=newest_runs(10),
        health=health(),
        steps=_steps(state),
        povs=state["povs"],
        synced_at=state["synced_at"],
    )


def health() -> Health:
    """Return whether work is taken: workers, scheduler, and what waits in the queue."""
    by_kind = {row["kind"]: row for row in rows(PROCESSES)}
    queue = first(QUEUE)
    worker, scheduler = by_kind.get("worker"), by_kind.get("scheduler")
    return Health(
        workers=worker["alive"] if worker else 0,
        worker_seen_at=worker["seen_at"] if worker else None,
        scheduler_seen_at=scheduler["seen_at"] if scheduler else None,
        scheduler=scheduler["alive"] if scheduler else 0,
        queued=queue["waiting"] if queue else 0,
        oldest=queue["oldest"] if queue else None,
        version=__version__,
    )


def _steps(found: Row) -> tuple[Step, ...]:
    return (
        Step("Start and sign in", "You are in.", done=True, action="", endpoint=""),
        Step(
            "Connect a CRM",
            "It starts in Observe mode: it reads on request and writes nothing.",
            found["connections"] > 0,
            "Add a connection",
            "settings.new",
        ),
        Step(
            "Let the check list pass",
            "Address, key, account, rights, fields.",
            found["checked"] > 0,
            "Open connections",
            "settings.connections",
        ),
        Step(
            "Choose what to sync",
            "Contacts, companies, deals or POVs; a default mapping comes with each.",
            found["streams"] > 0,
            "Open connections",
            "settings.connections",
        ),
        Step(
            "Look at a plan",
            "See every change before it is written, and why.",
            found["runs"] > 0,
            "Plan a sync",
            "sync.now",
        ),
        Step(
            "Apply the plan",
            "Watch it run. Undo stays one click away.",
            found["applied"] > 0,
            "Open plans",
            "sync.history",
        ),
        Step(
            "Settle a conflict",
            "When both sides changed one field, you choose.",
            found["settled"] > 0,
            "Open conflicts",
            "conflicts.index",
        ),
        Step(
            "Undo a run",
            "It is a plan too: see what goes back before it does.",
            found["undone"] > 0,
            "Open history",
            "sync.history",
        ),
    )
