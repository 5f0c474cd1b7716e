"""`bin/start`: everything on one machine, in order, until Ctrl-C."""

import argparse
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from typing import Final

from crm_admin import database_roles
from crm_admin.errors import CrmAdminError, Unavailable
from crm_admin.launcher import (
    embedded,
    environment,
    migrations,
    parts,
    places,
    ports,
    secretfile,
    state,
)
from crm_admin.launcher.places import Places
from crm_admin.launcher.supervisor import Supervisor

READY_SECONDS: Final = 60
SIMULATED_APP: Final = "crm-admin-demo"
PEOPLE: Final = {
    "admin@demo.test": "connections, mapping, people",
    "operator@demo.test": "runs, imports, conflicts",
    "owner@demo.test": "the state of their own POVs",
    "viewer@demo.test": "reading only",
}


logger = logging.getLogger(__name__)


class Start:
    """One start of a checkout, from sockets to the sentence that it is ready."""

    def __init__(self, where: Places, *, port: int, demo: bool) -> None:
        self.places = where
        self.port = port
        self.demo = demo
        self.secrets = secretfile.load(where.var)
        self.sockets = places.socket_folder()
        self.supervisor = Supervisor()
        self.environ = environment.complete(
            environment.given(where.checkout), places=where, secrets=self.secrets, port=port
        )

    def run(self) -> None:
        """Start all, say so, watch over it, stop all."""
        self.supervisor.listen()
        try:
            self._servers()
            self._programs()
            if not self.supervisor.stopping:
                self._announce()
            self.supervisor.run()
        finally:
            self.supervisor.stop()
            places.remove_socket_folder(self.sockets)

    def _servers(self) -> None:
        servers = embedded.needed(
            self.environ, places=self.places, sockets=self.sockets, secrets=self.secrets
        )
        try:
            self.environ |= servers.start()
        finally:
            for name, server in (("postgresql", servers.postgres), ("valkey", servers.valkey)):
                if server is not None and server.process is not None:
                    self.supervisor.adopt(name, server, server.ending)
        self._note()
        migrations.upgrade(
            self.places.checkout,
            self.environ,
            server=servers.postgres,
            database=database_roles.DATABASE,
        )

    def _programs(self) -> None:
        simulators = self._simulators() if self.demo else None
        self.supervisor.add("web", parts.web(self.places, self.environ, self.port))
        self._await("/readyz", self.port)
        # pages come first: the others would only make them wait for a processor
        for name in parts.WORKERS:
            self.supervisor.add(name, parts.worker(self.places, self.environ, name))
        self.supervisor.add("scheduler", parts.scheduler(self.places, self.environ))
        if simulators is not None:
            self._await("/", simulators)
            _register_app(simulators, self.secrets["simulator_client"])
        self._note()
        self.supervisor.changed = self._note

    def _simulators(self) -> int:
        """Start the simulated CRMs; the first time, both sides get their demo records."""
        port = ports.lasting(self.places.var / "simulators.port", self.port + 100)
        self.environ |= {
            "DEMO": "1",
            "SIMULATOR_URL": f"http://{ports.LOOPBACK}:{port}",
            "HUBSPOT_SIMULATOR_CLIENT_ID": SIMULATED_APP,
            "HUBSPOT_SIMULATOR_CLIENT_SECRET": self.secrets["simulator_client"],
        }
        self.supervisor.add("simulators", parts.simulators(self.places, self.environ, port))
        stamp = self.places.var / "seeded"
        if not stamp.exists():
            self._await("/", port)
            self._seed()
            stamp.touch(mode=0o600)
        return port

    def _seed(self) -> None:
        log = self.places.logs / "seed.log"
        with log.open("ab") as output:
            done = subprocess.run(
                parts.flask("crm", "seed"),
                cwd=self.places.checkout,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            reason = log.read_text(encoding="utf-8").strip().rpartition("\n")[2]
            raise Unavailable(f"The demo organisation could not be made: {reason}\nSee {log}.")

    def _await(self, path: str, port: int) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.supervisor.stopping and not _answers(path, port):
            self.supervisor.look_after()
            if time.monotonic() > deadline:
                raise Unavailable(f"Port {port} does not answer; see {self.places.logs}.")
            time.sleep(0.05)

    def _note(self) -> None:
        state.write(
            self.places,
            state.Running(
                pid=os.getpid(),
                command="bin/start",
                sockets=str(self.sockets),
                environ=_own(self.environ),
                pids=self.supervisor.pids(),
                url=f"http://{ports.LOOPBACK}:{self.port}",
            ),
        )

    def _announce(self) -> None:
        lines = [f"CRM Admin is ready at http://{ports.LOOPBACK}:{self.port}"]
        if self.demo:
            password = self.environ["DEMO_PASSWORD"]
            lines += ["", f"Sign in with the password {password} as"]
            lines += [f"  {email:<20} {what}" for email, what in PEOPLE.items()]
        lines += ["", "Ctrl-C stops everything."]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and start; returns the exit code."""
    parser = argparse.ArgumentParser(prog="bin/start", description="Start CRM Admin here.")
    parser.add_argument("--port", type=int, default=8000, help="where pages are served (8000)")
    parser.add_argument("--no-demo", action="store_true", help="no demo data, no simulated CRMs")
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr)
    where = places.of_checkout()
    try:
        with state.owning(where, "bin/start"):
            if not ports.is_free(given.port):
                raise Unavailable(
                    f"Port {given.port} is in use by another program."
                    f" Stop that one, or choose another: bin/start --port {given.port + 1}"
                )
            Start(where, port=given.port, demo=not given.no_demo).run()
    except CrmAdminError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1
    return 0


def _answers(path: str, port: int) -> bool:
    connection = HTTPConnection(ports.LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _register_app(port: int, secret: str) -> None:
    """Make our application known to the simulated HubSpot; one that knows none accepts any, so a
    simulator that was started again meanwhile lets people in as well.
    """
    body = json.dumps({"oauth_clients": {SIMULATED_APP: secret}})
    connection = HTTPConnection(ports.LOOPBACK, port, timeout=5)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/hubspot/_sim/config", body, headers)
        connection.getresponse().read()
    except OSError as error:
        logger.warning("the simulated HubSpot does not know our application: %s", error)
    finally:
        connection.close()


def _own(environ: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name in environment.OURS}


if __name__ == "__main__":
    sys.exit(main())
