"""Doors that settle a record's conflicts, say who looks at them, and take a choice back."""

from uuid import UUID

from flask import Response, flash, request, url_for

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.conflicts.door import (
    Form,
    address,
    chosen_filter,
    conflicts,
    id_of,
    next_after,
    subject_of,
    work,
)
from crm_admin.blueprints.forms import text
from crm_admin.blueprints.links import back_to, record_url
from crm_admin.blueprints.records.typed import entered
from crm_admin.blueprints.rendering import is_htmx, see_other, toast, unchanged
from crm_admin.blueprints.wording import _, ngettext
from crm_admin.errors import NotFound
from crm_admin.security.permissions import Permission
from crm_admin.services import conflict_claims, conflict_undo
from crm_admin.services import conflicts as service
from crm_admin.services.conflicts import Decision, Settled
from crm_admin.services.queries import conflicts as query
from crm_admin.services.queries.settling import Line, Subject

WHOLE = ("ours", "theirs", "newest")


@conflicts.post("/<uuid:conflict_id>")
@requires(Permission.CONFLICT_RESOLVE)
def resolve(conflict_id: UUID) -> Response:
    """Settle what was chosen; what cannot be settled comes back beside its field."""
    subject = subject_of(conflict_id)
    if request.form.get("choice") in WHOLE:
        return _alone(subject)
    chosen = {str(line.conflict.id): _choice(line) for line in subject.open}
    typed = {str(line.conflict.id): _typed(line) for line in subject.open}
    errors = _mismatched(chosen, typed)
    if not errors and not any(chosen.values()) and subject.open:
        errors = {"": _("Choose a value for at least one field.")}
    if errors:
        return work(subject, chosen_filter(), Form(422, errors, chosen, typed))
    made = service.settle(
        person=signed_in(),
        decisions=[_decision(line, chosen, typed) for line in subject.open if _wanted(line, chosen)]
        or [_late(conflict_id)],
    )
    return _answer(subject, made, chosen, typed)


def _choice(line: Line) -> str:
    whole = request.form.get("whole", "")
    if whole in WHOLE:
        return whole
    asked = request.form.get(f"choice-{line.conflict.id}", "")
    return asked if asked in service.CHOICES else ""


def _typed(line: Line) -> str:
    return text(f"typed-{line.conflict.id}", longest=20_000)


def _mismatched(chosen: dict[str, str], typed: dict[str, str]) -> dict[str, str]:
    """What was typed is never dropped silently because another choice is marked."""
    if request.form.get("whole") in WHOLE:
        return {}
    return {
        one: _("You typed a value. Choose it, or clear it.")
        for one, value in typed.items()
        if value and chosen[one] != "typed"
    }


def _wanted(line: Line, chosen: dict[str, str]) -> bool:
    return bool(chosen[str(line.conflict.id)])


def _decision(line: Line, chosen: dict[str, str], typed: dict[str, str]) -> Decision:
    one = line.conflict
    value = typed[str(one.id)]
    return Decision(
        conflict_id=one.id,
        choice=chosen[str(one.id)],
        seen=text(f"seen-{one.id}"),
        typed=entered(one.field, value, one.ours) if one.field else value,
    )


def _late(conflict_id: UUID) -> Decision:
    """A form for what somebody settled meanwhile: the service says so."""
    whole = request.form.get("whole", "") or request.form.get(f"choice-{conflict_id}", "")
    return Decision(conflict_id, whole if whole in service.CHOICES else "ours", "")


def _answer(
    subject: Subject, made: tuple[Settled, ...], chosen: dict[str, str], typed: dict[str, str]
) -> Response:
    states = {one.state for one in made}
    if states == {"gone"}:
        raise NotFound
    errors = {
        str(one.conflict_id): one.sentence
        for one in made
        if one.state in {"refused", "reopened", "late"}
    }
    if errors:
        status = 422 if "refused" in states else 409
        fresh = subject_of(subject.conflict.id)
        return work(fresh, chosen_filter(), Form(status, errors, chosen, typed))
    return _onwards(subject, made)


