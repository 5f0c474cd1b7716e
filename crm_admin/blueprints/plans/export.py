"""A plan as a file: exactly the changes that its page shows under its filters."""

from collections.abc import Iterator
from uuid import UUID

from flask import Response, request

from crm_admin.blueprints.access import limited, requires
from crm_admin.blueprints.exporting import csv_file, json_file
from crm_admin.blueprints.formats import plain
from crm_admin.blueprints.plans.routes import filters_of, open_plan, plans
from crm_admin.security.permissions import Permission
from crm_admin.services.queries.operations import Operation
from crm_admin.services.queries.plan_rows import all_rows
from crm_admin.services.rates import Costly

HEADER = (
    *("Change", "To", "Kind", "Record", "Record id", "Id in the CRM", "Field", "Before", "After"),
    *("Why", "Left out", "State"),
)


@plans.get("/<uuid:run_id>/export.csv", defaults={"kind": "csv"})
@plans.get("/<uuid:run_id>/export.json", defaults={"kind": "json"})
@requires(Permission.RECORD_READ)
@limited(Costly.EXPORT)
def export(run_id: UUID, kind: str) -> Response:
    """Send what the filters show as CSV or JSON."""
    found = open_plan(run_id)
    rows = all_rows(found.line, filters_of(request.args))
    name = f"plan-{str(run_id)[-8:]}"
    if kind == "json":
        return json_file(name, (_object(one) for one in rows))
    theirs = found.line.connection
    return csv_file(name, HEADER, (line for one in rows for line in _lines(one, theirs)))


def _lines(one: Operation, theirs: str) -> Iterator[tuple[object, ...]]:
    """One line per field, and one for a change that has none."""
    start = (
        one.action,
        theirs if one.side == "theirs" else "CRM Admin",
        one.kind,
        one.label,
        one.record_id or "",
        one.remote_id,
    )
    end = ("yes" if one.excluded else "no", one.state)
    if not one.fields:
        yield *start, "", "", "", one.reason, *end
    for change in one.fields:
        why = one.reason or change.reason
        yield *start, change.name, plain(change.before), plain(change.after), why, *end


def _object(one: Operation) -> dict[str, object]:
    return {
        "id": str(one.id),
        "action": one.action,
        "side": one.side,
        "kind": one.kind,
        "label": one.label,
        "recordId": str(one.record_id) if one.record_id else None,
        "remoteObject": one.object,
        "remoteId": one.remote_id or None,
        "fields": {
            change.name: {"before": change.before, "after": change.after, "reason": change.reason}
            for change in one.fields
        },
        "reason": one.reason,
        "leftOut": one.excluded,
        "state": one.state,
    }
