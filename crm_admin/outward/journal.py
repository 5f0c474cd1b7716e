"""Notes every call for people to look up later, without secrets and cut to a size."""

from crm_admin.outward.calls import Answer, Request
from crm_admin.outward.failures import BadAnswer, CallFailed
from crm_admin.outward.masking import Masker
from crm_admin.outward.protocols import CallEntry, CallLog

LOGGED_BYTES = 2 * 1024
LOGGED_BYTES_OF_FAILURES = 64 * 1024


class Journal:
    """Writes what one transport did into the log it was handed."""

    def __init__(self, log: CallLog, mask: Masker) -> None:
        self._log = log
        self._mask = mask

    def answered(self, request: Request, answer: Answer) -> None:
        """Note a call that was answered, a refusal with more of its body."""
        limit = LOGGED_BYTES if answer.ok else LOGGED_BYTES_OF_FAILURES
        self._log.record(
            CallEntry(
                method=request.method,
                path=self._path(request),
                status=answer.status,
                milliseconds=answer.milliseconds,
                request_id=self._mask(answer.request_id),
                request_body=self._mask.body(request.body, limit),
                answer_body=self._mask.body(answer.body, limit),
            )
        )

    def failed(self, request: Request, failure: CallFailed, milliseconds: float) -> None:
        """Note a call without a usable answer and why."""
        bad = failure if isinstance(failure, BadAnswer) else None
        self._log.record(
            CallEntry(
                method=request.method,
                path=self._path(request),
                status=bad.status if bad else None,
                milliseconds=milliseconds,
                request_id="",
                request_body=self._mask.body(request.body, LOGGED_BYTES_OF_FAILURES),
                answer_body=self._mask.body(bad.body, LOGGED_BYTES) if bad else "",
                failure=failure.sentence,
            )
        )

    def _path(self, request: Request) -> str:
        return self._mask(request.path)[:LOGGED_BYTES]
