"""The stages of a run in order; each call takes one step and leaves the checkpoint at the next."""

from collections.abc import Callable

from crm_admin.crashpoints import crashpoint
from crm_admin.jsontypes import Json
from crm_admin.services.engine import ending, marker
from crm_admin.services.engine.apply import apply_planned, leave_rest
from crm_admin.services.engine.ends import sweep
from crm_admin.services.engine.guarding import guard
from crm_admin.services.engine.passes import (
    heal_references,
    keep_archived_place,
    plan_windows,
    read_ours,
    read_pages,
    read_wanted,
    since_of,
)
from crm_admin.services.engine.push import push
from crm_admin.services.engine.remap import due, walk
from crm_admin.services.engine.removing import remove_planned
from crm_admin.services.engine.settle import adopt, decide_left_over, settle
from crm_admin.services.engine.streams import RemoteObject, Stream
from crm_admin.services.engine.undoing import undo_slice
from crm_admin.services.engine.undoing_left import look_again
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.unstamped import looks
from crm_admin.services.engine.work import Work

READERS = {"full", "delta"}


def take(work: Work) -> str | None:
    """Take the next step of a run; a state when the run ended, waits or became a plan, else
    None.
    """
    stage = str(work.checkpoint.get("stage") or "start")
    return STAGES[stage](work)


def _go(work: Work, stage: str, **more: Json) -> None:
    work.checkpoint.update({"stage": stage, "cursor": None, "after": None, **more})
    with unit(work.lease) as cursor:
        work.save(cursor)


def begin(work: Work) -> None:
    """What every claim does first: look after writes that an earlier worker left open."""
    marker.look(work)
    adopt(work)
    if not work.staged:
        settle(work)
        decide_left_over(work)
        look_again(work)
        push(work)


def _start(work: Work) -> None:
    marker.ensure(work)
    plan_windows(work)
    match work.mode:
        case "undo":
            _go(work, "undo")
        case mode if mode in READERS:
            _go(work, "read", object=0)
        case _:
            _go(work, "wanted")


def _read(work: Work) -> None:
    index = int(str(work.checkpoint.get("object") or 0))
    if index >= len(work.objects):
        _go(work, "ends", object=0, slices=0)
        return
    remote = work.objects[index]
    if read_pages(work, remote) is None:
        crashpoint("pass_end.before_commit")
        ending.check_not_empty(work, remote)
        if _in_part(work, remote) and not looks(work):
            _go(work, "read", object=index + 1)
        else:
            place = remote.streams[0].row["archived_after"] if _in_part(work, remote) else None
            _go(work, "archived", object=index, cursor=place)
    if not work.staged:
        work.ahead.rest()
        if push(work) + _urgent(work):
            work.ahead.drop()


def _in_part(work: Work, remote: RemoteObject) -> bool:
    """What is archived comes in no order of time: a delta looks at a part, the next goes on."""
    return since_of(work, remote.name) is not None


def _archived(work: Work) -> None:
    index = int(str(work.checkpoint.get("object") or 0))
    remote = work.objects[index]
    left = read_pages(work, remote, archived=True)
    if left is not None and not _in_part(work, remote):
        return
    work.ahead.rest()
    keep_archived_place(work, remote, left)
    _go(work, "read", object=index + 1)


def _ends(work: Work) -> None:
    index = int(str(work.checkpoint.get("object") or 0))
    if work.mode != "delta" or not looks(work) or index >= len(work.objects):
        _go(work, "remap", stream=0)
        return
    if not sweep(work, work.objects[index]):
        _go(work, "ends", object=index + 1, slices=0)
    if not work.staged:
        push(work)


def _remap(work: Work) -> None:
    streams = due(work)
    index = int(str(work.checkpoint.get("stream") or 0))
    if index >= len(streams):
        _go(work, "wanted")
        return
    if not walk(work, streams[index]):
        _go(work, "remap", stream=index + 1)
    elif not work.staged:
        push(work)
        _urgent(work)


def _urgent(work: Work) -> bool:
    """A single record that was asked for does not wait for the end of a long pass."""
    found = read_wanted(work)
    if found:
        push(work)
    return found


def _wanted(work: Work) -> None:
    if not work.staged:
        while read_wanted(work):
            push(work)
        heal_references(work)
    if work.mode not in READERS:
        _go(work, "guard")
        return
    _go(work, "ours", stream=0, unlinked=False)


def _ours(work: Work) -> None:
    streams = [stream for remote in work.objects for stream in remote.streams if stream.facts.sends]
    index, unlinked = (
        int(str(work.checkpoint.get("stream") or 0)),
        bool(work.checkpoint.get("unlinked")),
    )
    if index >= len(streams):
        _go(work, "guard")
        return
    if read_ours(work, streams[index], unlinked=unlinked):
        if not work.staged:
            push(work)
            _urgent(work)
        return
    again = not unlinked and _in_full(work, streams[index])
    _go(work, "ours", stream=index if again else index + 1, unlinked=again)


def _in_full(work: Work, stream: Stream) -> bool:
    windows = work.checkpoint.get("since")
    full = isinstance(windows, dict) and windows.get(stream.facts.remote_object) is None
    return full and stream.facts.creates in {"there", "both"}


def _guard(work: Work) -> str | None:
    if work.staged:
        return ending.plan_ready(work)
    if guard(work):
        _go(work, "apply", applied=None, released=True)
    else:
        _go(work, "end")
    return None


def _release(work: Work) -> None:
    """A person approved the plan: first the fields it makes in the CRM, then its records."""
    if work.mode == "undo":
        _go(work, "undo", undone=None, made=None)
        return
    marker.release(work)
    _go(work, "apply", applied=None)


def _apply(work: Work) -> None:
    if apply_planned(work) or remove_planned(work):
        push(work)
        _urgent(work)
        return
    with unit(work.lease) as cursor:
        leave_rest(cursor, work)
    _go(work, "end")


def _undo(work: Work) -> None:
    """Take back or plan slice by slice; then what is made anew there is applied as planned."""
    if undo_slice(work):
        if not work.staged:
            push(work)
        return
    _go(work, "guard" if work.staged else "apply", applied=None)


def _end(work: Work) -> str | None:
    """Everything was read and written: settle what is unknown, send what was put back, then
    finish.
    """
    if read_wanted(work):
        push(work)
        # What was held back of these has not met the guard yet.
        _go(work, "guard")
        return None
    unknown = settle(work)
    look_again(work)
    sent = push(work)
    if sent and not unknown:
        return None
    return ending.finish(work)


STAGES: dict[str, Callable[[Work], str | None]] = {
    "start": _start,
    "read": _read,
    "ends": _ends,
    "remap": _remap,
    "archived": _archived,
    "wanted": _wanted,
    "ours": _ours,
    "guard": _guard,
    "release": _release,
    "apply": _apply,
    "undo": _undo,
    "end": _end,
}
