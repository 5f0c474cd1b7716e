"""Makes an hour pass in a second: the same code with small pages, short waits and a short past."""

from dataclasses import replace
from datetime import timedelta

from crm_admin.outward import breaker, wire
from crm_admin.providers.hubspot import batching, calls, client, reading, refusals, searching
from crm_admin.services import oauth_tokens
from crm_admin.services.engine import apply, ending, outcomes, passes, undoing
from crm_admin.sync import merge, watermark

DEADLINES = (0.35, 0.25, 0.35)
PAGE = 5
INDEX_LAG = 0.2
OVERLAP = 0.5
MOMENT = 0.2
CLAIM_SECONDS = 1.0


def hurry() -> None:
    """Set the constants of this process; the decisions they steer stay as they are."""
    calls.BACK_OFF_SECONDS = 0.02
    calls.UNREACHABLE_SECONDS = batching.NOT_SENT_SECONDS = MOMENT
    refusals.LOCKED_SECONDS = refusals.MIGRATING_SECONDS = MOMENT
    wire.Deadlines.__init__.__defaults__ = DEADLINES
    *others, _ = breaker.Breaker.__init__.__defaults__
    breaker.Breaker.__init__.__defaults__ = (*others, MOMENT)
    breaker.LONGEST_REST_SECONDS = breaker.PROBE_SECONDS = 2 * MOMENT
    ending.BACKOFF_CAP_SECONDS = MOMENT
    outcomes.RETRY_FAILED_SECONDS = MOMENT
    reading.LIST_PAGE = searching.SEARCH_PAGE = reading.SEARCH_PAGE = PAGE
    passes.SLICE = passes.OUTBOX_SLICE = PAGE
    apply.APPLY_SLICE = undoing.UNDO_SLICE = PAGE
    oauth_tokens.CLAIM = oauth_tokens.CLAIM.replace("'60 seconds'", f"'{CLAIM_SECONDS} seconds'")
    oauth_tokens.PAUSE_SECONDS = oauth_tokens.POLL_SECONDS = 0.05
    oauth_tokens.WAIT_SECONDS = 2 * CLAIM_SECONDS
    watermark.LEAST_OVERLAP = timedelta(seconds=OVERLAP)
    client.HubSpot.spec = replace(
        client.HubSpot.spec, batch_write=4, index_lag_seconds=INDEX_LAG, overlap_seconds=OVERLAP
    )


def tell_apart(seconds: float) -> None:
    """Let edits of both sides be told apart by their times down to so many seconds."""
    merge.MARGIN = timedelta(seconds=seconds)
