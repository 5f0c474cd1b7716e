"""Runs and their records as files: exactly what the page shows under its filters."""

from collections.abc import Iterator
from uuid import UUID

from flask import Response

from crm_admin.blueprints.access import limited, requires, signed_in
from crm_admin.blueprints.exporting import csv_file
from crm_admin.blueprints.formats import plain
from crm_admin.blueprints.forms import argument
from crm_admin.blueprints.sync.routes import history_filters, sync
from crm_admin.security.permissions import Permission
from crm_admin.services.queries import history as history_query
from crm_admin.services.queries import run as query
from crm_admin.services.queries.operations import Operation
from crm_admin.services.queries.runs import RunLine
from crm_admin.services.queries.scope import require_whole
from crm_admin.services.rates import Costly

RECORDS = (
    *("At", "What", "To", "Kind", "Record", "Record id", "Id in the CRM", "Status", "Reason"),
    *("Field", "Before", "After"),
)
RUNS = (
    *("Run", "Status", "Connection", "Type", "Started by", "Created", "Started", "Finished"),
    *("Seconds", "Read", "Created in CRM Admin", "Updated in CRM Admin", "Deleted in CRM Admin"),
    *("Created there", "Updated there", "Deleted there", "Conflicts", "Failed", "Reason"),
)


@sync.get("/runs/<uuid:run_id>/export.csv")
@requires(Permission.RECORD_READ)
@limited(Costly.EXPORT)
def export_run(run_id: UUID) -> Response:
    """Send the run's records under the filters of its page."""
    require_whole(signed_in())
    found = query.run(run_id)
    rows = query.all_records(found.line, state=argument("state"), query=argument("q"))
    theirs = found.line.connection
    lines = (line for one in rows for line in _record_lines(one, theirs))
    return csv_file(f"run-{str(run_id)[-8:]}", RECORDS, lines)


def _record_lines(one: Operation, theirs: str) -> Iterator[tuple[object, ...]]:
    start = (
        one.at.isoformat() if one.at else "",
        one.action,
        theirs if one.side == "theirs" else "CRM Admin",
        one.kind,
        one.label,
        one.record_id or "",
        one.remote_id,
        one.state,
        one.error or one.reason,
    )
    if not one.fields:
        yield *start, "", "", ""
    for change in one.fields:
        yield *start, change.name, plain(change.before), plain(change.after)


@sync.get("/history.csv")
@requires(Permission.RECORD_READ)
@limited(Costly.EXPORT)
def export_history() -> Response:
    """Send the runs that the history shows."""
    require_whole(signed_in())
    runs = history_query.all_runs(signed_in(), history_filters())
    return csv_file("runs", RUNS, (_run_line(run) for run in runs))


def _run_line(run: RunLine) -> tuple[object, ...]:
    counts = run.counts
    return (
        run.id,
        run.state,
        run.connection,
        run.mode,
        run.started_by,
        run.created_at.isoformat(),
        run.started_at.isoformat() if run.started_at else "",
        run.finished_at.isoformat() if run.finished_at else "",
        round(run.seconds, 1) if run.seconds is not None else "",
        counts.read,
        counts.ours_created,
        counts.ours_updated,
        counts.ours_deleted,
        counts.theirs_created,
        counts.theirs_updated,
        counts.theirs_deleted,
        counts.conflicts,
        counts.failed,
        run.reason,
    )
