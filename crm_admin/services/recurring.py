"""The recurring work there is, declared as one list, and how each of it is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from crm_admin.errors import BadInput, CrmAdminError
from crm_admin.services import (
    connections_health,
    connections_removal,
    housekeeping,
    oauth_tokens,
    sync_runs,
)
from crm_admin.services.engine.requests import LIVE
from crm_admin.services.sql import Row, transaction
from crm_admin.services.sync_runs import Started

SCHEDULER: Final = Started("Schedule", trigger="schedule")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a tick ended: a word of the closed list below, a sentence where there is one to say, and
    its run.
    """

    word: str
    say: str = ""
    run_id: UUID | None = None


OUTCOMES: Final = ("started", "planned", "done", "skipped", "quiet", "missed", "failed")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A job that every connection, or every organisation, has from the start.

    `is_sync` jobs write records, so quiet hours and an observing stance hold them back.
    """

    job: str
    name: str
    seconds: int
    of_connection: bool
    do: Callable[[Row], Outcome]
    is_sync: bool = False
    optional: bool = False


def _sync(row: Row, mode: str) -> Outcome:
    if row["stance"] != "active":
        return Outcome("skipped", f"{row['connection']} is not active.")
    if row["overlap"] == "skip" and _is_live(row["connection_id"]):
        return Outcome("skipped", "The sync before it was still running.")
    reference = sync_runs.start(
        person=SCHEDULER,
        connection_id=row["connection_id"],
        mode=mode,
        staged=row["staged"],
    )
    return Outcome("planned" if row["staged"] else "started", run_id=reference.id)


def _is_live(connection_id: UUID) -> bool:
    with transaction() as cursor:
        return cursor.execute(LIVE, (connection_id,)).fetchone() is not None


def _delta(row: Row) -> Outcome:
    return _sync(row, "delta")


def _full(row: Row) -> Outcome:
    return _sync(row, "full")


def _health(row: Row) -> Outcome:
    if row["stance"] == "paused":
        return Outcome("skipped", f"{row['connection']} is paused.")
    word = connections_health.check(row["connection_id"])
    if word == "ok":
        return Outcome("done")
    if word == "busy":
        return Outcome("skipped", "The CRM asked to wait.")
    if word == "disconnected":
        return Outcome("skipped", f"{row['connection']} is disconnected.")
    return Outcome("failed", f"{row['connection']} needs attention.")


def _renew(row: Row) -> Outcome:
    # A deletion that a crash cut short is finished here: no other schedule looks at paused ones.
    connections_removal.go_on(row["connection_id"])
    word = oauth_tokens.renew_due(row["connection_id"])
    return Outcome(word) if word in OUTCOMES else Outcome("failed", word)


def _conflicts(_: Row) -> Outcome:
    amount = housekeeping.look_at_conflicts()
    return Outcome("done", f"{amount} looked at again." if amount else "")


def _retry(_: Row) -> Outcome:
    amount = housekeeping.retry_failed()
    return Outcome("done", f"{amount} tried again." if amount else "")


def _clean_up(_: Row) -> Outcome:
    housekeeping.clean_up()
    return Outcome("done")


BUILT_IN: Final[tuple[BuiltIn, ...]] = (
    BuiltIn("delta-sync", "Delta sync", 15 * 60, of_connection=True, do=_delta, is_sync=True),
    BuiltIn("health-check", "Health check", 5 * 60, of_connection=True, do=_health),
    BuiltIn("token-refresh", "Sign-in renewal", 10 * 60, of_connection=True, do=_renew),
    BuiltIn("detect-conflicts", "Conflict check", 3600, of_connection=False, do=_conflicts),
    BuiltIn("retry-failed", "Retry failed", 3600, of_connection=False, do=_retry),
    BuiltIn("cleanup", "Clean-up", 86_400, of_connection=False, do=_clean_up),
    BuiltIn(
        "full-sync",
        "Full sync",
        7 * 86_400,
        of_connection=True,
        do=_full,
        is_sync=True,
        optional=True,
    ),
)
"""Optional ones are offered, not made. A job is done by any worker, and may be done twice."""

JOBS: Final[Mapping[str, BuiltIn]] = {one.job: one for one in BUILT_IN}


def do(row: Row) -> Outcome:
    """Do the job of a schedule's row once; what goes wrong becomes its outcome."""
    job = JOBS.get(row["job"])
    if job is None:
        return Outcome("failed", "This version knows no such job. Remove the schedule.")
    if job.of_connection and row["connection_id"] is None:
        return Outcome("failed", "It names no connection.")
    try:
        return job.do(row)
    except BadInput as error:
        return Outcome("skipped", error.sentence)
    except CrmAdminError as error:
        return Outcome("failed", error.sentence)
