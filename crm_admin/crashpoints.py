"""Named places where a test may kill, freeze or fail this process; idle in production."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Final

from crm_admin.errors import ConfigError

Handler = Callable[[str], None]

NAMES: Final = frozenset(
    {
        "associations.read",
        "batch.half_of_results_applied",
        "intent.after_send",
        "intent.before_send",
        "intent.result.after_commit",
        "intent.result.before_commit",
        "intent.sending.after_commit",
        "intent.unknown.after_lookup",
        "intent.unknown.before_lookup",
        "maintenance.key_rotation_half",
        "page.applied.after_commit",
        "page.applied.before_commit",
        "page.fetched",
        "pass_end.before_commit",
        "plan.slice_read",
        "remap.read",
        "removal.slice_read",
        "run.claimed",
        "run.created.after_commit",
        "run.created.before_commit",
        "run.enqueued",
        "run.finish.after_commit",
        "run.finish.before_commit",
        "run.opened",
        "run.reconciled",
        "step.after_commit",
        "step.before_commit",
        "token.refreshed.before_store",
        "token.stored.after_commit",
        "undo.done.before_commit",
        "undo.half_sent",
        "undo.planned",
    }
)

_handler: Handler | None = None


class Crashed(BaseException):
    """A crash point fired in *raise* mode; no Exception, lest a handler takes it for a fault."""


def crashpoint(name: str) -> None:
    """Do nothing, unless a handler is installed."""
    if _handler is not None:
        _handler(name)


def install(handler: Handler | None) -> None:
    """Make every crash point call `handler` from now on; None switches them off again."""
    global _handler
    _handler = handler


def from_setting(text: str) -> Handler | None:
    """Return the handler for `name:hit:kill|stop|raise`, several separated by commas.

    The process acts on that hit of the point, counted from 1 in this process. No text, no handler.
    """
    plan: dict[tuple[str, int], str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, hit, action = [*part.split(":"), "", ""][:3]
        if name not in NAMES or not hit.isdigit() or action not in _ACTIONS:
            raise ConfigError((f"CRASHPOINTS holds {part!r}: use point:hit:kill, stop or raise.",))
        plan[name, int(hit)] = action
    if not plan:
        return None
    hits: Counter[str] = Counter()

    def act(name: str) -> None:
        hits[name] += 1
        action = plan.get((name, hits[name]))
        if action is not None:
            _ACTIONS[action](name)

    return act


def _kill(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop(_: str) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _raise(name: str) -> None:
    raise Crashed(name)


_ACTIONS: Final[dict[str, Handler]] = {"kill": _kill, "stop": _stop, "raise": _raise}
