"""What the transport makes of the answers, silences and lies of a server."""

import gzip
import socket
import time
from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from crm_admin.errors import RetryLater
from crm_admin.outward.calls import Request
from crm_admin.outward.failures import BadAnswer, CallFailed, NoAnswer, NotSent, Reason
from crm_admin.outward.inprocess import LocalBreaker, LocalBudget, LocalCallLog
from crm_admin.outward.protocols import Rank, Seen
from crm_admin.outward.transport import Endpoint, Transport, Wiring
from crm_admin.outward.wire import Deadlines
from tests.outward.raw_server import Script, answer, drips, resets, says, serving

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
GET = Request("GET", "/things?limit=1")
POST = Request("POST", "/things", b'{"a":1}')
IMPATIENT = Deadlines(connect=1.0, between=0.3, total=1.0)
OK = answer(b'{"ok":true}')


def transport_to(url: str, **wiring: object) -> Transport:
    settings = {"private_networks": LOOPBACK, "deadlines": IMPATIENT, **wiring}
    return Transport(Endpoint(url), Wiring(**settings))  # type: ignore[arg-type]


def failure_of(script: Script, request: Request = POST) -> CallFailed:
    with serving(script) as server, pytest.raises(CallFailed) as failed:
        transport_to(server.url).send(request)
    return failed.value


def test_an_answer_arrives_parsed_with_its_headers() -> None:
    with serving(says(answer(b'{"ok":true}', b"X-Request-Id: abc"))) as server:
        found = transport_to(server.url).send(POST)

        assert found.ok
        assert found.data == {"ok": True}
        assert found.request_id == "abc"
        assert found.headers["content-type"] == "application/json"
        assert server.requests[0].startswith(b"POST /things HTTP/1.1\r\n")
        assert server.requests[0].endswith(b'\r\n\r\n{"a":1}')


def test_a_refusal_is_an_answer_like_any_other() -> None:
    refusal = answer(b'{"message":"no"}', status=b"400 Bad Request")
    with serving(says(refusal)) as server:
        found = transport_to(server.url).send(POST)

    assert (found.status, found.data, found.ok) == (400, {"message": "no"}, False)


def test_a_refusal_without_json_still_has_its_status() -> None:
    with serving(says(answer(b"<html>", status=b"503 Busy", kind=b"text/html"))) as server:
        found = transport_to(server.url).send(POST)

    assert (found.status, found.data) == (503, None)


def test_a_refusal_that_breaks_off_still_has_its_status() -> None:
    cut = b'HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n{"mess'
    with serving(says(cut, close=True)) as server:
        assert transport_to(server.url).send(POST).status == 400


def test_a_redirect_is_not_followed() -> None:
    elsewhere = answer(b"", b"Location: http://127.0.0.1:9/", status=b"302 Found")
    with serving(says(elsewhere)) as server:
        assert transport_to(server.url).send(GET).status == 302
        assert len(server.requests) == 1


