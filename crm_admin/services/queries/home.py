"""Home: one sentence of truth, the connections, what runs, what happened, the system's health."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from crm_admin import __version__
from crm_admin.clock import now
from crm_admin.packs.registry import kinds
from crm_admin.services.access import Person
from crm_admin.services.queries import brief
from crm_admin.services.queries.calls_left import CallsLeft, calls_left
from crm_admin.services.queries.connections import Card, cards
from crm_admin.services.queries.runs import RunLine, live_runs, newest_runs
from crm_admin.services.queries.sql import Row, first, rows

DAYS = 14
CHECKLIST = "home.checklist"

STEPS = """
SELECT (SELECT count(*) FROM connection) AS connections,
       (SELECT count(*) FROM connection WHERE jsonb_array_length(coalesce(checks -> 'lines',
         '[]'::jsonb)) > 0
           AND health = 'ok') AS checked,
       (SELECT count(*) FROM stream WHERE enabled) AS streams,
       EXISTS (SELECT 1 FROM sync_run WHERE connection_id IS NOT NULL) AS ran,
       EXISTS (SELECT 1 FROM sync_run WHERE approved_at IS NOT NULL) AS applied,
       EXISTS (SELECT 1 FROM conflict WHERE state = 'resolved') AS settled,
       EXISTS (SELECT 1 FROM sync_run WHERE undo_of IS NOT NULL) AS undone,
       (SELECT count(*) FROM record
         WHERE kind = 'pov' AND deleted_at IS NULL AND merged_into IS NULL) AS povs,
       (SELECT count(*) FROM conflict WHERE state = 'open') AS conflicts,
       EXISTS (SELECT 1 FROM preference WHERE user_id = :me AND name = :checklist
                  AND value = '"hidden"') AS hidden,
       (SELECT demo FROM organization WHERE id = :organization) AS demo
"""

AGREED = """
SELECT c.id, (SELECT r.finished_at FROM sync_run r
               WHERE r.connection_id = c.id AND r.state = 'succeeded'
                 AND r.mode IN ('full', 'delta')
               ORDER BY r.created_at DESC LIMIT 1) AS at
  FROM connection c WHERE c.stance = 'active'
"""

PULSE = f"""
SELECT r.connection_id, CAST(extract(epoch FROM now() - r.created_at) AS bigint) / 86400 AS age,
       sum({
    " + ".join(
        f"coalesce(CAST(r.counts ->> '{side}_{word}' AS bigint), 0)"
        for side in ("ours", "theirs")
        for word in ("created", "updated", "deleted")
    )
}) AS written,
       sum(coalesce(CAST(r.counts ->> 'read' AS bigint), 0)) AS read
  FROM sync_run r
 WHERE r.connection_id IS NOT NULL AND r.created_at > now() - make_interval(days => :days)
   AND r.state IN ('succeeded', 'partial', 'failed', 'cancelled')
 GROUP BY 1, 2
"""  # noqa: S608 - only our own names are pasted in

MAPPED = """
SELECT s.id, s.kind, s.remote_object, c.name AS connection,
       array_agg(f.ours) FILTER (WHERE f.ours IS NOT NULL) AS ours
  FROM stream s
  JOIN connection c ON c.id = s.connection_id
  LEFT JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version
  LEFT JOIN field_rule f ON f.mapping_version_id = m.id
 WHERE s.enabled
 GROUP BY s.id, s.kind, s.remote_object, s.position, c.name, c.priority
 ORDER BY c.priority, c.name, s.position
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
class Day:
    """What was written and read within one day."""

    day: date
    written: int
    read: int


@dataclass(frozen=True, slots=True)
class Tile:
    """A connection's card with its last two weeks and what is left of today's calls."""

    card: Card
    days: Sequence[Day]
    calls: CallsLeft | None

    @property
    def reads_only(self) -> bool:
        return not any(day.written for day in self.days)


@dataclass(frozen=True, slots=True)
class Mapped:
    """How complete the mapping of one stream is."""

    stream_id: UUID
    connection: str
    object: str
    kind_label: str
    required: int
    required_of: int
    optional: int
    optional_of: int


