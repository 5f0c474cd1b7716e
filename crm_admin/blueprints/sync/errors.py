"""Errors over all runs, and the fixes that are done at the press of a button."""

from uuid import UUID

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.formats import number
from crm_admin.blueprints.forms import attempt, once_key, one_of, text
from crm_admin.blueprints.rendering import page
from crm_admin.blueprints.sync.routes import sync
from crm_admin.blueprints.wording import ngettext
from crm_admin.errors import BadInput
from crm_admin.security.permissions import Permission
from crm_admin.services import fixes
from crm_admin.services.option_mapping import map_option
from crm_admin.services.queries import errors as query
from crm_admin.services.queries.scope import require_whole


@sync.get("/errors")
@requires(Permission.RECORD_READ)
def errors() -> Response:
    """Show what fails now, the causes that hit most records first."""
    require_whole(signed_in())
    return page("sync/errors.html", groups=query.groups(signed_in()), once=once_key())


@sync.post("/errors/<key>/fix")
@requires(Permission.SYNC_RUN)
def fix(key: str) -> Response:
    """Do what a fix says for every record behind one cause."""
    run_id = _run_of(text("run"))
    code = one_of("code", ("map", "retry", "skip"))
    done = attempt(lambda: _do(code, key, run_id))
    if done is not None:
        flash(_said(code, done.records), "success")
    if run_id is not None:
        return redirect(url_for(".run", run_id=run_id, tab="errors"), 303)
    return redirect(url_for(".errors"), 303)


def _run_of(asked: str) -> UUID | None:
    try:
        return UUID(asked) if asked else None
    except ValueError as error:
        raise BadInput("run", "Load the page again: one of its ids was changed.") from error


def _do(code: str, key: str, run_id: UUID | None) -> fixes.Fixed:
    if code == "map":
        return map_option(
            person=signed_in(),
            key=key,
            run_id=run_id,
            option=text("option"),
            once_key=text("once_key") or None,
        )
    if code == "retry":
        return fixes.retry(
            person=signed_in(), key=key, run_id=run_id, once_key=text("once_key") or None
        )
    return fixes.skip_until_changed(person=signed_in(), key=key, run_id=run_id)


def _said(code: str, records: int) -> str:
    if code == "map":
        return ngettext(
            "Published the mapping. %(n)s record is tried again now.",
            "Published the mapping. %(n)s records are tried again now.",
            records,
            n=number(records),
        )
    if code == "retry":
        return ngettext(
            "%(n)s record is tried again now.",
            "%(n)s records are tried again now.",
            records,
            n=number(records),
        )
    return ngettext(
        "The value of %(n)s record stays as it is until someone changes it.",
        "The values of %(n)s records stay as they are until someone changes them.",
        records,
        n=number(records),
    )
