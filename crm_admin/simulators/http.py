"""A small threaded HTTP/1.1 server for WSGI, because faults must reach the socket and pages must be
fast.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from io import BufferedReader, BytesIO
from types import TracebackType
from typing import BinaryIO, Final
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from crm_admin.simulators.wire import Cut, Hang, WsgiApp

MAX_HEAD: Final = 128 * 1024
MAX_BODY: Final = 64 * 1024 * 1024
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)

Head = tuple[str, str, dict[str, str]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class BadRequest(Exception):
    """The bytes are no HTTP request this server answers."""


class HttpServer:
    """Serves one WSGI application on one address, a thread per connection, until `close`."""

    def __init__(self, app: WsgiApp, host: str, port: int) -> None:
        self._app = app
        self._listener = socket.create_server((host, port), backlog=128)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def serve_forever(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self, connection: socket.socket) -> None:
        reader = BufferedReader(socket.SocketIO(connection, "r"), 65536)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._stopping.is_set() and self._exchange(connection, reader):
                pass
        except Hang as hang:
            self._keep_silent(connection, hang)
        except Cut as cut:
            if cut.reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        except BadRequest:
            with contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            # The client left; there is nobody to tell.
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            with contextlib.suppress(OSError):
                reader.close()
            connection.close()

    def _exchange(self, connection: socket.socket, reader: BinaryIO) -> bool:
        head = read_head(reader)
        if head is None:
            return False
        method, target, headers = head
        body = read_body(connection, reader, headers)
        environ = self._environ(method, target, headers, body)
        keep = headers.get("connection", "").lower() != "close"
        return write_answer(connection, self._app, environ, keep=keep)

    def _environ(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> WSGIEnvironment:
        path, _, query = target.partition("?")
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": self.host,
            "SERVER_PORT": str(self.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": headers.pop("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ

    def _keep_silent(self, connection: socket.socket, hang: Hang) -> None:
        deadline = time.monotonic() + hang.seconds
        connection.settimeout(0.05)
        while time.monotonic() < deadline and not self._stopping.is_set():
            try:
                if connection.recv(1, socket.MSG_PEEK) == b"":
                    break
                self._stopping.wait(0.05)
            except TimeoutError:
                continue
            except OSError:
                break
        if hang.effect is not None and not self._stopping.wait(hang.delay):
            hang.effect()


def read_head(reader: BinaryIO) -> Head | None:
    """The request line and headers, or None when the client has closed."""
    first = reader.readline(MAX_HEAD)
    if not first.strip():
        return None
    parts = first.decode("latin-1").split()
    if len(parts) != 3:
        raise BadRequest
    headers: dict[str, str] = {}
    size = len(first)
    while True:
        line = reader.readline(MAX_HEAD)
        size += len(line)
        if size > MAX_HEAD or not line:
            raise BadRequest
        if line in (b"\r\n", b"\n"):
            return parts[0], parts[1], headers
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()


def read_body(connection: socket.socket, reader: BinaryIO, headers: dict[str, str]) -> bytes:
    """The body by its announced length; other ways to end a body are refused."""
    text = headers.pop("content-length", "0")
    if "transfer-encoding" in headers or not text.isdigit() or int(text) > MAX_BODY:
        raise BadRequest
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return reader.read(int(text)) if text != "0" else b""


def write_answer(
    connection: socket.socket, app: WsgiApp, environ: WSGIEnvironment, *, keep: bool
) -> bool:
    """Runs the application and sends its answer; says whether the connection may go on."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return connection.sendall

    chunks = app(environ, start_response)
    status, headers = started[-1]
    names = {name.lower() for name, _ in headers}
    keep = keep and "content-length" in names
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    if "date" not in names:
        lines.append("Date: " + formatdate(usegmt=True))
    if not keep:
        lines.append("Connection: close")
    send(connection, "\r\n".join([*lines, "", ""]).encode("latin-1"), chunks, environ)
    return keep


def send(
    connection: socket.socket, head: bytes, chunks: Iterable[bytes], environ: WSGIEnvironment
) -> None:
    """Sends head and body in one go, or piece by piece where the body is a stream."""
    if environ["REQUEST_METHOD"] == "HEAD":
        connection.sendall(head)
    elif isinstance(chunks, list):
        connection.sendall(b"".join((head, *chunks)))
    else:
        connection.sendall(head)
        for chunk in chunks:
            connection.sendall(chunk)
