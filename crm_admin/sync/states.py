"""Every state the engine keeps, as closed lists with the moves between them, so that tables and
code agree.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PLANNED = "planned"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunPhase(StrEnum):
    SETTLING = "settling"
    READING = "reading"
    MATCHING = "matching"
    WRITING = "writing"
    VERIFYING = "verifying"


class RunMode(StrEnum):
    FULL = "full"
    DELTA = "delta"
    RECORD = "record"
    WEBHOOK = "webhook"
    UNDO = "undo"
    IMPORT = "import"
    MERGE = "merge"


class OperationState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNDONE = "undone"


class OperationAction(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    LINK = "link"
    ASSOCIATE = "associate"
    PROPERTY = "property"
    MATCH = "match"
    SKIP = "skip"
    CONFLICT = "conflict"
    AGREE = "agree"


class EffectState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    UNKNOWN = "unknown"


class LinkStatus(StrEnum):
    LINKED = "linked"
    SHADOW = "shadow"
    DETACHED = "detached"
    REMOTE_GONE = "remote_gone"
    LOCAL_GONE = "local_gone"
    DUPLICATE_SUSPECTED = "duplicate_suspected"


class ConflictState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"
    SUPERSEDED = "superseded"


class ConflictHow(StrEnum):
    OURS = "ours"
    THEIRS = "theirs"
    MERGED = "merged"
    TYPED = "typed"
    BY_POLICY = "by_policy"


class Stance(StrEnum):
    OBSERVE = "observe"
    ACTIVE = "active"
    PAUSED = "paused"


class Health(StrEnum):
    OK = "ok"
    NEEDS_RECONNECT = "needs_reconnect"
    BROKEN = "broken"
    DISCONNECTED = "disconnected"


class StreamDirection(StrEnum):
    BOTH = "both"
    TO_CRM = "to_crm"
    FROM_CRM = "from_crm"
    TO_PRIMARY = "to_primary"


class Creates(StrEnum):
    """On which side a stream may create the record that is missing."""

    NONE = "none"
    HERE = "here"
    THERE = "there"
    BOTH = "both"


class GoneThere(StrEnum):
    """What becomes of our record when the CRM's is archived or merged away."""

    KEEP = "keep"
    DELETE = "delete"


class DeletedHere(StrEnum):
    """What becomes of the CRM's record when ours is deleted."""

    KEEP = "keep"
    ARCHIVE = "archive"


class Side(StrEnum):
    OURS = "ours"
    THEIRS = "theirs"


class MappingState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


Moves = Mapping[StrEnum, frozenset[StrEnum]]


def _moves(table: Mapping[StrEnum, str]) -> Moves:
    """Read a table whose right side names the states that may follow, separated by blanks."""
    return {
        state: frozenset(type(state)(word) for word in words.split())
        for state, words in table.items()
    }


def _any_other(enum: type[StrEnum]) -> Moves:
    return {state: frozenset(other for other in enum if other is not state) for state in enum}


MOVES: Final[Mapping[type[StrEnum], Moves]] = {
    # A running run may be claimed again once its lease has lapsed, and goes back to the queue
    # when its step is over; a plan is not live and waits for a person. A run that a person pauses
    # waits without a time.
    RunState: _moves(
        {
            RunState.QUEUED: "running waiting failed cancelled",
            RunState.RUNNING: "running queued waiting planned succeeded partial failed cancelled",
            RunState.WAITING: "running queued failed cancelled",
            RunState.PLANNED: "queued cancelled",
            RunState.SUCCEEDED: "",
            RunState.PARTIAL: "",
            RunState.FAILED: "",
            RunState.CANCELLED: "",
        }
    ),
    # Writes to ours are done in the transaction that decides them, so planned may be done at once.
    # A failed one may be tried again; an undone one stays as the journal of what was.
    OperationState: _moves(
        {
            OperationState.PLANNED: "sending done failed skipped",
            OperationState.SENDING: "planned done failed skipped",
            OperationState.DONE: "undone",
            OperationState.FAILED: "planned skipped",
            OperationState.SKIPPED: "",
            OperationState.UNDONE: "done",
        }
    ),
    # A settled effect has no state: its row is deleted in the transaction that settles it.
    EffectState: _moves(
        {
            EffectState.PLANNED: "sending",
            EffectState.SENDING: "planned unknown",
            EffectState.UNKNOWN: "planned sending",
        }
    ),
    LinkStatus: _moves(
        {
            LinkStatus.LINKED: "shadow detached remote_gone local_gone duplicate_suspected",
            LinkStatus.SHADOW: "linked remote_gone detached",
            LinkStatus.DETACHED: "linked shadow",
            LinkStatus.REMOTE_GONE: "linked detached local_gone",
            LinkStatus.LOCAL_GONE: "linked detached remote_gone",
            LinkStatus.DUPLICATE_SUSPECTED: "linked shadow detached remote_gone",
        }
    ),
    # A resolution that meets a side which moved since goes back to open with fresh values.
    ConflictState: _moves(
        {
            ConflictState.OPEN: "resolved dismissed superseded",
            ConflictState.RESOLVED: "open",
            ConflictState.DISMISSED: "open",
            ConflictState.SUPERSEDED: "",
        }
    ),
    MappingState: _moves(
        {
            MappingState.DRAFT: "published",
            MappingState.PUBLISHED: "superseded",
            MappingState.SUPERSEDED: "",
        }
    ),
    Stance: _any_other(Stance),
    Health: _any_other(Health),
}

LIVE_RUN_STATES: Final = frozenset({RunState.QUEUED, RunState.RUNNING, RunState.WAITING})
TERMINAL_RUN_STATES: Final = frozenset(
    {RunState.SUCCEEDED, RunState.PARTIAL, RunState.FAILED, RunState.CANCELLED}
)

RUN_WORDS: Final[Mapping[RunState, str]] = {
    RunState.QUEUED: "Queued",
    RunState.RUNNING: "Running",
    RunState.WAITING: "Waiting",
    RunState.PLANNED: "Plan ready",
    RunState.SUCCEEDED: "Done",
    RunState.PARTIAL: "Done with errors",
    RunState.FAILED: "Failed",
    RunState.CANCELLED: "Stopped",
}

API_RUN_WORDS: Final[Mapping[RunState, str]] = {
    RunState.QUEUED: "pending",
    RunState.RUNNING: "running",
    RunState.WAITING: "running",
    RunState.PLANNED: "planned",
    RunState.SUCCEEDED: "completed",
    RunState.PARTIAL: "completed_with_errors",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "cancelled",
}


def may_move(enum: type[StrEnum], before: StrEnum | str, after: StrEnum | str) -> bool:
    """Return whether a row of this state column may go from one state to the other in one step."""
    return enum(after) in MOVES[enum][enum(before)]


def sources(enum: type[StrEnum], after: StrEnum | str) -> tuple[str, ...]:
    """Return the states from which `after` may be reached, for the WHERE of a conditional
    update.
    """
    wanted = enum(after)
    return tuple(state.value for state, following in MOVES[enum].items() if wanted in following)


def run_word(state: RunState | str, *, undone: bool = False) -> str:
    """Return the word a page shows for a run; a run that was undone says so whatever its state."""
    return "Undone" if undone else RUN_WORDS[RunState(state)]