def test_an_answer_without_a_body_is_no_error() -> None:
    with serving(says(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        found = transport_to(server.url).send(POST)

    assert (found.status, found.data) == (204, None)


def test_the_connection_is_kept_and_renewed_when_the_server_hung_up() -> None:
    with serving(says(OK)) as server:
        transport = transport_to(server.url)
        for _ in range(5):
            transport.send(GET)

        assert server.connections == 1


def test_a_packed_body_is_unpacked() -> None:
    packed = gzip.compress(b'{"ok":true}')
    with serving(says(answer(packed, b"Content-Encoding: gzip"))) as server:
        assert transport_to(server.url).send(GET).data == {"ok": True}


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        pytest.param(resets, NoAnswer, Reason.RESET, id="reset"),
        pytest.param(says(b"", close=True), NoAnswer, Reason.RESET, id="closed"),
        pytest.param(says(b"nonsense\r\n\r\n", close=True), NoAnswer, Reason.RESET, id="no http"),
        pytest.param(says(b""), NoAnswer, Reason.TIMEOUT, id="silence"),
        pytest.param(drips(OK, every=0.1), NoAnswer, Reason.TIMEOUT, id="slow head"),
        pytest.param(
            says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000_000), NoAnswer, None, id="huge header"
        ),
        pytest.param(
            says(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 9000 + b"\r\n" * 1 + b"Y: y\r\n" * 5000),
            NoAnswer,
            None,
            id="many headers",
        ),
        pytest.param(says(answer(b'{"a":1}')[:-3], close=True), BadAnswer, Reason.CUT, id="cut"),
        pytest.param(says(answer(b'{"a":1}')[:-3]), BadAnswer, Reason.TIMEOUT, id="stalled"),
        pytest.param(says(answer(b'{"a":[1,')), BadAnswer, Reason.CUT, id="cut but whole"),
        pytest.param(says(answer(b'{"a":NaN}')), BadAnswer, Reason.NOT_JSON, id="NaN"),
        pytest.param(says(answer(b'{"a":"\xff"}')), BadAnswer, Reason.NOT_JSON, id="charset"),
        pytest.param(says(answer(b"")), BadAnswer, Reason.EMPTY, id="empty"),
        pytest.param(
            says(answer(b"<!doctype html>", kind=b"text/html")),
            BadAnswer,
            Reason.NOT_JSON,
            id="page",
        ),
        pytest.param(
            says(answer(b'{"a":1}', kind=b"text/plain")), BadAnswer, Reason.NOT_JSON, id="type"
        ),
        pytest.param(
            says(answer(b"not packed", b"Content-Encoding: gzip")), BadAnswer, Reason.CUT, id="gzip"
        ),
    ],
)
def test_after_the_request_was_sent_nobody_claims_it_had_no_effect(
    script: Script, kind: type[CallFailed], reason: Reason | None
) -> None:
    failure = failure_of(script)

    assert type(failure) is kind
    assert reason is None or failure.reason is reason


def test_a_body_dripping_past_the_whole_deadline_is_given_up() -> None:
    head, body = answer(b" " * 1000).split(b"\r\n\r\n")

    def script(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head + b"\r\n\r\n")
        for byte in body:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    failure = failure_of(script)

    assert isinstance(failure, BadAnswer)
    assert failure.reason is Reason.TIMEOUT


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            says(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), id="announced"
        ),
        pytest.param(
            says(answer(gzip.compress(bytes(40_000_000)), b"Content-Encoding: gzip")), id="packed"
        ),
    ],
)
def test_more_than_32_mb_are_not_taken(script: Script) -> None:
    failure = failure_of(script)

    assert isinstance(failure, BadAnswer)
    assert failure.reason is Reason.TOO_LARGE


def test_nothing_is_sent_to_a_closed_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(NotSent) as failed:
        transport_to(f"http://127.0.0.1:{port}").send(POST)

    assert failed.value.reason is Reason.CONNECT


def test_nothing_is_sent_to_an_unknown_name() -> None:
    def unknown(host: str, _port: int, _seconds: float) -> Sequence[str]:
        raise NotSent(Reason.NAME, f"The name {host} is not known.")

    with pytest.raises(NotSent, match=r"nowhere\.example"):
        transport_to("http://nowhere.example:8080", resolver=unknown).send(POST)


def test_a_name_is_asked_once_and_called_where_it_was_checked() -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    asked: list[str] = []

    def rebinding(host: str, _port: int, _seconds: float) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    with serving(says(OK)) as server:
        transport = transport_to(f"http://crm.example:{server.port}", resolver=rebinding)
        first = transport.send(GET)
        transport.send(GET)
        transport.close()
        with pytest.raises(NotSent) as refused:
            transport.send(GET)

        assert first.ok
        assert f"Host: crm.example:{server.port}".encode() in server.requests[0]
        assert len(server.requests) == 2

    assert asked == ["crm.example", "crm.example"]
    assert refused.value.reason is Reason.REFUSED


def test_of_several_checked_addresses_the_first_that_answers_is_used() -> None:
    def two(_host: str, _port: int, _seconds: float) -> Sequence[str]:
        return ["::1", "127.0.0.1"]

    with serving(says(OK)) as server:
        transport = transport_to(f"http://crm.example:{server.port}", resolver=two)

        assert transport.send(GET).ok


def test_every_call_is_logged_without_secrets() -> None:
    log = LocalCallLog()
    secret = "canary-secret-1"
    reply = answer(b'{"echo":"canary-secret-1","mail":"ann@mail.example.com"}')
    with serving(says(reply)) as server:
        endpoint = Endpoint(
            server.url, headers={"Authorization": f"Bearer {secret}"}, secrets=(secret,)
        )
        transport = Transport(endpoint, Wiring(private_networks=LOOPBACK, log=log))
        transport.send(Request("POST", f"/x?code={secret}", f'{{"p":"{secret}"}}'.encode()))

        assert secret.encode() in server.requests[0]

    [entry] = log.entries
    assert (entry.method, entry.status, entry.failure) == ("POST", 200, "")
    assert secret not in repr(entry)
    assert "ann@" not in repr(entry)


