"""Doors of a plan: look, choose, apply, discard."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.forms import argument, ids, once_key, text
from crm_admin.errors import BadInput, Stale
from crm_admin.security.permissions import Permission
from crm_admin.services import plans as service
from crm_admin.services.queries import plan as query
from crm_admin.services.queries.scope import require_whole

plans = Blueprint("plans", __name__, url_prefix="/admin/crm/sync/plans")

LIMIT = 100
"""A plan that deletes, or writes more than this, is applied only with its number typed."""


@plans.get("/<uuid:run_id>")
@requires(Permission.RECORD_READ)
def one(run_id: UUID) -> str | Response:
    return _page(run_id)


def _page(run_id: UUID, error: str = "") -> str | Response:
    require_whole(signed_in())
    found = query.plan(run_id)
    if not found.ready and found.approved_at is None and found.line.is_live:
        return redirect(url_for("sync.run", run_id=run_id))
    filters = query.Filters(
        argument("mark"), argument("side"), argument("field"), by_field=argument("group") == "field"
    )
    rows = (
        query.Rows((), "")
        if filters.by_field
        else query.plan_rows(found.line, filters, argument("after"))
    )
    return render_template(
        "sync/plan.html",
        plan=found,
        line=found.line,
        rows=rows,
        filters=filters,
        once=once_key(),
        error=error,
        must_type=must_type(found),
    )


def must_type(found: query.Plan) -> bool:
    """Deletes and large plans are confirmed by typing their number."""
    return found.to_theirs.delete + found.to_ours.delete > 0 or found.applies > LIMIT


@plans.get("/<uuid:run_id>/_rows")
@requires(Permission.RECORD_READ)
def rows(run_id: UUID) -> str:
    require_whole(signed_in())
    found = query.plan(run_id)
    filters = query.Filters(argument("mark"), argument("side"), argument("field"))
    return render_template(
        "sync/_rows.html",
        plan=found,
        line=found.line,
        filters=filters,
        rows=query.plan_rows(found.line, filters, argument("after")),
    )


@plans.post("/<uuid:run_id>/choose")
@requires(Permission.PLAN_APPROVE)
def choose(run_id: UUID) -> Response:
    changed = _exclusions(run_id)
    flash(
        f"Saved. {changed} change{'s' if changed != 1 else ''} of the plan moved in or out.",
        "success",
    )
    return redirect(_here(run_id), 303)


def _here(run_id: UUID) -> str:
    """The filtered address of this plan, when the form carries one."""
    base = url_for(".one", run_id=run_id)
    asked = text("next")
    return asked if asked.startswith(f"{base}?") else base


@plans.post("/<uuid:run_id>/apply")
@requires(Permission.PLAN_APPROVE)
def apply(run_id: UUID) -> Response | tuple[str | Response, int]:
    before = query.plan(run_id)
    seen = text("plan_hash")
    if seen != before.plan_hash:
        raise Stale("This plan changed after you opened it. Look at it again, then apply it.")
    if must_type(before) and text("typed").replace("\u202f", "").replace(" ", "") != str(
        before.applies
    ):
        return _page(run_id, f"Type {before.applies} to apply a plan of this size."), 422
    if _exclusions(run_id):
        seen = query.plan(run_id).plan_hash
    side = text("side")
    started = service.approve(
        person=signed_in(),
        run_id=run_id,
        plan_hash=seen,
        once_key=text("once_key"),
        side=side if side in {"ours", "theirs"} else None,
    )
    return redirect(url_for("sync.run", run_id=started.id), 303)


def _exclusions(run_id: UUID) -> int:
    """Carry over the boxes of the rows that were on the page; others stay as they are."""
    shown, ticked = set(ids("shown")), set(ids("op"))
    was_out = set(ids("was_out"))
    return _exclude(run_id, shown - ticked - was_out, excluded=True) + _exclude(
        run_id, shown & ticked & was_out, excluded=False
    )


def _exclude(run_id: UUID, operations: set[UUID], *, excluded: bool) -> int:
    if operations:
        chosen: Sequence[UUID] = sorted(operations)
        service.exclude(person=signed_in(), run_id=run_id, operation_ids=chosen, excluded=excluded)
    return len(operations)


@plans.post("/<uuid:run_id>/discard")
@requires(Permission.PLAN_APPROVE)
def discard(run_id: UUID) -> Response:
    service.discard(person=signed_in(), run_id=run_id)
    flash("Discarded the plan. Nothing was written.", "success")
    return redirect(url_for("sync.history"), 303)


@plans.post("/<uuid:run_id>/field")
@requires(Permission.PLAN_APPROVE)
def decide_field(run_id: UUID) -> Response:
    choice = text("choice")
    service.decide_field(
        person=signed_in(),
        run_id=run_id,
        rule_key=text("rule_key", longest=200),
        choice=choice if choice in {"ours", "theirs", "newest"} else None,
    )
    flash(
        "Saved the choice. It is applied with the plan."
        if choice
        else "Both values stay until you choose.",
        "success",
    )
    place = text("place")
    part = f"question-{place}" if place.isdecimal() else "questions"
    return redirect(f"{url_for('.one', run_id=run_id)}#{part}", 303)


@plans.post("/<uuid:run_id>/match")
@requires(Permission.PLAN_APPROVE)
def decide_match(run_id: UUID) -> Response:
    choice = argument("choice", longest=60)
    try:
        operation_id = UUID(argument("op"))
    except ValueError as error:
        raise BadInput("op", "Choose one look-alike at a time.") from error
    service.decide_match(
        person=signed_in(), run_id=run_id, operation_id=operation_id, choice=choice or None
    )
    flash("Saved. It is carried out with the plan." if choice else "Left for later.", "success")
    return redirect(_here(run_id), 303)
