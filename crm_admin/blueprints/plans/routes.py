"""Doors of a plan: look at it, as a page and in parts."""

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.forms import argument, once_key
from crm_admin.blueprints.rendering import fragment, page
from crm_admin.errors import NotFound
from crm_admin.security.addresses import local_path
from crm_admin.security.permissions import Permission
from crm_admin.services.queries import plan as query
from crm_admin.services.queries import plan_rows
from crm_admin.services.queries.calls_left import calls_left
from crm_admin.services.queries.plan_rows import Filters
from crm_admin.services.queries.scope import require_whole

PART: Final = re.compile(r"[\w-]{1,60}")
plans = Blueprint("plans", __name__, url_prefix="/admin/crm/sync/plans")

KEYS = ("mark", "side", "field", "owner", "group")


@plans.get("/<uuid:run_id>")
@requires(Permission.RECORD_READ)
def one(run_id: UUID) -> Response:
    found = open_plan(run_id)
    if not found.ready and found.approved_at is None and found.line.is_live:
        return redirect(url_for("sync.run", run_id=run_id))
    return show(found)


def open_plan(run_id: UUID) -> query.Plan:
    """Return the plan for people who see the whole organisation."""
    require_whole(signed_in())
    return query.plan(run_id)


def show(found: query.Plan, *, status: int = 200, error: str = "") -> Response:
    """Return the page of a plan, with an error beside its button when there is one."""
    filters = filters_of(request.args)
    nothing = filters.by_field
    if nothing:
        found = query.with_left_out(found)
    rows = (
        plan_rows.Rows((), "")
        if nothing
        else plan_rows.plan_rows(found.line, filters, argument("after"))
    )
    return page(
        "sync/plan.html",
        status=status,
        found=found,
        plan=found,
        line=found.line,
        rows=rows,
        shown=plan_rows.shown(found.line, filters) if filters.active and not nothing else None,
        filters=filters,
        once=once_key(),
        error=error,
        left=calls_left(found.line.connection_id),
    )


def filters_of(values: Mapping[str, str]) -> Filters:
    """Return the filters an address or a form names."""
    return plan_rows.filters_of(**{key: values.get(key, "").strip() for key in KEYS})


def address(run_id: UUID, filters: Filters, after: str = "") -> str:
    """Return the address of the page under these filters; empty ones stay out of it."""
    return url_for(
        "plans.one",
        run_id=run_id,
        mark=filters.mark or None,
        side=filters.side or None,
        field=filters.field or None,
        owner=filters.owner or None,
        group="field" if filters.by_field else None,
        after=after or None,
    )


@plans.get("/<uuid:run_id>/_rows")
@requires(Permission.RECORD_READ)
def rows(run_id: UUID) -> Response:
    found = open_plan(run_id)
    filters = filters_of(request.args)
    return fragment(
        "sync/_rows.html",
        plan=found,
        line=found.line,
        filters=filters,
        rows=plan_rows.plan_rows(found.line, filters, argument("after")),
        push_url=address(run_id, filters, after=argument("after")),
    )


def own_address(run_id: UUID, asked: str) -> str:
    """Return the asked address when it is one of this plan, else the plan without filters."""
    base = url_for("plans.one", run_id=run_id)
    path, hash_sign, part = asked.partition("#")
    if local_path(path, "") != path or path.partition("?")[0] != base:
        return base
    return f"{path}#{part}" if hash_sign and PART.fullmatch(part) else path


def operation_id_of(text: str) -> UUID:
    """Return an operation's id from an address; a made-up one is not found."""
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("This plan has no such change.") from error
