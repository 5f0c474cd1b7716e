"""Connections to checked addresses only, within deadlines, that know whether they sent a byte."""

import io
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from time import monotonic
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from crm_admin.outward.failures import NotSent, Reason
from crm_admin.outward.guard import Resolver, Rules, Target, check_addresses, resolve

MAX_HEAD_BYTES = 128 * 1024
READ_BUFFER = 128 * 1024


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds: to connect, between two bytes, for the whole call."""

    connect: float = 5.0
    between: float = 15.0
    total: float = 45.0


class HeadTooLarge(OSError):
    """The headers of an answer are larger than any honest ones."""


class Watch(threading.local):
    """What is known of the call that this thread has under way."""

    def __init__(self, target: Target, rules: Rules, resolver: Resolver = resolve) -> None:
        self._target = target
        self._rules = rules
        self._resolver = resolver
        self.start(Deadlines())

    def start(self, deadlines: Deadlines) -> None:
        """Begin a call: its time runs from now, and nothing was sent yet."""
        self._deadlines = deadlines
        self._until = monotonic() + deadlines.total
        self.sent = False

    def patience(self, most: float) -> float:
        """Return how long the next step may take; TimeoutError when the call's time is over."""
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("the time for the call is over")
        return min(left, most)

    def between(self) -> float:
        """Return how long to wait for the next byte."""
        return self.patience(self._deadlines.between)

    def connect(self) -> socket.socket:
        """Return a socket to one of the checked addresses; the name is asked once."""
        until = monotonic() + self.patience(self._deadlines.connect)
        target = self._target
        found = self._resolver(target.host, target.port, until - monotonic())
        addresses = check_addresses(target, found, self._rules)
        return self._connect_to(addresses, until)

    def _connect_to(self, addresses: Sequence[str], until: float) -> socket.socket:
        problem: OSError | None = None
        for place, address in enumerate(addresses):
            share = (until - monotonic()) / (len(addresses) - place)
            if share <= 0:
                break
            try:
                sock = socket.create_connection((address, self._target.port), share)
            except OSError as error:
                problem = error
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        sentence = f"{self._target.host} cannot be reached."
        raise NotSent(Reason.CONNECT, sentence) from problem


class _WatchedReader(io.RawIOBase):
    """The bytes of an answer, each read within the deadlines, the head within its size."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, watch: Watch) -> None:
        self._raw = raw
        self._sock = sock
        self._watch = watch
        self.head_left: int | None = MAX_HEAD_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._watch.between())
        count = self._raw.readinto(buffer)
        if self.head_left is not None and count:
            self.head_left -= count
            if self.head_left < 0:
                raise HeadTooLarge("the headers of the answer are too large")
        return int(count) if count is not None else None

    def close(self) -> None:
        self._raw.close()
        super().close()


class _WatchedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, watch: Watch, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        # The file object must stay the socket's own, because it keeps the socket open for reading.
        self._reader = _WatchedReader(self.fp.detach(), sock, watch)
        self.fp = io.BufferedReader(self._reader, READ_BUFFER)

    def begin(self) -> None:
        super().begin()
        self._reader.head_left = None


class _Guarded(HTTPConnection):
    watch: Watch

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.response_class = partial(_WatchedResponse, watch=self.watch)  # type: ignore[assignment]

    def _new_conn(self) -> socket.socket:
        return self.watch.connect()

    def connect(self) -> None:
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            sentence = f"The certificate of {self.host} is not valid: {error.verify_message}."
            raise NotSent(Reason.TLS, sentence) from error
        except ssl.SSLError as error:
            raise NotSent(Reason.TLS, f"{self.host} does not speak TLS as expected.") from error

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.sock.settimeout(self.watch.between())
        self.watch.sent = True
        super().send(data)


class _GuardedSecure(_Guarded, HTTPSConnection):
    pass


class GuardedAdapter(HTTPAdapter):
    """An adapter whose connections are all guarded by one watch."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        super().__init__(pool_connections=1, pool_maxsize=4, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools whose connections are guarded."""
        super().init_poolmanager(*args, **options)
        bound = {"watch": self._watch}
        plain = type("Plain", (_Guarded,), bound)
        secure = type("Secure", (_GuardedSecure,), bound)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
