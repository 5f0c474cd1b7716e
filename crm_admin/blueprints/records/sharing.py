"""Sharing a POV with somebody, and taking it back."""

from uuid import UUID

from flask import flash, redirect
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.forms import attempt, text
from crm_admin.blueprints.links import record_url
from crm_admin.blueprints.wording import _
from crm_admin.security.permissions import Permission
from crm_admin.services import shares
from crm_admin.services.queries import record as query


@requires(Permission.SYNC_RECORD)
def share(kind: str, record_id: UUID) -> Response:
    """Let the person of an e-mail address see the POV."""
    found = query.record(signed_in(), kind, record_id)
    name = attempt(
        lambda: shares.share(person=signed_in(), record_id=found.id, email=text("email"))
    )
    if name:
        flash(_("%(name)s sees this POV now.", name=name), "success")
    return redirect(f"{record_url(kind, record_id)}#shared", 303)


@requires(Permission.SYNC_RECORD)
def unshare(kind: str, record_id: UUID, user_id: UUID) -> Response:
    """Take the POV off somebody's list."""
    found = query.record(signed_in(), kind, record_id)
    shares.unshare(person=signed_in(), record_id=found.id, user_id=user_id)
    flash(_("The POV is not shared with them any more."), "success")
    return redirect(f"{record_url(kind, record_id)}#shared", 303)
