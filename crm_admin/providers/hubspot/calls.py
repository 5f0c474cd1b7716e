"""Sends calls to HubSpot: reads again and again within reason, writes once."""

from collections.abc import Mapping
from secrets import SystemRandom

import orjson

from crm_admin.errors import NeedsAttention, ProviderBroken, RetryLater
from crm_admin.jsontypes import Json
from crm_admin.outward.calls import Answer, Request
from crm_admin.outward.failures import CallFailed, NotSent, Reason
from crm_admin.outward.transport import LONGEST_PAUSE_SECONDS, Transport
from crm_admin.providers.hubspot.payloads import text
from crm_admin.providers.hubspot.refusals import (
    BUSY,
    missing_scopes,
    read_refusal,
    wait_seconds,
)
from crm_admin.providers.hubspot.spec import Paths

TRIES = 4
BACK_OFF_SECONDS = 1.0
UNREACHABLE_SECONDS = 60.0
PERSON_ACTS = (Reason.REFUSED, Reason.TLS)


class Calls:
    """The calls of one account in one version of the API."""

    def __init__(self, transport: Transport, paths: Paths) -> None:
        self.transport = transport
        self.paths = paths
        self._random = SystemRandom()

    def get(self, path: str) -> Json:
        """Return what is read at a path; errors say what to do next."""
        return self._read(Request("GET", path)).data

    def find(self, path: str) -> Json:
        """Return what is read at a path, null when nothing is there."""
        answer = self._read(Request("GET", path), refusals=frozenset({404, 410}))
        return answer.data if answer.ok else None

    def ask(self, path: str, body: Mapping[str, Json], bucket: str = "") -> Json:
        """Return what a POST that changes nothing, or may be repeated, answers."""
        return self._read(Request("POST", path, orjson.dumps(body), bucket=bucket)).data

    def write(self, path: str, body: Mapping[str, Json]) -> Answer:
        """Send a write once and return the answer, whatever its status.

        RetryLater and NotSent: nothing happened. NoAnswer and BadAnswer: it may have.
        """
        return self.transport.send(Request("POST", path, orjson.dumps(body)))

    def make(self, path: str, body: Mapping[str, Json]) -> Answer:
        """Return the answer of a POST that may be repeated and whose refusal the caller reads."""
        request = Request("POST", path, orjson.dumps(body))
        return self._read(request, refusals=frozenset({400, 403, 409}))

    def _read(self, request: Request, *, refusals: frozenset[int] = frozenset()) -> Answer:
        for attempt in range(1, TRIES + 1):
            last = attempt == TRIES
            try:
                answer = self.transport.send(request)
            except CallFailed as failure:
                if last or failure.reason in PERSON_ACTS:
                    raise error_of(failure) from failure
                self._back_off(attempt)
                continue
            if answer.ok or answer.status in refusals:
                return answer
            self._answered(answer, attempt, last=last)
        raise ProviderBroken("HubSpot did not answer.")

    def _answered(self, answer: Answer, attempt: int, *, last: bool) -> None:
        """Wait where waiting helps; raise what the caller has to know elsewhere."""
        if answer.status in BUSY or (answer.status == 503 and "retry-after" in answer.headers):
            seconds = wait_seconds(answer)
            if last or seconds > LONGEST_PAUSE_SECONDS:
                raise RetryLater(seconds, f"HubSpot asks to wait {seconds:.0f} s.")
            self.transport.pause(seconds)
        elif answer.status in (408, 502, 503, 504) or answer.status >= 500:
            if last:
                raise ProviderBroken(f"HubSpot answered {answer.status} {TRIES} times.")
            self._back_off(attempt)
        else:
            raise self.refusal(answer)

    def refusal(self, answer: Answer) -> NeedsAttention | ProviderBroken:
        """Return the error of a refused read: credentials, scopes, or a request it dislikes."""
        if answer.status == 401:
            return NeedsAttention(
                "HubSpot does not accept the access token. Create a new one and connect again."
            )
        if answer.status == 403:
            return NeedsAttention(scope_sentence(answer.data))
        if 300 <= answer.status < 400:
            return ProviderBroken("HubSpot sent us elsewhere, which we do not follow.")
        said = self.transport.mask(read_refusal(answer.status, answer.data).sentence)
        return ProviderBroken(f"HubSpot refused to answer ({answer.status}): {said}")

    def _back_off(self, attempt: int) -> None:
        self.transport.pause(self._random.uniform(0.1, BACK_OFF_SECONDS * 2 ** (attempt - 1)))


def error_of(failure: CallFailed) -> RetryLater | NeedsAttention | ProviderBroken:
    """Return what a read that found no usable answer means for the caller."""
    if failure.reason is Reason.REFUSED:
        return NeedsAttention(f"{failure.sentence} Check the address of the connection.")
    if failure.reason is Reason.TLS:
        return ProviderBroken(failure.sentence)
    if isinstance(failure, NotSent):
        return RetryLater(UNREACHABLE_SECONDS, failure.sentence)
    return ProviderBroken(f"HubSpot: {failure.sentence}")


def scope_sentence(data: Json) -> str:
    """Return what to do about a 403, naming the scope where HubSpot does."""
    scopes = missing_scopes(data)
    if scopes:
        plural = "s" if len(scopes) > 1 else ""
        return f"The access token lacks the scope{plural} {', '.join(scopes)}. Add it in HubSpot."
    said = text(data.get("message")) if isinstance(data, dict) else ""
    return f"HubSpot does not allow this with the access token. {said}"[:300].strip()
