"""Carrying a plan out, releasing what the guard held back, or putting a plan away."""

from uuid import UUID

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.formats import number
from crm_admin.blueprints.forms import once_key, text
from crm_admin.blueprints.plans.choosing import ticked
from crm_admin.blueprints.plans.routes import open_plan, plans, show
from crm_admin.blueprints.rendering import page
from crm_admin.blueprints.wording import _, ngettext
from crm_admin.errors import NotAllowed, Stale
from crm_admin.security.permissions import Permission
from crm_admin.services import plans as service
from crm_admin.services.queries.plan import Plan

CHANGED = "This plan changed after you opened it. Look at it again, then apply it."
BLANKS = str.maketrans("", "", " \u202f\u00a0.,")


@plans.post("/<uuid:run_id>/apply")
@requires(Permission.PLAN_APPROVE)
def apply(run_id: UUID) -> Response:
    """Carry out what is ticked, once, exactly as it was seen."""
    before = open_plan(run_id)
    if before.guard:
        raise NotAllowed(Permission.RUN_RELEASE)
    _same_plan(before)
    changed, choices = ticked(run_id) if before.ready else (0, text("choices"))
    if before.ready and before.must_type:
        found = open_plan(run_id) if changed else before
        error = _number_wrong(found, changed)
        if error:
            return show(found, status=422, error=error)
    side = text("only")
    return _approve(run_id, choices, side if side in {"ours", "theirs"} else None)


def _same_plan(found: Plan) -> None:
    if text("plan_hash") != found.plan_hash:
        raise Stale(CHANGED)


def _approve(run_id: UUID, choices: str, side: str | None) -> Response:
    started = service.approve(
        person=signed_in(),
        run_id=run_id,
        plan_hash=text("plan_hash"),
        once_key=text("once_key") or None,
        side=side,
        choices=choices or None,
    )
    return redirect(url_for("sync.run", run_id=started.id), 303)


def _number_wrong(found: Plan, changed: int) -> str:
    """Say what to type; what was unticked just now is saved and changes the number."""
    if text("typed").translate(BLANKS) == str(found.applies):
        return ""
    if changed:
        said = ngettext(
            "Your tick was saved. Type %(n)s to apply what is left.",
            "Your ticks were saved. Type %(n)s to apply what is left.",
            changed,
            n=number(found.applies),
        )
        return str(said)
    return str(_("Type %(n)s to apply a plan of this size.", n=number(found.applies)))


@plans.get("/<uuid:run_id>/release")
@requires(Permission.RUN_RELEASE)
def release_page(run_id: UUID) -> Response:
    """Show what a release does; the password is asked for when the sign-in is old."""
    found = open_plan(run_id)
    if not (found.guard and found.ready):
        return redirect(url_for(".one", run_id=run_id))
    return _release(found)


def _release(found: Plan, *, status: int = 200, error: str = "") -> Response:
    return page(
        "sync/release.html",
        status=status,
        plan=found,
        line=found.line,
        once=once_key(),
        error=error,
        typed=text("typed"),
    )


@plans.post("/<uuid:run_id>/release")
@requires(Permission.RUN_RELEASE)
def release(run_id: UUID) -> Response:
    """Carry out what the guard held back."""
    found = open_plan(run_id)
    _same_plan(found)
    if found.ready and text("typed").translate(BLANKS) != str(found.applies):
        error = _("Type %(n)s to release these changes.", n=number(found.applies))
        return _release(found, status=422, error=error)
    return _approve(run_id, text("choices"), None)


@plans.post("/<uuid:run_id>/discard")
@requires(Permission.PLAN_APPROVE)
def discard(run_id: UUID) -> Response:
    """Put the plan away."""
    service.discard(person=signed_in(), run_id=run_id)
    flash(_("Discarded the plan. Nothing was written."), "success")
    return redirect(url_for("sync.history"), 303)
