"""Doors of the conflicts: the queue, one record's, the settled ones, and all of it as a file."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from flask import Response

from crm_admin.blueprints.access import limited, requires, signed_in
from crm_admin.blueprints.conflicts.door import (
    address,
    chosen_filter,
    conflicts,
    next_after,
    subject_of,
    work,
)
from crm_admin.blueprints.exporting import csv_file
from crm_admin.blueprints.formats import plain
from crm_admin.blueprints.forms import argument
from crm_admin.blueprints.rendering import fragment, page
from crm_admin.security.permissions import Permission
from crm_admin.services.queries import conflicts as query
from crm_admin.services.queries.conflicts import Conflict
from crm_admin.services.rates import Costly

MOST_LINES = 10_000
HEADER = (
    "id",
    "record",
    "kind",
    "field",
    "last agreed",
    "CRM Admin",
    "changed by",
    "changed at",
    "connection",
    "theirs",
    "theirs changed at",
    "state",
    "how",
    "settled by",
    "settled at",
    "found at",
)


@conflicts.get("")
@requires(Permission.RECORD_READ)
def index() -> Response:
    chosen = chosen_filter()
    if argument("view") == "settled":
        found = query.settled(signed_in(), chosen, after=argument("after"))
        return page("conflicts/settled.html", found=found, chosen=chosen)
    first = next_after(query.queue(signed_in(), chosen, after=argument("after"), amount=10), None)
    return work(subject_of(first) if first else None, chosen)


@conflicts.get("/<uuid:conflict_id>")
@requires(Permission.RECORD_READ)
def one(conflict_id: UUID) -> Response:
    return work(subject_of(conflict_id), chosen_filter())


@conflicts.get("/<uuid:conflict_id>/_next")
@requires(Permission.RECORD_READ)
def following(conflict_id: UUID) -> Response:
    """The record to look at after this one, without settling it."""
    chosen = chosen_filter()
    found = query.queue(signed_in(), chosen)
    here = subject_of(conflict_id).conflict.record_id
    ids = [waiting.record_id for waiting in found.waiting]
    rest = found.waiting[ids.index(here) + 1 :] if here in ids else found.waiting
    asked = next((waiting.first_id for waiting in rest if not waiting.claimed_by), conflict_id)
    return fragment(
        "conflicts/_work.html",
        push_url=address(asked, chosen),
        queue=found,
        subject=subject_of(asked),
        chosen=chosen,
        form=None,
        following=asked,
        done=None,
        address=address,
    )


@conflicts.get("/export.csv")
@requires(Permission.RECORD_READ)
@limited(Costly.EXPORT)
def export() -> Response:
    chosen, person = chosen_filter(), signed_in()
    is_settled = argument("view") == "settled"
    found = (
        query.settled(person, chosen, amount=MOST_LINES).conflicts
        if is_settled
        else query.open_ones(person, chosen, amount=MOST_LINES)
    )
    return csv_file("conflicts", HEADER, _lines(found))


def _lines(found: Sequence[Conflict]) -> Iterator[tuple[object, ...]]:
    for one in found:
        yield (
            one.id,
            one.title,
            one.kind,
            one.label,
            plain(one.agreed, one.field),
            plain(one.ours, one.field),
            one.ours_by,
            _iso(one.ours_at),
            one.connection,
            plain(one.theirs),
            _iso(one.theirs_at),
            one.state,
            one.how,
            one.resolved_by,
            _iso(one.resolved_at),
            _iso(one.created_at),
        )


def _iso(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
