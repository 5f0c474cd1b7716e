"""What happened to a run, in order: who asked for what, what it waited for, how it ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.services.queries.runs import RunLine
from crm_admin.services.queries.sql import Row, rows

EVENTS = """
SELECT at, actor_name, action, after FROM audit_event
 WHERE object_type = 'sync_run' AND object_id = :run ORDER BY at LIMIT 200
"""

RELATED = """
SELECT id, mode, state, created_at, by_name, plan_of, undo_of FROM sync_run
 WHERE plan_of = CAST(:run AS uuid) OR undo_of = CAST(:run AS uuid) ORDER BY created_at LIMIT 50
"""

TROUBLE = """
SELECT at, method, path, status, error FROM api_call
 WHERE run_id = CAST(:run AS uuid) AND coalesce(status, 0) NOT BETWEEN 200 AND 299
 ORDER BY at LIMIT 100
"""

WORDS: Mapping[str, str] = {
    "run.stop": "{who} asked it to stop.",
    "run.pause": "{who} paused it.",
    "run.resume": "{who} let it go on.",
    "run.to_front": "{who} put it first in the queue.",
    "run.remove": "{who} took it out of the queue.",
    "run.undo": "{who} asked to undo it.",
    "error.retry": "{who} asked to try {records} failed records again.",
    "plan.approve": "{who} applied the plan.",
    "plan.release": "{who} released what the guard had held back.",
    "plan.discard": "{who} discarded the plan.",
    "plan.leave_out": "{who} left {operations} changes out.",
    "plan.take_in": "{who} took {operations} changes in again.",
    "plan.decide": "{who} chose whose value counts for a field.",
}

ENDS: Mapping[str, str] = {
    "succeeded": "It was done.",
    "partial": "It was done with errors.",
    "failed": "It failed.",
    "cancelled": "It was stopped.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; `mark` is its sign, `run` another run it tells of."""

    at: datetime
    sentence: str
    mark: str = "run"
    run: UUID | None = None


def log(line: RunLine) -> list[Entry]:
    """Return what is known of the run's course, oldest first."""
    entries = [*_own(line)]
    entries += [_event(row) for row in rows(EVENTS, run=str(line.id))]
    entries += [_related(row) for row in rows(RELATED, run=line.id)]
    entries += [_trouble(row) for row in rows(TROUBLE, run=line.id)]
    return sorted(entries, key=lambda entry: entry.at)


def _own(line: RunLine) -> Iterator[Entry]:
    yield Entry(line.created_at, f"{line.started_by or 'CRM Admin'} asked for it.", "person")
    if line.started_at:
        yield Entry(line.started_at, "A worker took it up.")
    if line.finished_at and line.state in ENDS:
        end = ENDS[line.state]
        yield Entry(
            line.finished_at,
            f"{end} {line.reason}".strip() if line.reason else end,
            {"succeeded": "done", "cancelled": "stopped"}.get(line.state, "failed"),
        )


def _event(row: Row) -> Entry:
    values: Mapping[str, Any] = row["after"] or {}
    who = row["actor_name"] or "CRM Admin"
    sentence = WORDS.get(row["action"], "{who}: " + row["action"].replace("{", ""))
    filled = sentence.replace("{who}", who)
    for name in ("records", "operations"):
        filled = filled.replace("{" + name + "}", str(values.get(name, "")))
    return Entry(row["at"], filled, "person")


def _related(row: Row) -> Entry:
    if row["plan_of"] is not None:
        return Entry(row["created_at"], "The guard held changes back in a plan.", "plan", row["id"])
    return Entry(
        row["created_at"], f"{row['by_name'] or 'CRM Admin'} began to undo it.", "undo", row["id"]
    )


def _trouble(row: Row) -> Entry:
    what = f"{row['method']} {row['path'].partition('?')[0]}"
    said = row["error"] or f"answered {row['status'] or 'nothing'}"
    return Entry(row["at"], f"{what}: {said}", "error")
