"""Schedules as pages show them: in words, with when they run next and how the last times went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.clock import now
from crm_admin.errors import NotFound
from crm_admin.services.queries.sql import Row, first, rows
from crm_admin.services.recurring import JOBS
from crm_admin.sync import recurrence
from crm_admin.sync.recurrence import Occurrence, Recurrence
from crm_admin.sync.recurrence_words import describe

STRIP = 10

LIST = """
SELECT h.*, c.name AS connection, c.stance, c.settings -> 'quiet_hours' AS connection_quiet,
       u.name AS owner
  FROM schedule h
  LEFT JOIN connection c ON c.id = h.connection_id
  LEFT JOIN app_user u ON u.id = h.owner_id
"""

ORDER = (
    " ORDER BY c.priority NULLS LAST, c.name, h.params ? 'custom', h.every_seconds, h.name, h.id"
)

RUNS = "SELECT id, state FROM sync_run WHERE id = ANY(:ids)"

BEATS = """
SELECT max(seen_at) AS seen_at, max(seen_at) > now() - interval '60 seconds' AS alive
  FROM process WHERE kind = 'scheduler'
"""

TONES: Mapping[str, tuple[str, str]] = {
    "started": ("Started", "accent"),
    "planned": ("Made a plan", "accent"),
    "done": ("Done", "ok"),
    "skipped": ("Skipped", "neutral"),
    "quiet": ("Put off by quiet hours", "neutral"),
    "missed": ("Left out", "warn"),
    "failed": ("Failed", "bad"),
}

RUN_TONES: Mapping[str, tuple[str, str]] = {
    "succeeded": ("Done", "ok"),
    "partial": ("Done with errors", "warn"),
    "failed": ("Failed", "bad"),
    "cancelled": ("Stopped", "neutral"),
    "planned": ("Made a plan", "accent"),
    "queued": ("Queued", "neutral"),
    "running": ("Running", "accent"),
    "waiting": ("Waiting", "warn"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One of the last outcomes: what came of it, in a word and a tone."""

    at: datetime | None
    word: str
    tone: str
    say: str
    run_id: UUID | None


@dataclass(frozen=True, slots=True)
class Line:
    """A schedule. `next_at` counts pauses and quiet hours in; it is None while it is off."""

    id: UUID
    name: str
    job: str
    job_label: str
    is_sync: bool
    connection_id: UUID | None
    connection: str
    stance: str
    words: str
    when: Recurrence
    next_at: datetime | None
    put_off: bool
    enabled: bool
    paused_until: datetime | None
    asked: bool
    owner_id: UUID | None
    owner: str
    overlap: str
    catch_up: str
    staged: bool
    quiet: Mapping[str, Any]
    late_minutes: int | None
    is_late: bool
    is_custom: bool
    marks: Sequence[Mark]
    last_at: datetime | None
    version: int

    @property
    def rests(self) -> bool:
        """Why nothing happens although it is on: its connection does not write."""
        return self.is_sync and self.stance != "active"


