"""Doors of the sync pages: what runs now, the history, the queue, and every POV."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.formats import zone
from crm_admin.blueprints.forms import argument, attempt, once_key, one_of, text
from crm_admin.blueprints.rendering import fragment, page
from crm_admin.blueprints.sync import progress
from crm_admin.clock import now as moment
from crm_admin.errors import BadInput
from crm_admin.security.permissions import Permission
from crm_admin.services import sync_runs
from crm_admin.services.queries import connections as connections_query
from crm_admin.services.queries import history as history_query
from crm_admin.services.queries import queue as queue_query
from crm_admin.services.queries import runs as runs_query
from crm_admin.services.queries.pov_states import pov_states
from crm_admin.services.queries.scope import require_whole

sync = Blueprint("sync", __name__, url_prefix="/admin/crm/sync")

TABS = {"history", "errors", "queue", "povs"}


@sync.get("")
@requires(Permission.RECORD_READ)
def now() -> Response:
    if argument("tab") in TABS:
        return redirect(url_for(f".{argument('tab')}"))
    require_whole(signed_in())
    return page(
        "sync/now.html",
        newest=runs_query.newest_runs(8),
        cards=connections_query.cards(),
        once=once_key(),
        chosen=argument("connection"),
        **_running(),
    )


def _running() -> dict[str, Any]:
    return {"running": runs_query.live_runs(), "pace": progress}


@sync.get("/_active")
@requires(Permission.RECORD_READ)
def active() -> Response:
    require_whole(signed_in())
    return fragment("sync/_active.html", **_running())


@sync.post("")
@requires(Permission.SYNC_RUN)
def start() -> Response:
    try:
        connection_id = UUID(text("connection"))
    except ValueError as error:
        raise BadInput("connection", "Choose a connection.") from error
    mode, staged = one_of("mode", ("full", "delta")), one_of("kind", ("plan", "run")) == "plan"
    started = attempt(
        lambda: sync_runs.start(
            person=signed_in(),
            connection_id=connection_id,
            mode=mode,
            staged=staged,
            once_key=text("once_key") or None,
        )
    )
    return to_run(started, url_for(".now", connection=connection_id))


def to_run(started: sync_runs.RunRef | None, otherwise: str) -> Response:
    """Go to the run that was started, or back with the reason why none was."""
    return redirect(url_for(".run", run_id=started.id) if started else otherwise, 303)


@sync.get("/history")
@requires(Permission.RECORD_READ)
def history() -> Response:
    require_whole(signed_in())
    filters = history_filters()
    today = moment().astimezone(zone()).date()
    return page(
        "sync/history.html",
        page=history_query.history(signed_in(), filters, argument("after")),
        days=history_query.per_day(zone().key, today),
    )


def history_filters() -> history_query.Filters:
    """Return what the address narrows the history to; today is the person's own."""
    here = moment().astimezone(zone())
    return history_query.filters_of(
        status=argument("status"),
        connection=argument("connection"),
        mode=argument("mode"),
        view=argument("view"),
        query=argument("q"),
        today=datetime.combine(here.date(), time(), here.tzinfo),
    )


@sync.get("/queue")
@requires(Permission.RECORD_READ)
def queue() -> Response:
    require_whole(signed_in())
    return page("sync/queue.html", queue=queue_query.queue())


@sync.get("/_queue")
@requires(Permission.RECORD_READ)
def queue_state() -> Response:
    require_whole(signed_in())
    return fragment("sync/_queue.html", queue=queue_query.queue())


@sync.get("/povs")
@requires(Permission.RECORD_READ)
def povs() -> Response:
    require_whole(signed_in())
    return page("sync/povs.html", page=pov_states(signed_in(), argument("view"), argument("after")))
