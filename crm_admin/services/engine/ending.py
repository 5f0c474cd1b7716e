"""How a step of a run ends: handed on, waiting, planned, done, stopped or failed, each with its
reason in words.
"""

from datetime import datetime

from crm_admin.crashpoints import crashpoint
from crm_admin.errors import NeedsAttention, ProviderBroken
from crm_admin.services import attention
from crm_admin.services.attention import Item
from crm_admin.services.engine import undecided
from crm_admin.services.engine.guarding import too_much
from crm_admin.services.engine.operations import plan_hash
from crm_admin.services.engine.requests import queue_wanted
from crm_admin.services.engine.streams import RemoteObject
from crm_admin.services.engine.unit import Lease, unit
from crm_admin.services.engine.unstamped import note_look
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, transaction

EMPTY_READ_LIMIT = 20
BACKOFF_CAP_SECONDS = 300


def asked(work: Work) -> str:
    """Return what a person asked of the run meanwhile: "stop", "pause" or nothing."""
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT cancel_asked, pause_by FROM sync_run WHERE id = %s", (work.run_id,)
        ).fetchone()
    if row and row["cancel_asked"]:
        return "stop"
    return "pause" if row and row["pause_by"] else ""


def hand_on(work: Work) -> str:
    """Give the lease back so that another job goes on; other connections get their turn."""
    with unit(work.lease) as cursor:
        work.save(cursor, state="queued", lease_until=None)
    return "queued"


def wait(work: Work, seconds: float, sentence: str) -> str:
    """End the step until the CRM can be asked again; this is not a failed attempt."""
    with unit(work.lease) as cursor:
        work.save(cursor, state="waiting", lease_until=None, reason=sentence, reason_code="waiting")
        cursor.execute(
            "UPDATE sync_run SET wake_at = now() + make_interval(secs => %s) WHERE id = %s",
            (max(0.1, seconds), work.run_id),
        )
    return "waiting"


def stop(work: Work) -> str:
    """A person stopped the run: what was written stays, what was only planned is left out."""
    with unit(work.lease) as cursor:
        cursor.execute(
            "UPDATE operation SET state = 'skipped', done_at = now(), reason_code = 'stopped',"
            " reason = 'The run was stopped before this was written.'"
            " WHERE run_id = %s AND run_at = %s AND state = 'planned'",
            (work.run_id, work.run_at),
        )
        _close(cursor, work, "cancelled", "Stopped by a person.", "stopped")
    return "cancelled"


def fail(lease: Lease, code: str, sentence: str) -> str:
    """The run cannot go on; the reason says what to do."""
    with unit(lease) as cursor:
        row = cursor.execute(
            "SELECT reason FROM sync_run WHERE id = %s", (lease.run_id,)
        ).fetchone()
        earlier = (
            f" The last reason was: {row['reason']}"
            if code == "stalled" and row and row["reason"]
            else ""
        )
        cursor.execute(
            "UPDATE sync_run SET state = 'failed', finished_at = now(), lease_until = NULL, reason"
            " = %s,"
            " reason_code = %s WHERE id = %s",
            (sentence + earlier, code, lease.run_id),
        )
    return "failed"


def needs_attention(work: Work, error: NeedsAttention) -> str:
    """The CRM refused the credentials or a right: the connection waits for a person."""
    with unit(work.lease) as cursor:
        _close(cursor, work, "failed", error.sentence, "needs_attention")
        cursor.execute(
            "UPDATE connection SET health = 'needs_reconnect', health_reason = %s, health_at ="
            " now() WHERE id = %s",
            (error.sentence, work.connection_id),
        )
        attention.raise_item(
            cursor,
            work.organization_id,
            Item("reconnect", str(work.connection_id), f"{work.connection_name}: {error.sentence}"),
        )
    return "failed"


def broken(work: Work, error: ProviderBroken) -> str:
    """The CRM sent nonsense or nothing: try again later; after five tries without progress the run
    fails.
    """
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT stalled FROM sync_run WHERE id = %s", (work.run_id,)
        ).fetchone()
    tries = int(row["stalled"]) if row else 1
    if tries >= 5:
        return fail(work.lease, "provider_broken", error.sentence)
    return pause(
        work.lease, min(BACKOFF_CAP_SECONDS, 2.0**tries), error.sentence, "provider_broken"
    )


def pause(lease: Lease, seconds: float, sentence: str, code: str = "waiting") -> str:
    """Give the lease back until the time has passed, without touching anything else of the run."""
    with transaction() as cursor:
        cursor.execute(
            "UPDATE sync_run SET state = 'waiting', lease_until = NULL, reason = %s, reason_code ="
            " %s,"
            " wake_at = now() + make_interval(secs => %s)"
            " WHERE id = %s AND lease_epoch = %s AND state = 'running'",
            (sentence, code, max(0.1, seconds), lease.run_id, lease.epoch),
        )
    return "waiting"


def check_not_empty(work: Work, remote: RemoteObject) -> None:
    """An empty full read while records are linked is a lost permission, not a wish to delete: raise
    NeedsAttention.
    """
    windows = work.checkpoint.get("since")
    full = isinstance(windows, dict) and windows.get(remote.name) is None
    seen = work.totals.get(f"read_{remote.name}", 0) + work.counts[f"read_{remote.name}"]
    if not full or seen:
        return
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT count(*) AS n FROM (SELECT 1 FROM link WHERE connection_id = %s AND"
            " remote_object = %s"
            " AND status = 'linked' LIMIT %s) AS few",
            (work.connection_id, remote.name, EMPTY_READ_LIMIT + 1),
        ).fetchone()
    if row and row["n"] > EMPTY_READ_LIMIT:
        raise NeedsAttention(
            f"{work.connection_name} shows no {remote.name} at all although more than"
            f" {EMPTY_READ_LIMIT} are linked."
            " Check that the connection may still read them. Nothing was changed."
        )


