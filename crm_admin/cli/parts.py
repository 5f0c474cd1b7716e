"""`flask crm worker`, `scheduler`, `simulate`: the parts that `bin/start` runs."""

import logging
import signal
import time
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from crm_admin import clock
from crm_admin.jobs.worker import work
from crm_admin.services import processes, schedules
from crm_admin.simulators import server

TICK_SECONDS = 1.0
BEAT_SECONDS = 10.0
SEAL_SECONDS = 60.0

logger = logging.getLogger(__name__)


class _Stop:
    """Set by SIGTERM or Ctrl-C: the loop ends after the tick in hand."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True


@click.command("worker")
@click.option("--queues", default="now,bulk", help="Served in this order.")
@click.option("--burst", is_flag=True, help="Stop when there is nothing left to do.")
@with_appcontext
def worker(queues: str, burst: bool) -> None:
    """Carry out syncs and checks."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 -- Flask's own way to the app
    work(app, [name for name in queues.split(",") if name], burst=burst)


@click.command("scheduler")
@with_appcontext
def scheduler() -> None:
    """Start what is due and wake what was lost; any number may run, each tick happens once."""
    stop = _Stop()
    reconcile_seconds = current_app.config["CRM"].reconcile_seconds
    reconciled = beaten = sealed = -1e9
    is_in_line = False
    while not stop.asked:
        now = clock.monotonic()
        try:
            if not is_in_line:
                schedules.bring_into_line()
                is_in_line = True
            schedules.tick()
            if now - reconciled >= reconcile_seconds:
                schedules.reconcile()
                reconciled = now
            if now - beaten >= BEAT_SECONDS:
                processes.beat("scheduler")
                beaten = now
            if now - sealed >= SEAL_SECONDS:
                schedules.seal_audit()
                sealed = now
        except Exception:
            logger.exception("the scheduler goes on after an error")
        time.sleep(TICK_SECONDS)


@click.command("simulate")
@click.argument("provider", required=False)
@click.option("--port", type=int, required=True)
@click.option("--data", type=click.Path(path_type=Path), help="Keep the records in this file.")
def simulate(provider: str | None, port: int, data: Path | None) -> None:
    """Serve a simulated CRM on this machine."""
    server.serve(port, provider=provider, data=data)


def register(crm: click.Group) -> None:
    """Add the parts to `flask crm`."""
    for command in (worker, scheduler, simulate):
        crm.add_command(command)