def test_a_page_in_place_of_json_is_logged_with_what_it_was() -> None:
    log = LocalCallLog()
    page = says(answer(b"<html>Please log in</html>", kind=b"text/html"))
    with serving(page) as server, pytest.raises(BadAnswer):
        transport_to(server.url, log=log).send(GET)

    [entry] = log.entries
    assert entry.status == 200
    assert "Please log in" in entry.answer_body
    assert "web page" in entry.failure


def test_ten_failures_open_the_breaker_and_nothing_more_is_sent() -> None:
    breaker = LocalBreaker(clock=lambda: 0.0)
    with serving(says(answer(b"{}", status=b"500 Broken"))) as server:
        transport = transport_to(server.url, breaker=breaker)
        for _ in range(10):
            transport.send(GET)

        with pytest.raises(RetryLater) as later:
            transport.send(GET)

        assert len(server.requests) == 10
    assert later.value.after_seconds > 0


def test_a_probe_is_not_spent_on_a_call_the_budget_holds_back() -> None:
    now = [0.0]
    breaker = LocalBreaker(clock=lambda: now[0])
    budget = LocalBudget({}, clock=lambda: now[0])
    for _ in range(10):
        breaker.failed()
    now[0] = 31.0
    budget.learn(Seen("", blocked_seconds=16.0))
    with serving(says(OK)) as server:
        transport = transport_to(server.url, breaker=breaker, budget=budget)
        with pytest.raises(RetryLater):
            transport.send(GET)
        now[0] = 48.0

        assert transport.send(GET).ok


def test_refusals_do_not_open_the_breaker() -> None:
    breaker = LocalBreaker(clock=lambda: 0.0)
    with serving(says(answer(b"{}", status=b"429 Busy"))) as server:
        transport = transport_to(server.url, breaker=breaker)
        for _ in range(20):
            transport.send(GET)

    assert breaker.wait_seconds() == 0.0


def test_an_address_we_refuse_does_not_count_against_the_crm() -> None:
    breaker = LocalBreaker(clock=lambda: 0.0)
    transport = transport_to(
        "http://crm.example", breaker=breaker, resolver=lambda *_: ["169.254.169.254"]
    )
    for _ in range(20):
        with pytest.raises(NotSent):
            transport.send(GET)

    assert breaker.wait_seconds() == 0.0


def test_a_short_wait_for_the_budget_is_waited_for_and_a_long_one_is_not() -> None:
    now = [0.0]
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    budget = LocalBudget({"": (1, 10.0)}, clock=lambda: now[0])
    with serving(says(OK)) as server:
        transport = transport_to(server.url, budget=budget, pause=pause, rank=Rank.PEOPLE)
        transport.send(GET)
        transport.send(GET)
        budget.learn(Seen("", blocked_seconds=16.0))
        with pytest.raises(RetryLater) as later:
            transport.send(GET)

        assert len(server.requests) == 2
    assert waits == [10.0]
    assert later.value.after_seconds == 16.0


def test_nul_characters_never_come_in() -> None:
    with serving(says(answer(b'{"a\\u0000b":["x\\u0000y",{"z":"\\u0000"}]}'))) as server:
        assert transport_to(server.url).send(GET).data == {"ab": ["xy", {"z": ""}]}


@pytest.mark.parametrize(
    ("date", "low", "high"),
    [
        pytest.param(b"Fri, 01 Jan 2100 00:00:00 GMT", 1e9, 4e9, id="ahead"),
        pytest.param(b"Thu, 01 Jan 1970 00:00:00 GMT", -4e9, -1e9, id="behind"),
        pytest.param(b"yesterday", 0.0, 0.0, id="unreadable"),
        pytest.param(b"", 0.0, 0.0, id="missing"),
    ],
)
def test_their_clock_is_measured(date: bytes, low: float, high: float) -> None:
    with serving(says(answer(b"{}", b"Date: " + date))) as server:
        transport = transport_to(server.url)
        transport.send(GET)

    assert low <= transport.clock_offset <= high