PLAN_COUNTS = """
SELECT side, action, state, count(*) AS n FROM operation WHERE run_id = %s AND run_at = %s GROUP BY
1, 2, 3
"""


def plan_ready(work: Work) -> str:
    """The whole pass is read and planned; with nothing to do the run is done at once."""
    with unit(work.lease) as cursor:
        plan: dict[str, int] = {}
        for row in cursor.execute(PLAN_COUNTS, (work.run_id, work.run_at)).fetchall():
            if row["state"] == "planned":
                plan[f"plan_{row['side']}_{row['action']}"] = row["n"]
        work.totals |= plan
        if not plan:
            if work.mode != "undo":
                _move_watermarks(cursor, work)
            _close(cursor, work, "succeeded", _nothing(work), "nothing_to_do")
            return "succeeded"
        cursor.execute(
            "UPDATE sync_run SET state = 'cancelled', finished_at = now(), reason_code ="
            " 'replaced',"
            " reason = 'A newer plan replaced this one.'"
            " WHERE connection_id = %s AND state = 'planned' AND id <> %s AND plan_of IS NULL",
            (work.connection_id, work.run_id),
        )
        work.checkpoint["stage"] = "planned"
        guarded = "" if work.mode == "undo" else too_much(cursor, work)
        work.save(
            cursor,
            state="planned",
            lease_until=None,
            plan_hash=plan_hash(cursor, work.run_id, work.run_at),
            phase=None,
            reason=guarded or None,
            reason_code="guard" if guarded else None,
        )
        cursor.execute(
            "UPDATE sync_run SET expires_at = now() + interval '7 days' WHERE id = %s",
            (work.run_id,),
        )
    return "planned"


def _nothing(work: Work) -> str:
    if work.mode == "undo":
        return "Nothing to put back: everything the run wrote changed since, or is undone already."
    return "Nothing to do: both sides agree."


OPEN = (
    "SELECT count(*) AS n, min(coalesce(not_before, now())) AS due FROM effect WHERE"
    " connection_id = %s"
)
ASKED = "SELECT 1 FROM wanted WHERE connection_id = %s AND what IN ('record', 'webhook') LIMIT 1"


def finish(work: Work) -> str | None:
    """End the run when nothing is left to do; None when a record was asked for meanwhile.

    Writes that are still open keep the run waiting until they can be settled.
    """
    with unit(work.lease) as cursor:
        if cursor.execute(ASKED, (work.connection_id,)).fetchone():
            return None
        left = cursor.execute(OPEN, (work.connection_id,)).fetchone()
        if left and left["n"]:
            _wait_for_effects(cursor, work, left["n"], left["due"])
            return "waiting"
        if work.mode in {"full", "delta"}:
            _move_watermarks(cursor, work)
        if work.mode == "undo":
            cursor.execute(
                "UPDATE sync_run SET undone_by = %s WHERE id = (SELECT undo_of FROM sync_run WHERE"
                " id = %s)",
                (work.run_id, work.run_id),
            )
            crashpoint("undo.done.before_commit")
        failed = work.totals.get("failed", 0) + work.counts["failed"]
        state = "partial" if failed else "succeeded"
        cursor.execute(
            "UPDATE connection SET health = 'ok', health_reason = NULL, health_at = now() WHERE id"
            " = %s",
            (work.connection_id,),
        )
        attention.settle_item(cursor, kind="reconnect", subject=str(work.connection_id))
        undecided.tell(cursor, work)
        _close(cursor, work, state, *_held_back(work))
        crashpoint("run.finish.before_commit")
    crashpoint("run.finish.after_commit")
    return state


def _held_back(work: Work) -> tuple[str | None, str | None]:
    held = work.totals.get("guarded", 0) + work.counts["guarded"]
    if not held:
        return None, None
    words = "1 change is" if held == 1 else f"{held} changes are"
    return f"{words} held back in a plan that a person must release.", "guarded"


def _wait_for_effects(cursor: Cursor, work: Work, count: int, due: datetime) -> None:
    words = "1 write" if count == 1 else f"{count} writes"
    sentence = f"{work.connection_name} has not confirmed {words}; they are checked then."
    work.save(
        cursor,
        state="waiting",
        lease_until=None,
        reason=sentence,
        reason_code="unsettled",
        wake_at=due,
    )


def _move_watermarks(cursor: Cursor, work: Work) -> None:
    windows = work.checkpoint.get("since")
    if not isinstance(windows, dict):
        return
    note_look(cursor, work)
    for remote in work.objects:
        if remote.name in windows:
            cursor.execute(
                "UPDATE stream SET watermark = greatest(watermark, %s::timestamptz),"
                " full_due = CASE WHEN %s THEN false ELSE full_due END,"
                " full_done_at = CASE WHEN %s THEN now() ELSE full_done_at END WHERE id = ANY(%s)",
                (
                    str(work.checkpoint["until"]),
                    windows[remote.name] is None,
                    windows[remote.name] is None,
                    [stream.id for stream in remote.streams],
                ),
            )


def _close(cursor: Cursor, work: Work, state: str, reason: str | None, code: str | None) -> None:
    work.checkpoint = {
        key: value for key, value in work.checkpoint.items() if key in {"since", "until", "now"}
    }
    work.save(cursor, state=state, lease_until=None, reason=reason, reason_code=code, phase=None)
    cursor.execute("UPDATE sync_run SET finished_at = now() WHERE id = %s", (work.run_id,))
    queue_wanted(cursor, work.connection_id)