@dataclass(frozen=True, slots=True)
class Page:
    """All schedules, and whether anybody looks at them."""

    lines: Sequence[Line]
    scheduler_seen_at: datetime | None
    scheduler_alive: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What a recurrence means, or the sentence that says what is wrong with it."""

    words: str
    times: Sequence[Occurrence]
    zone: str
    error: str = ""


def page() -> Page:
    """Return every schedule of the organisation, grouped by connection."""
    beats = first(BEATS)
    return Page(
        lines=_lines(rows(LIST + ORDER)),
        scheduler_seen_at=beats["seen_at"] if beats else None,
        scheduler_alive=bool(beats and beats["alive"]),
    )


def one(schedule_id: UUID) -> Line:
    """Return one schedule; unknown and foreign ids are not found."""
    found = rows(LIST + " WHERE h.id = :id", id=schedule_id)
    if not found:
        raise NotFound("This schedule is not there.")
    return _lines(found)[0]


def _lines(found: Sequence[Row]) -> list[Line]:
    wanted = [str(entry["run"]) for row in found for entry in _entries(row) if entry.get("run")]
    states = (
        {str(row["id"]): row["state"] for row in rows(RUNS, ids=[UUID(one_) for one_ in wanted])}
        if wanted
        else {}
    )
    return [_line(row, states) for row in found]


def _entries(row: Row) -> list[dict[str, Any]]:
    return [entry for entry in row["outcomes"] or () if isinstance(entry, dict)][:STRIP]


def _line(row: Row, states: Mapping[str, str]) -> Line:
    when = Recurrence(row["every_seconds"], row["cron"], row["zone"])
    job = JOBS.get(row["job"])
    is_sync = bool(job and job.is_sync)
    following = _next(row, is_sync)
    return Line(
        id=row["id"],
        name=row["name"],
        job=row["job"],
        job_label=job.name if job else row["job"],
        is_sync=is_sync,
        connection_id=row["connection_id"],
        connection=row["connection"] or "",
        stance=row["stance"] or "",
        words=describe(when),
        when=when,
        next_at=following,
        put_off=following is not None and following != row["next_at"],
        enabled=row["enabled"],
        paused_until=_ahead(row["paused_until"]),
        asked=row["asked_at"] is not None,
        owner_id=row["owner_id"],
        owner=row["owner"] or "",
        overlap=row["overlap"],
        catch_up=row["catch_up"],
        staged=row["staged"],
        quiet=row["quiet"] or {},
        late_minutes=row["late_minutes"],
        is_late=_is_late(row),
        is_custom=bool((row["params"] or {}).get("custom")),
        marks=[_mark(entry, states) for entry in reversed(_entries(row))],
        last_at=row["last_at"],
        version=row["version"],
    )


def _ahead(moment: datetime | None) -> datetime | None:
    return moment if moment is not None and moment > now() else None


def _next(row: Row, is_sync: bool) -> datetime | None:  # noqa: FBT001 - a fact of the job
    """When it runs next, as the loop will see it."""
    if not row["enabled"] or row["next_at"] is None:
        return None
    moment: datetime = max(row["next_at"], _ahead(row["paused_until"]) or row["next_at"])
    ends = [recurrence.quiet_until(recurrence.quiet_of(row["quiet"], row["zone"]), moment)]
    if is_sync:
        ends.append(recurrence.quiet_until(recurrence.quiet_of(row["connection_quiet"]), moment))
    return max((end for end in ends if end is not None), default=moment)


def _is_late(row: Row) -> bool:
    if not row["enabled"] or row["late_minutes"] is None or _ahead(row["paused_until"]):
        return False
    late = row["late_minutes"] * 60
    due: datetime | None = row["next_at"]
    if due is not None and (now() - due).total_seconds() > late:
        return True
    claimed, done = row["last_at"], row["done_at"]
    is_open = claimed is not None and (done is None or done < claimed)
    return bool(is_open and (now() - claimed).total_seconds() > late)


def _mark(entry: Mapping[str, Any], states: Mapping[str, str]) -> Mark:
    run = str(entry.get("run") or "")
    word, tone = TONES.get(str(entry.get("word")), ("Unknown", "neutral"))
    if run in states:
        word, tone = RUN_TONES.get(states[run], (word, tone))
    return Mark(
        at=_moment(entry.get("at")),
        word=word,
        tone=tone,
        say=str(entry.get("say") or ""),
        run_id=UUID(run) if run in states else None,
    )


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def preview(when: Recurrence) -> Preview:
    """Return what a recurrence means and when it would happen next."""
    try:
        checked = recurrence.check(when)
    except recurrence.BadRecurrence as error:
        return Preview("", (), when.zone, str(error))
    return Preview(describe(checked), recurrence.coming(checked, now()), when.zone)
