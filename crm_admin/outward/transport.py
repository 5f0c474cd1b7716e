"""Sends requests to one endpoint: guarded, in time, within budget and breaker, and noted."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic

from requests import PreparedRequest, Response
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from crm_admin import clock
from crm_admin.errors import RetryLater
from crm_admin.jsontypes import Json
from crm_admin.outward.calls import Answer, Request
from crm_admin.outward.failures import BadAnswer, CallFailed, NoAnswer, NotSent, Reason
from crm_admin.outward.guard import Network, Resolver, Rules, parse_endpoint, resolve
from crm_admin.outward.inprocess import LocalBreaker, LocalBudget, LocalCallLog
from crm_admin.outward.journal import Journal
from crm_admin.outward.masking import Masker
from crm_admin.outward.parsing import parse_json, parse_leniently
from crm_admin.outward.protocols import BreakerState, CallLog, Rank, RateBudget, Seen
from crm_admin.outward.wire import Deadlines, GuardedAdapter, HeadTooLarge, Watch

MAX_BODY_BYTES = 32 * 1024 * 1024
READ_BYTES = 256 * 1024
IDLE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 15.0
USER_AGENT = "CRM-Admin"
REQUEST_IDS = ("x-hubspot-correlation-id", "x-request-id", "x-correlation-id", "sforce-request-id")


@dataclass(slots=True)
class Wiring:
    """What services hand in for one connection; the defaults serve one process without Redis."""

    private_networks: tuple[Network, ...] = ()
    budget: RateBudget = field(default_factory=lambda: LocalBudget({}))
    breaker: BreakerState = field(default_factory=LocalBreaker)
    log: CallLog = field(default_factory=LocalCallLog)
    rank: Rank = Rank.BULK
    deadlines: Deadlines = field(default_factory=Deadlines)
    resolver: Resolver = resolve
    pause: Callable[[float], None] = time.sleep
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a provider knows of its side: address, hosts, credentials, how it tells limits."""

    url: str
    hosts: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    limits_told: Callable[[Answer, str], Iterable[Seen]] = lambda _answer, _bucket: ()


