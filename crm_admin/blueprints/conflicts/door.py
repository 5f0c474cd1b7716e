"""The door of the conflicts, and what its views share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from crm_admin.blueprints.access import signed_in
from crm_admin.blueprints.rendering import fragment, is_htmx, page
from crm_admin.errors import NotFound
from crm_admin.services.queries import conflicts as query
from crm_admin.services.queries import settling
from crm_admin.services.queries.conflicts import Filter, Queue
from crm_admin.services.queries.settling import Subject

conflicts = Blueprint("conflicts", __name__, url_prefix="/admin/crm/conflicts")


@dataclass(frozen=True, slots=True)
class Form:
    """What a form that came back holds: errors and notes by conflict, and what was chosen."""

    status: int = 200
    errors: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)


def id_of(value: str) -> UUID | None:
    """Return an id from an address, None when it is empty; a made-up one is not found."""
    try:
        return UUID(value) if value else None
    except ValueError as error:
        raise NotFound from error


def chosen_filter() -> Filter:
    """Return the filter of the queue from the address or the form."""
    asked = request.values
    return Filter(id_of(asked.get("conn", "")[:40]), asked.get("field", "")[:100])


def address(conflict_id: UUID | None, chosen: Filter, **more: Any) -> str:
    """Return the page of a conflict, or of the queue, under the present filter."""
    kept: dict[str, Any] = {"conn": chosen.connection, "field": chosen.field or None, **more}
    if conflict_id is None:
        return url_for("conflicts.index", **kept)
    return url_for("conflicts.one", conflict_id=conflict_id, **kept)


def next_after(found: Queue, record_id: UUID | None) -> UUID | None:
    """Return the conflict to look at next: of another record, and free."""
    for waiting in found.waiting:
        if waiting.record_id != record_id and (not waiting.claimed_by or waiting.mine):
            return waiting.first_id
    return None


def work(
    subject: Subject | None, chosen: Filter, form: Form | None = None, *, push_url: str = ""
) -> Response:
    """Return the queue with one record beside it: a page, or to htmx the part that changes."""
    form = form or Form()
    found = query.queue(signed_in(), chosen, after=request.args.get("after", ""))
    values: dict[str, Any] = {
        "queue": found,
        "subject": subject,
        "chosen": chosen,
        "form": form,
        "following": next_after(found, subject.conflict.record_id if subject else None),
        "done": _done(),
        "address": address,
    }
    if is_htmx() and request.method == "POST":
        return fragment("conflicts/_work.html", status=form.status, push_url=push_url, **values)
    return page("conflicts/index.html", status=form.status, **values)


def _done() -> query.Conflict | None:
    """The conflict that was settled just now, so that the next page can offer to undo it."""
    asked = id_of(request.args.get("done", "").split(",")[0][:40])
    found = query.one(signed_in(), asked) if asked else None
    return found if found is not None and found.state == "resolved" else None


def subject_of(conflict_id: UUID) -> Subject:
    """Return the record of a conflict this person may see."""
    return settling.subject(signed_in(), conflict_id)
