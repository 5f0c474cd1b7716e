"""The page of one run: its progress, and what it did in tabs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import redirect, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.forms import argument, once_key
from crm_admin.blueprints.rendering import last_poll, page
from crm_admin.blueprints.sync import progress
from crm_admin.blueprints.sync.curl import curl
from crm_admin.blueprints.sync.routes import sync
from crm_admin.errors import NotFound
from crm_admin.security.permissions import Permission
from crm_admin.services.queries import errors as errors_query
from crm_admin.services.queries import run as query
from crm_admin.services.queries import run_calls
from crm_admin.services.queries.run_log import log
from crm_admin.services.queries.runs import RunLine
from crm_admin.services.queries.scope import require_whole

TABS = ("records", "errors", "calls", "log", "settings")


@sync.get("/runs/<uuid:run_id>")
@requires(Permission.RECORD_READ)
def run(run_id: UUID) -> Response:
    """Show the run; one that waits as a plan is shown as its plan."""
    require_whole(signed_in())
    found = query.run(run_id)
    if found.line.state == "planned":
        return redirect(url_for("plans.one", run_id=run_id))
    first = "errors" if found.line.counts.failed else "records"
    tab = argument("tab") if argument("tab") in TABS else first
    return page(
        "sync/run.html",
        found=found,
        line=found.line,
        tab=tab,
        once=once_key(),
        **_pace(found.line),
        **_tab(found, tab),
    )


def _tab(found: query.Run, tab: str) -> Mapping[str, Any]:
    """What the open tab shows; the others ask nothing of the database."""
    match tab:
        case "records":
            return _records(found)
        case "errors":
            return {"groups": errors_query.groups(signed_in(), run_id=found.id)}
        case "calls":
            return _calls(found)
        case "log":
            return {"entries": log(found.line)}
        case _:
            return {"used": query.settings_used(found.id)}


def _records(found: query.Run) -> Mapping[str, Any]:
    state, asked = argument("state"), argument("q")
    page_of = query.records(found.line, after=argument("after"), state=state, query=asked)
    shown = not (state or asked or argument("after"))
    return {
        "records": page_of,
        "states": query.states(found.line),
        "made": query.made(found.id) if shown and found.line.counts.ours_created else (),
        "state": state,
        "asked": asked,
    }


def _calls(found: query.Run) -> Mapping[str, Any]:
    failed = argument("failed") == "1"
    one = _one_call(found) if argument("call") else None
    return {
        "calls": run_calls.calls(found.id, after=argument("after"), failed=failed),
        "failed": failed,
        "one": one,
        "command": curl(one, provider=found.provider, endpoint=found.endpoint) if one else "",
    }


def _one_call(found: query.Run) -> run_calls.Call:
    try:
        return run_calls.call(found.id, UUID(argument("call")))
    except ValueError as error:
        raise NotFound("This call is not in the log any more.") from error


def _pace(line: RunLine) -> Mapping[str, Any]:
    return {
        "poll": progress.poll_seconds(line),
        "left": progress.seconds_left(line),
        "rate": progress.per_second(line),
        "wait": progress.wait_seconds(line),
    }


@sync.get("/runs/<uuid:run_id>/_card")
@requires(Permission.RECORD_READ)
def card(run_id: UUID) -> Response:
    """Show the progress alone; when the state is another one the page around it loads anew."""
    require_whole(signed_in())
    line = query.line(run_id)
    return last_poll(
        "sync/_card.html",
        is_over=argument("was") not in {"", line.status} or not line.is_live,
        line=line,
        **_pace(line),
    )