@dataclass(frozen=True, slots=True)
class Home:
    """What the page shows. `synced_at` is the time as of which every active connection was known to
    agree; None while one of them has not got that far.
    """

    tiles: Sequence[Tile]
    running: Sequence[RunLine]
    activity: Sequence[RunLine]
    health: Health
    steps: Sequence[Step]
    mapped: Sequence[Mapped]
    povs: int
    conflicts: int
    synced_at: datetime | None
    hides_steps: bool
    is_demo: bool

    @property
    def connections(self) -> Sequence[Card]:
        return [tile.card for tile in self.tiles]

    @property
    def is_new(self) -> bool:
        """Nothing has been connected yet, so the checklist stands in place of figures."""
        return not self.tiles

    @property
    def steps_done(self) -> int:
        return sum(1 for step in self.steps if step.done)

    @property
    def active(self) -> Sequence[Card]:
        return [card for card in self.connections if card.status == "active"]

    @property
    def waiting(self) -> int:
        """Changes that are saved and not sent yet."""
        return sum(card.waiting for card in self.connections)

    @property
    def can_clash(self) -> bool:
        """Whether a demo conflict can be made: simulators only."""
        return self.is_demo and any(card.environment == "simulator" for card in self.active)


def home(person: Person) -> Home:
    """Return what Home shows to people who see the whole organisation."""
    state = brief.only(
        STEPS,
        me=person.user_id,
        checklist=CHECKLIST,
        organization=person.organization_id,
    )
    return Home(
        tiles=_tiles(),
        running=live_runs(),
        activity=newest_runs(10),
        health=health(),
        steps=_steps(state),
        mapped=_mapped(),
        povs=state["povs"],
        conflicts=state["conflicts"],
        synced_at=_synced_at(),
        hides_steps=bool(state["hidden"]),
        is_demo=bool(state["demo"]),
    )


def _synced_at() -> datetime | None:
    """The oldest of the times at which an active connection last came to agree in full."""
    times = [row["at"] for row in brief.rows(AGREED)]
    known = [at for at in times if at is not None]
    return min(known) if known and len(known) == len(times) else None


def _tiles() -> tuple[Tile, ...]:
    pulse: dict[UUID, dict[int, Row]] = {}
    for row in brief.rows(PULSE, days=DAYS):
        pulse.setdefault(row["connection_id"], {})[row["age"]] = row
    today = now().date()
    return tuple(
        Tile(
            card,
            [_day(today, age, pulse.get(card.id, {}).get(age)) for age in reversed(range(DAYS))],
            calls_left(card.id),
        )
        for card in cards()
    )


def _day(today: date, age: int, row: Row | None) -> Day:
    day = today - timedelta(days=age)
    return Day(day, int(row["written"]) if row else 0, int(row["read"]) if row else 0)


def _mapped() -> tuple[Mapped, ...]:
    found = []
    for row in rows(MAPPED):
        kind = kinds().get(row["kind"])
        if kind is None:
            continue
        ours = set(row["ours"] or ())
        required = [field.name for field in kind.fields if field.required]
        optional = [field.name for field in kind.fields if not field.required]
        found.append(
            Mapped(
                row["id"],
                row["connection"],
                row["remote_object"],
                kind.plural,
                len(ours.intersection(required)),
                len(required),
                len(ours.intersection(optional)),
                len(optional),
            )
        )
    return tuple(found)


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
            found["ran"],
            "Plan a sync",
            "sync.now",
        ),
        Step(
            "Apply the plan",
            "Watch it run. Undo stays one click away.",
            found["applied"],
            "Open plans",
            "sync.history",
        ),
        Step(
            "Settle a conflict",
            "When both sides changed one field, you choose.",
            found["settled"],
            "Open conflicts",
            "conflicts.index",
        ),
        Step(
            "Undo a run",
            "It is a plan too: see what goes back before it does.",
            found["undone"],
            "Open history",
            "sync.history",
        ),
    )
