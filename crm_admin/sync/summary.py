"""What a run did, in counts that add up and in one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.sync.states import RunState


@dataclass(frozen=True, slots=True)
class Tally:
    """Records of one side that were created, updated and deleted."""

    created: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def total(self) -> int:
        return self.created + self.updated + self.deleted

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.created + other.created, self.updated + other.updated, self.deleted + other.deleted
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a run or of a part of one; parts add up to the whole."""

    read: int = 0
    ours: Tally = field(default_factory=Tally)
    theirs: Tally = field(default_factory=Tally)
    unchanged: int = 0
    skipped: int = 0
    conflicts: int = 0
    failed: int = 0
    calls: int = 0
    writes_theirs: int = 0

    def __add__(self, other: "Summary") -> "Summary":
        plain = {name: getattr(self, name) + getattr(other, name) for name in PLAIN}
        return Summary(ours=self.ours + other.ours, theirs=self.theirs + other.theirs, **plain)

    @property
    def changed(self) -> int:
        return self.ours.total + self.theirs.total


PLAIN: Final = tuple(one.name for one in fields(Summary) if one.name not in {"ours", "theirs"})
TALLY: Final = tuple(one.name for one in fields(Tally))


def summary_of(counts: Mapping[str, Json] | None) -> Summary:
    """Return the summary of a run's stored counts, where `ours_created` counts creates of ours and
    so on.

    Missing counts are 0; counts with other names are left out.
    """
    stored = counts or {}

    def number(name: str) -> int:
        value = stored.get(name, 0)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    ours, theirs = (
        Tally(**{name: number(f"{side}_{name}") for name in TALLY}) for side in ("ours", "theirs")
    )
    return Summary(ours=ours, theirs=theirs, **{name: number(name) for name in PLAIN})


def as_json(summary: Summary) -> dict[str, Json]:
    """Return the counts as commands and the API show them."""
    sides = {
        side: {name: getattr(tally, name) for name in TALLY}
        for side, tally in (("ours", summary.ours), ("theirs", summary.theirs))
    }
    return {"read": summary.read, **sides, **{name: getattr(summary, name) for name in PLAIN[1:]}}


def in_words(summary: Summary, state: RunState, theirs_name: str, reason: str = "") -> str:
    """Return one or two sentences about a run: what it did here and there, and what is left to
    do.
    """
    if state in {RunState.FAILED, RunState.CANCELLED}:
        word = "Failed" if state is RunState.FAILED else "Stopped"
        head = f"{word}: {reason.rstrip('.')}." if reason else f"{word}."
        return head if not summary.changed else f"{head} {_done(summary, theirs_name)}"
    parts = [_done(summary, theirs_name)]
    if left := _left(summary):
        parts.append(left)
    return " ".join(parts)


def _done(summary: Summary, theirs_name: str) -> str:
    sides = [
        f"{text} in {name}"
        for tally, name in ((summary.ours, "CRM Admin"), (summary.theirs, theirs_name))
        if (text := _tally(tally))
    ]
    if not sides:
        read = f" among {_count(summary.read, 'record')}" if summary.read else ""
        return f"Nothing changed{read}."
    text = " and ".join(sides)
    return f"{text[0].upper()}{text[1:]}."


def _tally(tally: Tally) -> str:
    return ", ".join(f"{getattr(tally, name):,} {name}" for name in TALLY if getattr(tally, name))


def _left(summary: Summary) -> str:
    parts = []
    if summary.conflicts:
        parts.append(f"{_count(summary.conflicts, 'conflict')} to settle")
    if summary.failed:
        parts.append(f"{summary.failed:,} failed")
    if summary.skipped:
        parts.append(f"{summary.skipped:,} skipped")
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