class Transport:
    """The way to one endpoint; keeps its connections open while it lives in one process."""

    def __init__(self, endpoint: Endpoint, wiring: Wiring) -> None:
        rules = Rules(hosts=endpoint.hosts, private=wiring.private_networks)
        self._target = parse_endpoint(endpoint.url, rules)
        self._endpoint = endpoint
        self._wiring = wiring
        self._watch = Watch(self._target, rules, wiring.resolver)
        self._mask = Masker(endpoint.secrets)
        self._journal = Journal(wiring.log, self._mask)
        self._headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            **endpoint.headers,
        }
        self._adapter = GuardedAdapter(self._watch)
        self._process = os.getpid()
        self._used_at = monotonic()
        self.clock_offset = 0.0

    def send(self, request: Request, deadlines: Deadlines | None = None) -> Answer:
        """Return the answer of one call, whatever its status; nothing is repeated in here.

        Raises RetryLater before sending when budget or breaker say to wait long, and NotSent,
        NoAnswer or BadAnswer by what is known of the effect. Redirects are answers like others.
        """
        self._admit(request)
        self._renew()
        started = monotonic()
        self._watch.start(deadlines or self._wiring.deadlines)
        try:
            answer = self._exchange(request, started)
        except CallFailed as failure:
            self._note_failure(request, failure, started)
            raise
        finally:
            self._used_at = monotonic()
        self._note(request, answer)
        return answer

    def pause(self, seconds: float) -> None:
        """Wait between two tries of a read."""
        self._wiring.pause(seconds)

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def mask(self, text: str) -> str:
        """Return a text from the CRM fit for a sentence: one line, without secrets."""
        return self._mask(text)

    def _admit(self, request: Request) -> None:
        budget, rank = self._wiring.budget, self._wiring.rank
        while (wait := budget.take(request.cost, rank, request.bucket)) > 0:
            if wait > LONGEST_PAUSE_SECONDS:
                raise RetryLater(wait)
            self._wiring.pause(wait)
        # The breaker comes last: the one probe it lets through must really go out.
        wait = self._wiring.breaker.wait_seconds()
        if wait > 0:
            raise RetryLater(wait)

    def _renew(self) -> None:
        """A kept connection is not used after a fork, nor after a rest in which peers hang up."""
        forked = self._process != os.getpid()
        if forked or monotonic() - self._used_at > IDLE_SECONDS:
            self._adapter.close()
            self._adapter = GuardedAdapter(self._watch)
            self._process = os.getpid()

    def _exchange(self, request: Request, started: float) -> Answer:
        response = self._open(request)
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = self._read(response, headers)
        data = None
        status = response.status_code
        if not 200 <= status < 300:
            data = parse_leniently(body)
        elif status not in (204, 205):
            data = _parsed(body, headers.get("content-type", ""), status)
        spent = (monotonic() - started) * 1000
        return Answer(status, headers, body, data, spent, _request_id(headers))

    def _open(self, request: Request) -> Response:
        prepared = PreparedRequest()
        headers = {**self._headers, **request.headers}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        prepared.prepare(
            method=request.method,
            url=self._target.url + request.path,
            headers=headers,
            data=request.body,
        )
        verify = self._wiring.ca_file or True
        try:
            return self._adapter.send(prepared, stream=True, timeout=None, verify=verify)
        except (RequestException, HTTPError, OSError) as error:
            raise self._unanswered(error) from error

    def _unanswered(self, error: Exception) -> CallFailed:
        host = self._target.host
        if not self._watch.sent:
            return NotSent(Reason.CONNECT, f"{host} cannot be reached.")
        if _caused_by(error, (TimeoutError, ReadTimeoutError)):
            return NoAnswer(Reason.TIMEOUT, f"{host} did not answer in time.")
        if _caused_by(error, HeadTooLarge):
            return NoAnswer(Reason.TOO_LARGE, f"The headers of {host}'s answer are too large.")
        return NoAnswer(Reason.RESET, f"{host} closed the connection without an answer.")

    def _read(self, response: Response, headers: Mapping[str, str]) -> bytes:
        """The body within size and time; of a refusal the status alone is worth keeping."""
        status = response.status_code
        try:
            return self._read_all(response, headers)
        except BadAnswer:
            response.raw.close()
            raise
        except (HTTPError, OSError, RequestException) as error:
            response.raw.close()
            if status >= 400:
                return b""
            if _caused_by(error, (TimeoutError, ReadTimeoutError)):
                raise BadAnswer(Reason.TIMEOUT, "The answer came too slowly.", status) from error
            raise BadAnswer(Reason.CUT, "The answer breaks off.", status) from error

    def _read_all(self, response: Response, headers: Mapping[str, str]) -> bytes:
        chunks: list[bytes] = []
        size = 0
        told = headers.get("content-length", "")
        if told.isdigit() and int(told) > MAX_BODY_BYTES:
            raise _too_large(response.status_code)
        while chunk := response.raw.read(READ_BYTES, decode_content=True):
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise _too_large(response.status_code)
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _note(self, request: Request, answer: Answer) -> None:
        for seen in self._endpoint.limits_told(answer, request.bucket):
            self._wiring.budget.learn(seen)
        if answer.status >= 500:
            self._wiring.breaker.failed()
        else:
            self._wiring.breaker.succeeded()
        self._read_clock(answer)
        self._journal.answered(request, answer)

    def _note_failure(self, request: Request, failure: CallFailed, started: float) -> None:
        if failure.reason is not Reason.REFUSED:
            self._wiring.breaker.failed()
        self._journal.failed(request, failure, (monotonic() - started) * 1000)

    def _read_clock(self, answer: Answer) -> None:
        """Their Date has whole seconds: on the average it is half a second behind their clock."""
        with contextlib.suppress(ValueError, TypeError, IndexError):
            told = parsedate_to_datetime(answer.headers.get("date", ""))
            theirs = told.replace(tzinfo=told.tzinfo or UTC).timestamp() + 0.5
            ours = datetime.timestamp(clock.now()) - answer.milliseconds / 2000
            # Within the precision of the header there is nothing to correct.
            offset = theirs - ours
            self.clock_offset = 0.0 if abs(offset) <= 1.0 else offset


Kinds = type[BaseException] | tuple[type[BaseException], ...]


def _request_id(headers: Mapping[str, str]) -> str:
    return next((headers[name][:80] for name in REQUEST_IDS if name in headers), "")


def _parsed(body: bytes, content_type: str, status: int) -> Json:
    try:
        return parse_json(body, content_type, status)
    except BadAnswer as bad:
        bad.body = body
        raise


def _too_large(status: int) -> BadAnswer:
    return BadAnswer(Reason.TOO_LARGE, "The answer is larger than 32 MB.", status)


def _caused_by(error: BaseException, kind: Kinds) -> bool:
    """Look for the kind among the causes: the libraries wrap what the socket said."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        if isinstance(one, kind) or (
            "ReadTimeoutError" in type(one).__name__ and kind is TimeoutError
        ):
            return True
        seen.add(id(one))
        waiting += [one.__cause__, one.__context__, *one.args, getattr(one, "reason", None)]
    return False
