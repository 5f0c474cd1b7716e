"""Doors that settle many conflicts alike: looked at first, then each reported."""

from uuid import UUID

from flask import Response, request

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.conflicts.door import conflicts, id_of
from crm_admin.blueprints.rendering import page
from crm_admin.errors import BadInput, NotFound
from crm_admin.security.permissions import Permission
from crm_admin.services import conflicts as service
from crm_admin.services.conflicts import Decision
from crm_admin.services.queries import conflicts as query
from crm_admin.services.queries import settling

CHOICES = ("ours", "theirs", "newest", "combine")


@conflicts.get("/alike")
@requires(Permission.CONFLICT_RESOLVE)
def alike() -> Response:
    """Show what a choice would do to each conflict of one field, before it is made."""
    connection_id = id_of(request.args.get("conn", "")[:40])
    if connection_id is None:
        raise NotFound
    kind, field = request.args.get("kind", "")[:100], request.args.get("field", "")[:100]
    choice = request.args.get("choice", "")
    found = settling.like_it(signed_in(), connection_id, kind, field)
    return page(
        "conflicts/alike.html",
        found=found,
        choice=choice if choice in CHOICES else "ours",
        choices=CHOICES,
    )


@conflicts.post("/alike")
@requires(Permission.CONFLICT_RESOLVE)
def settle_alike() -> Response:
    """Settle exactly the conflicts that were shown and ticked, and say of each what became of
    it."""
    choice = request.form.get("choice", "")
    if choice not in CHOICES:
        raise BadInput("choice", "Choose one of the listed values.")
    decisions = [_decision(line, choice) for line in request.form.getlist("one")]
    if not decisions:
        raise BadInput("one", "Tick at least one conflict.")
    made = service.settle(person=signed_in(), decisions=decisions)
    shown = {one.conflict_id: query.one(signed_in(), one.conflict_id) for one in made}
    return page("conflicts/report.html", made=made, shown=shown, choice=choice)


def _decision(line: str, choice: str) -> Decision:
    """What a tick box holds: the conflict, and the values that were seen."""
    conflict_id, _, seen = line.partition("|")
    try:
        return Decision(UUID(conflict_id), choice, seen)
    except ValueError as error:
        raise BadInput(
            "one", "Load the page again: one of its ids was changed on the way."
        ) from error
