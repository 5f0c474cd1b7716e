"""Doors of runs and history."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.forms import argument, attempt, once_key, one_of, text
from crm_admin.blueprints.rendering import last_poll
from crm_admin.blueprints.sync.progress import poll_seconds, seconds_left
from crm_admin.errors import BadInput
from crm_admin.security.permissions import Permission
from crm_admin.services import sync_runs
from crm_admin.services.queries import connections as connections_query
from crm_admin.services.queries import run as query
from crm_admin.services.queries import runs as runs_query
from crm_admin.services.queries.scope import require_whole

sync = Blueprint("sync", __name__, url_prefix="/admin/crm/sync")

TABS = ("records", "errors", "calls", "settings")


@sync.get("")
@requires(Permission.RECORD_READ)
def now() -> str:
    require_whole(signed_in())
    return render_template(
        "sync/now.html",
        running=runs_query.live_runs(),
        newest=runs_query.newest_runs(8),
        cards=connections_query.cards(),
        once=once_key(),
        poll=poll_seconds,
        chosen=argument("connection"),
    )


@sync.get("/_active")
@requires(Permission.RECORD_READ)
def active() -> str:
    require_whole(signed_in())
    return render_template("sync/_active.html", running=runs_query.live_runs(), poll=poll_seconds)


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
    return _to(started, url_for(".now", connection=connection_id))


def _to(started: sync_runs.RunRef | None, otherwise: str) -> Response:
    """Go to the run that was started, or back with the reason why none was."""
    return redirect(url_for(".run", run_id=started.id) if started else otherwise, 303)


@sync.get("/history")
@requires(Permission.RECORD_READ)
def history() -> str:
    require_whole(signed_in())
    filters = runs_query.Filters(argument("status"), argument("connection"), argument("mode"))
    return render_template("sync/history.html", page=runs_query.history(filters, argument("after")))


@sync.get("/runs/<uuid:run_id>")
@requires(Permission.RECORD_READ)
def run(run_id: UUID) -> str | Response:
    require_whole(signed_in())
    found = query.run(run_id)
    if found.line.state == "planned":
        return redirect(url_for("plans.one", run_id=run_id))
    tab = (
        argument("tab")
        if argument("tab") in TABS
        else ("errors" if found.line.counts.failed else "records")
    )
    return render_template(
        "sync/run.html",
        found=found,
        line=found.line,
        tab=tab,
        records=_records(found, tab),
        errors=query.errors(found.line) if tab == "errors" else (),
        calls=query.calls(run_id) if tab == "calls" else (),
        used=query.settings_used(run_id) if tab == "settings" else (),
        once=once_key(),
        poll=poll_seconds(found.line),
        left=seconds_left(found.line),
    )


def _records(found: query.Run, tab: str) -> query.RecordPage | None:
    if tab != "records":
        return None
    return query.records(
        found.line, after=argument("after"), state=argument("state"), query=argument("q")
    )


@sync.get("/runs/<uuid:run_id>/_card")
@requires(Permission.RECORD_READ)
def card(run_id: UUID) -> Response:
    require_whole(signed_in())
    found = query.run(run_id)
    return last_poll(
        "sync/_card.html",
        is_over=argument("was") not in {"", found.line.state} or not found.line.is_live,
        line=found.line,
        poll=poll_seconds(found.line),
        left=seconds_left(found.line),
    )


@sync.post("/runs/<uuid:run_id>/stop")
@requires(Permission.SYNC_RUN)
def stop(run_id: UUID) -> Response:
    sync_runs.stop(person=signed_in(), run_id=run_id)
    flash(
        "The run stops after the batch it is in. What is written stays and can be undone.",
        "success",
    )
    return redirect(url_for(".run", run_id=run_id), 303)


@sync.post("/runs/<uuid:run_id>/again")
@requires(Permission.SYNC_RUN)
def again(run_id: UUID) -> Response:
    started = attempt(
        lambda: sync_runs.run_again(
            person=signed_in(), run_id=run_id, once_key=text("once_key") or None
        )
    )
    return _to(started, url_for(".run", run_id=run_id))
