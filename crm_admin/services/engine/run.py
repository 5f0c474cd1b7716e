"""Drives a run: claims it, takes its steps until the time is up, and ends or hands it on."""

import logging
from collections import Counter
from uuid import UUID

from psycopg.errors import DeadlockDetected

from crm_admin import clock, tenancy
from crm_admin.crashpoints import crashpoint
from crm_admin.errors import (
    CrmAdminError,
    LeaseLost,
    NeedsAttention,
    ProviderBroken,
    RetryLater,
    Stale,
)
from crm_admin.services.engine import ending, steps
from crm_admin.services.engine.opening import opened
from crm_admin.services.engine.unit import Lease, claim, hold
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import transaction

logger = logging.getLogger(__name__)

SLICE_SECONDS = 20.0
MAX_STALLED = 5
CONCURRENT_TRIES = 5


def execute(
    organization_id: UUID, run_id: UUID, *, seconds: float | None = SLICE_SECONDS
) -> str | None:
    """Work on a run under its lease for about `seconds` (None: until it ends or waits) and return
    its state.

    None means that the run was not to be had: somebody else works on it, it is over, or it is
    another
    organisation's. A run that is not finished goes back to queued and is enqueued again by the
    caller.
    """
    with tenancy.acting_for(organization_id):
        lease = claim(run_id)
        if lease is None:
            return None
        try:
            state = _work(lease, seconds)
            return "waiting" if state in {"queued", "waiting"} and hold(run_id) else state
        except LeaseLost:
            logger.warning("run %s: lease lost at epoch %s", run_id, lease.epoch)
            return None


def _work(lease: Lease, seconds: float | None) -> str:
    if _stalled(lease) > MAX_STALLED:
        return ending.fail(
            lease, "stalled", "Five workers in a row made no progress with this run."
        )
    try:
        work = opened(lease)
    except RetryLater as error:
        return ending.pause(lease, error.after_seconds, error.sentence)
    except ProviderBroken as error:
        return ending.pause(
            lease, min(ending.BACKOFF_CAP_SECONDS, 2.0 ** _stalled(lease)), error.sentence
        )
    except CrmAdminError as error:
        return ending.fail(lease, "cannot_open", error.sentence)
    until = None if seconds is None else clock.monotonic() + seconds
    try:
        return _steps(work, until)
    except RetryLater as error:
        return ending.wait(work, error.after_seconds, error.sentence)
    except NeedsAttention as error:
        return ending.needs_attention(work, error)
    except ProviderBroken as error:
        return ending.broken(work, error)
    finally:
        work.ahead.close()
        work.calls.flush()


def _steps(work: Work, until: float | None) -> str:
    steps.begin(work)
    tries = 0
    while True:
        asked = ending.asked(work)
        if asked:
            return ending.stop(work) if asked == "stop" else ending.hand_on(work)
        try:
            state = steps.take(work)
            tries = 0
        except (Stale, DeadlockDetected):
            tries += 1
            if tries >= CONCURRENT_TRIES:
                raise
            work.counts = Counter()
            continue
        work.calls.flush()
        if state is not None:
            return state
        if until is not None and clock.monotonic() >= until:
            return ending.hand_on(work)


def _stalled(lease: Lease) -> int:
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT stalled FROM sync_run WHERE id = %s", (lease.run_id,)
        ).fetchone()
    crashpoint("run.opened")
    return int(row["stalled"]) if row else 0
