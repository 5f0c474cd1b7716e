"""The closed list of status words and marks pages use, each with its icon and tone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatusWord:
    """`act` is true when a person must do something: only then the word gets a tinted pill."""

    word: str
    icon: str
    tone: str
    act: bool = False


STATUSES = {
    "synced": StatusWord("Synced", "check", "ok"),
    "waiting": StatusWord("Waiting", "circle", "warn"),
    "queued": StatusWord("Queued", "dots", "neutral"),
    "syncing": StatusWord("Syncing", "arrow-repeat", "accent"),
    "conflict": StatusWord("Conflict", "fork", "conflict", act=True),
    "failed": StatusWord("Failed", "x", "bad", act=True),
    "skipped": StatusWord("Skipped", "skip", "neutral"),
    "excluded": StatusWord("Excluded", "slash-circle", "neutral"),
    "not_linked": StatusWord("Not linked", "dash", "neutral"),
    "paused": StatusWord("Paused", "pause", "neutral"),
    "undone": StatusWord("Undone", "undo", "neutral"),
    "stays": StatusWord("Stays here", "dash", "neutral"),
    "not_mapped": StatusWord("Not mapped", "dash", "neutral"),
    "different": StatusWord("Different", "tilde", "warn"),
    "run_queued": StatusWord("Queued", "dots", "neutral"),
    "run_running": StatusWord("Running", "arrow-repeat", "accent"),
    "run_waiting": StatusWord("Waiting", "clock", "neutral"),
    "run_planned": StatusWord("Plan ready", "eye", "warn", act=True),
    "run_succeeded": StatusWord("Done", "check", "ok"),
    "run_partial": StatusWord("Done with errors", "exclamation", "bad", act=True),
    "run_failed": StatusWord("Failed", "x", "bad", act=True),
    "run_cancelled": StatusWord("Stopped", "slash-circle", "neutral"),
    "run_undone": StatusWord("Undone", "undo", "neutral"),
    "observing": StatusWord("Observing", "eye", "accent"),
    "active": StatusWord("Active", "check", "ok"),
    "attention": StatusWord("Needs attention", "exclamation", "bad", act=True),
    "disconnected": StatusWord("Disconnected", "plug", "neutral"),
    "op_planned": StatusWord("Planned", "circle", "neutral"),
    "op_sending": StatusWord("Syncing", "arrow-repeat", "accent"),
    "op_done": StatusWord("Synced", "check", "ok"),
    "op_failed": StatusWord("Failed", "x", "bad", act=True),
    "op_skipped": StatusWord("Skipped", "skip", "neutral"),
    "op_undone": StatusWord("Undone", "undo", "neutral"),
    "good": StatusWord("All good", "check", "ok"),
    "unknown": StatusWord("Unknown", "question", "neutral"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """The square sign of one kind of change, with its word."""

    word: str
    icon: str
    tone: str


MARKS = {
    "create": Mark("Create", "plus", "ok"),
    "update": Mark("Update", "tilde", "warn"),
    "delete": Mark("Delete", "dash", "bad"),
    "link": Mark("Link", "equal", "accent"),
    "associate": Mark("Connect", "arrow-both", "warn"),
    "property": Mark("New field", "plus", "accent"),
    "match": Mark("Look-alike", "duplicates", "warn"),
    "agree": Mark("Differs", "question", "warn"),
    "skip": Mark("Skip", "skip", "neutral"),
    "conflict": Mark("Conflict", "fork", "conflict"),
    "error": Mark("Error", "exclamation", "bad"),
    "failed": Mark("Failed", "x", "bad"),
    "done": Mark("Done", "check", "ok"),
    "same": Mark("Unchanged", "equal", "neutral"),
    "plan": Mark("Plan", "eye", "warn"),
    "connection": Mark("Connection", "plug", "bad"),
    "undo": Mark("Undo", "undo", "neutral"),
    "run": Mark("Run", "arrow-repeat", "accent"),
    "person": Mark("Changed", "tilde", "warn"),
    "stopped": Mark("Stopped", "slash-circle", "neutral"),
}


def status_word(key: str) -> StatusWord:
    """Return the word for a status; an unlisted key reads Unknown rather than leaking its code."""
    return STATUSES.get(key, STATUSES["unknown"])


def mark(key: str) -> Mark:
    """Return the mark for a kind of change."""
    return MARKS.get(key, MARKS["update"])
