"""`bin/crm …`: `flask crm …` with servers, those of a running start or its own while it works."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final

from crm_admin import database_roles
from crm_admin.errors import CrmAdminError, Unavailable
from crm_admin.launcher import (
    embedded,
    environment,
    migrations,
    parts,
    places,
    processes,
    secretfile,
    state,
)
from crm_admin.launcher.places import Places

PATIENCE_SECONDS: Final = 60
WITHOUT_SERVERS: Final = (["simulate"], ["database", "roles"])
NOWHERE: Final = {
    "DATABASE_URL": f"postgresql+psycopg://{database_roles.LOGIN}@/{database_roles.DATABASE}",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Only the command itself writes to stdout."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    where = places.of_checkout()
    try:
        return _run(words, where)
    except CrmAdminError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1


def _run(words: list[str], where: Places) -> int:
    secrets = secretfile.load(where.var)
    environ = environment.complete(
        environment.given(where.checkout), places=where, secrets=secrets, port=8000
    )
    if _needs_no_server(words):
        return _call(words, {**NOWHERE, **environ})
    if environ.get("DATABASE_URL") and environ.get("REDIS_URL"):
        return _call(words, environ)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with state.owning(where, "bin/crm"):
                return _with_own_servers(words, where, environ, secrets)
        except state.Held:
            code = _with_running_servers(words, where, environ)
        if code is not None:
            return code
        if time.monotonic() > deadline:
            raise Unavailable(
                f"The servers of {where.checkout} are neither up nor down; try again."
            )
        time.sleep(0.1)


def _with_own_servers(
    words: list[str], where: Places, environ: dict[str, str], secrets: dict[str, str]
) -> int:
    sockets = places.socket_folder()
    servers = embedded.needed(environ, places=where, sockets=sockets, secrets=secrets)
    try:
        environ = {**environ, **servers.start()}
        migrations.upgrade(
            where.checkout, environ, server=servers.postgres, database=database_roles.DATABASE
        )
        running = state.Running(
            pid=os.getpid(),
            command="bin/crm",
            sockets=str(sockets),
            environ={name: environ[name] for name in environment.OURS if name in environ},
            pids=servers.pids(),
        )
        state.write(where, running)
        return _call(words, environ)
    finally:
        with state.using(where, alone=True):
            where.run_file.unlink(missing_ok=True)
            servers.stop()
            places.remove_socket_folder(sockets)


def _with_running_servers(
    words: list[str], where: Places, environ: Mapping[str, str]
) -> int | None:
    """Run the command beside a running start; None when that one comes up or goes down just now."""
    with state.using(where):
        running = state.read(where)
        if running is None or not processes.is_alive(running.pid):
            return None
        return _call(words, {**environ, **running.environ})


def _needs_no_server(words: list[str]) -> bool:
    if not words or "--help" in words:
        return True
    return any(words[: len(start)] == start for start in WITHOUT_SERVERS)


def _call(words: list[str], environ: Mapping[str, str]) -> int:
    path = os.pathsep.join(filter(None, [str(places.CHECKOUT), environ.get("PYTHONPATH", "")]))
    child = subprocess.Popen(
        parts.flask("crm", *words),
        env={**environ, "PYTHONPATH": path},
        preexec_fn=processes.tie(signal.SIGTERM),
    )
    # Ctrl-C reaches the command by itself; whoever ends us by name must reach it through us
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
