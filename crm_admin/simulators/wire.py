"""The shapes in which every simulator takes a request and gives an answer, whatever server carries
them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson

JSON = "application/json;charset=utf-8"


class NotJson(Exception):
    """The body is not a JSON object."""


class Cut(Exception):
    """Close the connection now without an answer, by a reset when `reset`."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("cut")
        self.reset = reset


class Hang(Exception):
    """Never answer: keep silent until the client leaves or `seconds` are over, wait `delay`, then
    do `effect`.
    """

    def __init__(
        self, seconds: float, effect: Callable[[], object] | None = None, delay: float = 0.0
    ) -> None:
        super().__init__("hang")
        self.seconds = seconds
        self.effect = effect
        self.delay = delay


@dataclass(slots=True)
class Request:
    """`path` lies below the mount, `root` is the mount; header names are lower case."""

    method: str
    path: str
    root: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    _query: dict[str, list[str]] | None = None

    @property
    def query(self) -> dict[str, list[str]]:
        if self._query is None:
            self._query = parse_qs(self.query_string, keep_blank_values=True)
        return self._query

    def arg(self, name: str, default: str = "") -> str:
        found = self.query.get(name)
        return found[0] if found else default

    def flag(self, name: str) -> bool:
        return self.arg(name).lower() == "true"

    def names(self, name: str) -> tuple[str, ...]:
        """The values of a list argument, given by commas, by repetition or both."""
        found = self.query.get(name, ())
        return tuple(part for value in found for part in value.split(",") if part)

    def loaded(self) -> object:
        try:
            return orjson.loads(self.body) if self.body else {}
        except orjson.JSONDecodeError as error:
            raise NotJson(str(error)) from error

    def json(self) -> dict[str, object]:
        loaded = self.loaded()
        if not isinstance(loaded, dict):
            raise NotJson("a JSON object is expected")
        return loaded

    def form(self) -> dict[str, str]:
        text = self.body.decode("utf-8", "replace")
        return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}


@dataclass(slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: Iterator[bytes] | None = None

    def set(self, name: str, value: str) -> None:
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        self.headers.append((name, value))


Handler = Callable[[Request], Answer]
WsgiApp = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


def json_answer(value: object, status: int = 200) -> Answer:
    """An answer with this JSON."""
    return Answer(status=status, body=orjson.dumps(value))


def redirect_to(location: str, status: int = 303) -> Answer:
    """An answer that sends the client elsewhere."""
    return Answer(status=status, content_type="text/plain", headers=[("Location", location)])


def as_map(value: object) -> dict[str, object]:
    """The JSON object, or an empty one where there is something else."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The JSON array, or an empty one where there is something else."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """JSON scalars as the text a CRM keeps: null is nothing, booleans are lower case."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def as_int(value: object, default: int = 0) -> int:
    """The whole number that is written, or the default."""
    try:
        return int(as_text(value))
    except ValueError:
        return default


def as_float(value: object, default: float = 0.0) -> float:
    """The number that is written, or the default."""
    try:
        return float(as_text(value))
    except ValueError:
        return default


def read_request(environ: WSGIEnvironment) -> Request:
    """The request as WSGI hands it over."""
    length = as_int(environ.get("CONTENT_LENGTH"))
    source = environ.get("wsgi.input") or BytesIO()
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace") or "/",
        root=environ.get("SCRIPT_NAME", ""),
        query_string=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=source.read(length) if length > 0 else b"",
    )


def as_wsgi(handle: Handler) -> WsgiApp:
    """The handler as a WSGI application."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = handle(read_request(environ))
        headers = [*answer.headers]
        if answer.body or answer.stream is not None or answer.status not in (204, 304):
            headers.append(("Content-Type", answer.content_type))
        if answer.stream is None:
            headers.append(("Content-Length", str(len(answer.body))))
        start_response(f"{answer.status} {reason_of(answer.status)}", headers)
        return [answer.body] if answer.stream is None else answer.stream

    return app


def reason_of(status: int) -> str:
    """The words behind a status, also where the status is nobody else's."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
