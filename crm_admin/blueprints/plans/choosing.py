"""Forms of a plan that change what it will write: boxes, groups, fields and look-alikes."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.formats import number
from crm_admin.blueprints.forms import argument, ids, one_of, text
from crm_admin.blueprints.plans.routes import (
    address,
    filters_of,
    open_plan,
    operation_id_of,
    own_address,
    plans,
)
from crm_admin.blueprints.rendering import fragment, is_htmx
from crm_admin.blueprints.wording import _, ngettext
from crm_admin.security.permissions import Permission
from crm_admin.services import plans as service


@plans.post("/<uuid:run_id>/choose")
@requires(Permission.PLAN_APPROVE)
def choose(run_id: UUID) -> Response:
    """Save the ticks of the rows that were on the page."""
    changed, _choices = ticked(run_id)
    if is_htmx():
        found = open_plan(run_id)
        return fragment("sync/_applybar.html", plan=found, line=found.line, error="")
    flash(
        ngettext(
            "Saved. %(n)s change moved in or out of the plan.",
            "Saved. %(n)s changes moved in or out of the plan.",
            changed,
            n=number(changed),
        ),
        "success",
    )
    return redirect(own_address(run_id, text("more", longest=1000) or _next()), 303)


def ticked(run_id: UUID) -> tuple[int, str]:
    """Carry over the boxes of the rows that were on the page; others stay as they are."""
    shown, kept = set(ids("shown")), set(ids("op"))
    return service.tick(
        person=signed_in(),
        run_id=run_id,
        seen=text("choices") or None,
        out=sorted(shown - kept),
        back=sorted(shown & kept),
    )


def _next() -> str:
    return text("next", longest=1000)


@plans.post("/<uuid:run_id>/choose-all")
@requires(Permission.PLAN_APPROVE)
def choose_all(run_id: UUID) -> Response:
    """Leave out, or take in, everything the filters show."""
    filters = filters_of(request.args)
    excluded = one_of("excluded", ("0", "1")) == "1"
    changed = service.exclude_all(
        person=signed_in(), run_id=run_id, filters=filters, excluded=excluded
    )
    said = (
        ngettext(
            "Left out %(n)s change. It stays out until you take it in again.",
            "Left out %(n)s changes. They stay out until you take them in again.",
            changed,
            n=number(changed),
        )
        if excluded
        else ngettext("Took in %(n)s change.", "Took in %(n)s changes.", changed, n=number(changed))
    )
    flash(said, "success")
    return redirect(own_address(run_id, _next()) if _next() else address(run_id, filters), 303)


@plans.post("/<uuid:run_id>/field")
@requires(Permission.PLAN_APPROVE)
def decide_field(run_id: UUID) -> Response:
    """Settle the first difference of a field for all its records."""
    choice = text("choice")
    service.decide_field(
        person=signed_in(),
        run_id=run_id,
        rule_key=text("rule_key", longest=200),
        choice=choice if choice in {"ours", "theirs", "newest"} else None,
    )
    flash(
        _("Saved the choice. It is applied with the plan.")
        if choice
        else _("Both values stay until you choose."),
        "success",
    )
    place = text("place")
    part = f"question-{place}" if place.isdecimal() else "questions"
    return redirect(f"{url_for('.one', run_id=run_id)}#{part}", 303)


@plans.post("/<uuid:run_id>/match")
@requires(Permission.PLAN_APPROVE)
def decide_match(run_id: UUID) -> Response:
    """Say which record a look-alike is."""
    choice = argument("choice", longest=60)
    operation_id = operation_id_of(argument("op"))
    service.decide_match(
        person=signed_in(), run_id=run_id, operation_id=operation_id, choice=choice or None
    )
    flash(
        _("Saved. It is carried out with the plan.") if choice else _("Left for later."), "success"
    )
    return redirect(own_address(run_id, _next()), 303)
