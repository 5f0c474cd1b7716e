"""The simulators as one application, and the ways to serve it: in this process, in a thread, by
hand.
"""

import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from crm_admin.simulators.crm import Crm
from crm_admin.simulators.http import HttpServer
from crm_admin.simulators.hubspot.hub import HubSpot
from crm_admin.simulators.hubspot.settings import Limits
from crm_admin.simulators.wire import Answer, Request, WsgiApp, as_wsgi, json_answer

# Another CRM is one more folder and one more line here.
PROVIDERS: Final[Mapping[str, Callable[..., Crm]]] = {"hubspot": HubSpot}
LOOPBACK: Final = "127.0.0.1"


class Simulators:
    """The CRMs of one server: one at the root, or all under their names."""

    def __init__(
        self,
        provider: str | None = None,
        *,
        data: Path | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._root = provider
        names = PROVIDERS if provider is None else {provider: PROVIDERS[provider]}
        self.crms = {
            name: make(data=_data_of(data, name, alone=len(names) == 1), limits=limits)
            for name, make in names.items()
        }

    def handle(self, request: Request) -> Answer:
        if self._root is not None:
            return self.crms[self._root].handle(request)
        first, _, rest = request.path[1:].partition("/")
        crm = self.crms.get(first)
        if crm is None:
            return json_answer(
                {"simulators": [f"/{name}" for name in self.crms]}, 404 if first else 200
            )
        request.root += f"/{first}"
        request.path = f"/{rest}"
        return crm.handle(request)

    def close(self) -> None:
        for crm in self.crms.values():
            crm.close()


def _data_of(data: Path | None, name: str, *, alone: bool) -> Path | None:
    """Each CRM keeps its own file beside the named one, unless it is the only one."""
    return data if data is None or alone else data.with_name(f"{data.stem}-{name}{data.suffix}")


def make_app(
    provider: str | None = None, *, data: Path | None = None, limits: Limits | None = None
) -> WsgiApp:
    """A WSGI application with the named CRM at the root, or with all under `/<provider>`."""
    return as_wsgi(Simulators(provider, data=data, limits=limits).handle)


class Running:
    """A served simulator: a client's host setting is `url`, the first CRM itself is `crm`."""

    def __init__(self, simulators: Simulators, port: int = 0, host: str = LOOPBACK) -> None:
        self._simulators = simulators
        self._server = HttpServer(as_wsgi(simulators.handle), host, port)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.port = self._server.port
        self.url = f"http://{host}:{self.port}"

    @property
    def crm(self) -> Crm:
        return next(iter(self._simulators.crms.values()))

    def start(self) -> "Running":
        self._thread.start()
        return self

    def serve_forever(self) -> None:
        self._server.serve_forever()

    def close(self) -> None:
        self._server.close()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._simulators.close()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def start_in_thread(
    provider: str | None = "hubspot",
    *,
    port: int = 0,
    data: Path | None = None,
    limits: Limits | None = None,
) -> Running:
    """The simulator answers at `.url` when this returns; `close()` or leaving the `with` block ends
    it.
    """
    return Running(Simulators(provider, data=data, limits=limits), port).start()


def serve(
    port: int = 0,
    *,
    host: str = LOOPBACK,
    provider: str | None = None,
    data: Path | None = None,
    limits: Limits | None = None,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM, in the main thread; `ready` is told the port at the start."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    running = Running(Simulators(provider, data=data, limits=limits), port, host)
    try:
        if ready is not None:
            ready(running.port)
        running.serve_forever()
    except KeyboardInterrupt:
        # Ctrl-C is how a person ends it.
        pass
    finally:
        running.close()
