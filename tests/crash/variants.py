"""Engines that are known to be wrong: a harness that does not catch them proves nothing."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from crm_admin.services.engine import ending, outcomes, passes, push, run, settle, steps, unit
from crm_admin.services.engine.work import Work
from crm_admin.sync import merge, watermark
from crm_admin.sync.states import Side

Undo = Callable[[], None]


def apply(name: str) -> Undo:
    """Put a known-bad engine in place of ours and return what takes it out again."""
    return VARIANTS[name]() if name else _nothing


def _nothing() -> None:
    return


def _patch(*changes: tuple[object, str, object]) -> Undo:
    former = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)

    def undo() -> None:
        for owner, name, value in former:
            setattr(owner, name, value)

    return undo


def post_then_store() -> Undo:
    """What was sent is only known once it is stored: whatever has no answer is sent again."""

    def send_again(cursor: Any, effect_ids: Any) -> None:
        cursor.execute(
            "UPDATE effect SET state = 'planned', not_before = NULL WHERE id = ANY(%s)",
            (list(effect_ids),),
        )

    return _patch((outcomes, "make_unknown", send_again), (settle, "make_unknown", send_again))


def newest_seen() -> Undo:
    """The watermark is the newest stamp that was read, and the next pass begins right there."""
    taken = passes.take_slice

    def take(cursor: Any, work: Work, read: Any) -> None:
        taken(cursor, work, read)
        stamps = [record.updated_at for record in read.records if record.updated_at]
        seen = work.checkpoint.setdefault("newest", {})
        known = seen.get(read.remote.name)
        if stamps:
            seen[read.remote.name] = max([max(stamps).isoformat(), *([known] if known else [])])

    def move(cursor: Any, work: Work) -> None:
        for remote in work.objects:
            newest = (work.checkpoint.get("newest") or {}).get(remote.name)
            cursor.execute(
                "UPDATE stream SET watermark = coalesce(%s::timestamptz, watermark, now()),"
                " full_due = false WHERE id = ANY(%s)",
                (newest, [stream.id for stream in remote.streams]),
            )

    return _patch(
        (passes, "take_slice", take),
        (ending, "_move_watermarks", move),
        (watermark, "start_of_pass", lambda mark, _again: mark),
    )


def no_settle_time() -> Undo:
    """An unanswered create is looked up at once, however late the CRM may still carry it out."""
    asked = settle.UNKNOWN

    def now(cursor: Any, effect_ids: Any) -> None:
        cursor.execute(
            "UPDATE effect SET state = 'unknown', not_before = now() WHERE id = ANY(%s)",
            (list(effect_ids),),
        )

    return _patch(
        (outcomes, "make_unknown", now),
        (settle, "make_unknown", now),
        (settle, "UNKNOWN", asked),
    )


def no_fencing() -> Undo:
    """Whoever once had the lease goes on writing and sending."""

    @contextmanager
    def unfenced(lease: Any) -> Any:
        with unit.transaction() as cursor:
            yield cursor
            cursor.execute(unit.RENEW, (lease.seconds, lease.run_id, lease.epoch))

    modules = (ending, passes, push, settle, steps)
    return _patch(
        *((module, "unit", unfenced) for module in modules),
        (unit.Lease, "check", lambda _lease: None),
        (run, "MAX_STALLED", 50),
    )


def stamp_only() -> Undo:
    """Whichever side was touched last wins with all its fields; nobody looks at bases."""

    def merged(sides: Any) -> Any:
        if sides.agree():
            return merge._agreed(merge.Reason.BOTH_AGREE)
        if merge.newest_side(sides.inputs.times) is Side.OURS and sides.may_send:
            return sides.send(merge.Reason.POLICY_NEWEST_OURS)
        return sides.take(merge.Reason.POLICY_NEWEST_THEIRS)

    return _patch((merge, "_merge", merged))


VARIANTS: dict[str, Callable[[], Undo]] = {
    "post-then-store": post_then_store,
    "newest-seen": newest_seen,
    "no-settle-time": no_settle_time,
    "no-fencing": no_fencing,
    "stamp-only": stamp_only,
}