def _onwards(subject: Subject, made: tuple[Settled, ...]) -> Response:
    """Go on to the next record; there the choice can be taken back."""
    chosen, done = chosen_filter(), ",".join(str(one.conflict_id) for one in made)
    found = query.queue(signed_in(), chosen)
    left = next((one for one in subject_of(subject.conflict.id).open), None)
    asked = left.conflict.id if left else next_after(found, subject.conflict.record_id)
    url = address(asked, chosen, done=done)
    if not is_htmx():
        return see_other(url)
    answer = work(subject_of(asked) if asked else None, chosen, push_url=url)
    return toast(answer, said(subject, made), undo_url=_undo_url(made))


def said(subject: Subject, made: tuple[Settled, ...]) -> str:
    """Return the sentence that says what was done."""
    amount = len(made)
    sentence = ngettext(
        "Settled %(n)s field of %(title)s.",
        "Settled %(n)s fields of %(title)s.",
        amount,
        n=amount,
        title=subject.conflict.title,
    )
    return " ".join([sentence, *dict.fromkeys(one.sentence for one in made if one.sentence)])


def _undo_url(made: tuple[Settled, ...]) -> str:
    first, *rest = [str(one.conflict_id) for one in made]
    return url_for("conflicts.undo", conflict_id=first, also=",".join(rest) or None)


def _alone(subject: Subject) -> Response:
    """Settle one conflict from the page of its record, and go back there."""
    one, choice = subject.conflict, request.form["choice"]
    (made,) = service.settle(person=signed_in(), decisions=[Decision(one.id, choice, text("seen"))])
    if made.state == "gone":
        raise NotFound
    if made.state in {"reopened", "refused", "late"}:
        flash(
            _(
                "%(field)s: %(sentence)s",
                field=one.label,
                sentence=made.sentence,
            ),
            "error",
        )
    else:
        kept = "CRM Admin" if made.choice == "ours" else one.connection
        flash(
            _(
                "Kept the value of %(side)s for %(field)s of %(title)s.",
                side=kept,
                field=one.label,
                title=one.title,
            ),
            "success",
        )
    home = url_for("conflicts.index")
    return see_other(back_to(text("next"), (home, record_url(one.kind, one.record_id))))


@conflicts.post("/<uuid:conflict_id>/undo")
@requires(Permission.CONFLICT_RESOLVE)
def undo(conflict_id: UUID) -> Response:
    """Open what was just settled again, or say that it is written by now."""
    also = [id_of(part[:40]) for part in request.args.get("also", "").split(",")[:50]]
    asked = [conflict_id, *(one for one in also if one is not None)]
    made = [conflict_undo.reopen(person=signed_in(), conflict_id=one) for one in asked]
    if all(one.reopened for one in made):
        flash(_("Open again. Nothing was written."), "success")
    else:
        flash(_("It is written on both sides already. You can still use the other value."), "error")
    return see_other(address(conflict_id, chosen_filter()))


@conflicts.post("/<uuid:conflict_id>/other")
@requires(Permission.CONFLICT_RESOLVE)
def other(conflict_id: UUID) -> Response:
    """Write the value that lost to both sides."""
    found = subject_of(conflict_id).conflict
    conflict_undo.use_other(person=signed_in(), conflict_id=conflict_id)
    flash(
        _(
            "The other value of %(field)s of %(title)s goes to both sides.",
            field=found.label,
            title=found.title,
        ),
        "success",
    )
    return see_other(address(conflict_id, chosen_filter()))


@conflicts.post("/<uuid:conflict_id>/claim")
@requires(Permission.CONFLICT_RESOLVE)
def claim(conflict_id: UUID) -> Response:
    """Say who looks at it; the page says it in the same place."""
    conflict_claims.claim(
        person=signed_in(), conflict_id=conflict_id, take_over=text("take_over") == "1"
    )
    if is_htmx():
        return unchanged()
    return see_other(address(conflict_id, chosen_filter()))


@conflicts.post("/<uuid:conflict_id>/release")
@requires(Permission.CONFLICT_RESOLVE)
def release(conflict_id: UUID) -> Response:
    """Give the claim back."""
    subject_of(conflict_id)
    conflict_claims.release(person=signed_in(), conflict_id=conflict_id)
    return see_other(address(conflict_id, chosen_filter()))
