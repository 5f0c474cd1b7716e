"""Sends rows in one call and says how each of them ended, whatever the call came to.

A call that was refused as a whole had no effect, so it is sent again in halves until the rows that
spoil it stand alone. Nothing whose effect is not known is ever sent twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from crm_admin.errors import NeedsAttention, RetryLater
from crm_admin.jsontypes import Json
from crm_admin.outward.calls import Answer
from crm_admin.outward.failures import BadAnswer, CallFailed, NotSent, Reason
from crm_admin.providers.base import Action, Ending, Outcome
from crm_admin.providers.hubspot.calls import Calls, scope_sentence
from crm_admin.providers.hubspot.refusals import (
    BUSY,
    outcome_of,
    read_refusal,
    unknown,
    wait_seconds,
)

ONE_OF_MANY = frozenset({400, 404, 409, 410, 413, 422})
NOT_SENT_SECONDS = 30.0
NOT_TOLD = "HubSpot's answer says nothing about this one."


@dataclass(frozen=True, slots=True)
class Row:
    """One input of a call; `key` is how the answer names it."""

    key: str
    trace: str
    input: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Batch:
    """How rows are sent; `read` returns what an accepted answer tells and leaves out the rest."""

    path: str
    action: Action
    read: Callable[[Answer, Sequence[Row]], Mapping[str, Outcome]]


class Sender:
    """Sends the batches of one write; only its very first call may end in an error."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._begun = False

    def send(self, batch: Batch, rows: Sequence[Row]) -> dict[str, Outcome]:
        """Return how each row ended, by its key.

        Raises RetryLater or NeedsAttention only while nothing at all has been sent.
        """
        ended: dict[str, Outcome] = {}
        waiting = [list(rows)] if rows else []
        while waiting:
            part = waiting.pop()
            answer = self._call(batch, part, ended)
            if answer is None:
                continue
            if answer.ok:
                told = batch.read(answer, part)
                ended |= {row.key: told.get(row.key) or _untold(batch, row) for row in part}
            elif answer.status in ONE_OF_MANY and len(part) > 1:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
            else:
                ended |= self._refused(batch, part, answer)
        return ended

    def _call(self, batch: Batch, part: Sequence[Row], ended: dict[str, Outcome]) -> Answer | None:
        """The answer, or None when there is none and the rows have ended."""
        first, self._begun = not self._begun, True
        try:
            answer = self._calls.write(batch.path, {"inputs": [dict(row.input) for row in part]})
        except RetryLater as later:
            if first:
                raise
            ended |= _all(part, Ending.LATER, later.sentence, later.after_seconds)
        except CallFailed as failure:
            if first and failure.reason is Reason.REFUSED:
                raise NeedsAttention(failure.sentence) from failure
            ended |= _failed(batch, part, failure)
        else:
            if first and answer.status == 401:
                raise self._calls.refusal(answer)
            return answer
        return None

    def _refused(self, batch: Batch, part: Sequence[Row], answer: Answer) -> dict[str, Outcome]:
        if answer.status in BUSY:
            sentence = f"HubSpot is busy ({answer.status})."
            return _all(part, Ending.LATER, sentence, wait_seconds(answer))
        if answer.status == 403:
            return _all(part, Ending.REJECTED, scope_sentence(answer.data), code="MISSING_SCOPES")
        refusal = read_refusal(answer.status, answer.data)
        return {row.key: outcome_of(row.trace, batch.action, refusal) for row in part}


def _failed(batch: Batch, part: Sequence[Row], failure: CallFailed) -> dict[str, Outcome]:
    if isinstance(failure, NotSent):
        return _all(part, Ending.LATER, failure.sentence, NOT_SENT_SECONDS)
    status = f" ({failure.status})" if isinstance(failure, BadAnswer) else ""
    return _all(part, unknown(batch.action), failure.sentence + status, code=failure.reason)


def _untold(batch: Batch, row: Row) -> Outcome:
    return Outcome(row.trace, unknown(batch.action), code="missing", sentence=NOT_TOLD)


def _all(
    part: Sequence[Row],
    ending: Ending,
    sentence: str,
    after_seconds: float | None = None,
    code: str = "",
) -> dict[str, Outcome]:
    return {
        row.key: Outcome(
            row.trace, ending, code=code, sentence=sentence, after_seconds=after_seconds
        )
        for row in part
    }
