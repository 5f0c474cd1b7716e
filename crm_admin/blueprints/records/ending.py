"""Taking a record out of the lists, and bringing it back."""

from uuid import UUID

from flask import redirect
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.forms import attempt
from crm_admin.blueprints.links import list_of, record_url
from crm_admin.blueprints.rendering import done
from crm_admin.blueprints.wording import _
from crm_admin.security.permissions import Permission
from crm_admin.services import record_life
from crm_admin.services.queries import record as query


@requires(Permission.RECORD_EDIT)
def archive(kind: str, record_id: UUID) -> Response:
    """Archive and offer to bring back, in the list, where the record is missing now."""
    found = query.record(signed_in(), kind, record_id)
    record_life.archive(person=signed_in(), record_id=found.id)
    return redirect(f"{list_of(kind)}?archived={found.id}", 303)


@requires(Permission.RECORD_EDIT)
def restore(kind: str, record_id: UUID) -> Response:
    """Bring an archived record back and go to its page."""
    title = attempt(lambda: record_life.restore(person=signed_in(), record_id=record_id))
    if title is None:
        return redirect(list_of(kind), 303)
    return done(record_url(kind, record_id), _("Brought back %(title)s.", title=title))
