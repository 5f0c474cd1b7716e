"""What the transport is handed in: rate budget, breaker state and call log."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Rank(StrEnum):
    """Who waits for the call; people are served from a reserve that bulk work leaves alone."""

    PEOPLE = "people"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer told about one limit; `blocked_seconds` when it refused further calls.

    `bucket` is the name under which calls are taken; an account's default bucket is "".
    """

    bucket: str = ""
    limit: int | None = None
    remaining: int | None = None
    window_seconds: float | None = None
    blocked_seconds: float = 0.0


class RateBudget(Protocol):
    """The calls left to one connection, shared by everybody who uses it."""

    def take(self, cost: int, rank: Rank, bucket: str = "") -> float:
        """Take and return 0, or take nothing and return the seconds after which to ask again."""

    def learn(self, seen: Seen) -> None:
        """Bring the budget into line with what an answer told."""


class BreakerState(Protocol):
    """The breaker of one connection, shared by everybody who uses it."""

    def wait_seconds(self) -> float:
        """Return 0 when a call may go out (perhaps as the one probe), else the seconds to wait."""

    def succeeded(self) -> None:
        """Note a call that was answered sensibly."""

    def failed(self) -> None:
        """Note a call that was not."""


@dataclass(frozen=True, slots=True)
class CallEntry:
    """One call for the log, already redacted and cut; `status` is None when nothing came back."""

    method: str
    path: str
    status: int | None
    milliseconds: float
    request_id: str
    request_body: str
    answer_body: str
    failure: str = ""


class CallLog(Protocol):
    """Where calls are noted."""

    def record(self, entry: CallEntry) -> None:
        """Keep the entry, outside the transaction of the work."""
