"""What a piece of work says on a page, and the one button that mends it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import g, has_request_context, url_for

from crm_admin.blueprints.access import signed_in
from crm_admin.blueprints.formats import clock_time, number
from crm_admin.blueprints.wording import _, ngettext
from crm_admin.security.permissions import Permission
from crm_admin.services.queries import errors
from crm_admin.services.queries.errors import ErrorGroup
from crm_admin.services.queries.needs import Need

LONG_NUMBER = re.compile(r"[0-9]{4,}")


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work in words. `mark` is its sign; `item_id` is set where it can be ticked off."""

    need: Need
    mark: str
    title: str
    facts: tuple[str, ...]
    fix_label: str
    fix_href: str
    command: str = ""
    item_id: UUID | None = None


def shown(found: Sequence[Need]) -> list[Work]:
    """Return each piece of work in words, in its order."""
    return [SAID[need.kind](need) for need in found if need.kind in SAID]


def _error(need: Need) -> Work:
    group = _group(need)
    title = (
        _("%(what)s: %(why)s", what=group.title, why=need.detail)
        if group
        else _("%(name)s: %(why)s", name=need.name, why=need.detail)
    )
    facts = [ngettext("%(n)s record", "%(n)s records", need.amount, n=number(need.amount))]
    if need.povs:
        facts.append(ngettext("%(n)s POV", "%(n)s POVs", need.povs, n=number(need.povs)))
    if group and group.deadline:
        facts.append(_("nearest date %(day)s", day=group.deadline.isoformat()))
    return Work(need, "error", title, tuple(facts), _("See how to fix it"), _errors_href(group))


def _errors_href(group: ErrorGroup | None) -> str:
    if signed_in().sees_own_povs_only:
        return url_for("povs.index", view="failed")
    return url_for("sync.errors", _anchor=group.key if group else None)


def _group(need: Need) -> ErrorGroup | None:
    """The same cause as the page of errors knows it, so that the link leads right to it."""
    cause = LONG_NUMBER.sub("#", need.detail)
    for group in _groups():
        if group.connection_id == need.subject and LONG_NUMBER.sub("#", group.cause) == cause:
            return group
    return None


def _groups() -> list[ErrorGroup]:
    if not has_request_context():
        return errors.groups(signed_in())
    if "error_groups" not in g:
        g.error_groups = errors.groups(signed_in())
    found: list[ErrorGroup] = g.error_groups
    return found


def _connection(need: Need) -> Work:
    signed_out = need.code == "needs_reconnect"
    title = (
        _("%(name)s ended our sign-in", name=need.name)
        if signed_out
        else _("%(name)s needs attention", name=need.name)
    )
    may = signed_in().may(Permission.CONNECTION_EDIT)
    label = (
        _("Reconnect %(name)s", name=need.name)
        if signed_out and may
        else _("Look at %(name)s", name=need.name)
    )
    href = url_for("settings.detail", connection_id=need.subject)
    return Work(need, "connection", title, _some(need.detail), label, href)


def _sign_in(need: Need) -> Work:
    return Work(
        need,
        "connection",
        _("The sign-in of %(name)s could not be renewed", name=need.name),
        _some(need.detail),
        _("Look at %(name)s", name=need.name),
        url_for("settings.detail", connection_id=need.subject),
    )


def _plan(need: Need) -> Work:
    amount = ngettext("%(n)s change", "%(n)s changes", need.amount, n=number(need.amount))
    facts = (_("%(amount)s, nothing written yet", amount=amount), *_some(need.detail))
    return Work(
        need,
        "plan",
        _("A plan for %(name)s waits for approval", name=need.name or "CRM Admin"),
        facts,
        _("Look at the plan"),
        url_for("plans.one", run_id=need.code),
    )


def _conflict(need: Need) -> Work:
    facts = [need.detail.replace("_", " ").capitalize()]
    if need.povs:
        facts.append(ngettext("%(n)s POV", "%(n)s POVs", need.povs, n=number(need.povs)))
    return Work(
        need,
        "conflict",
        ngettext(
            "%(n)s field was changed on both sides",
            "%(n)s fields were changed on both sides",
            need.amount,
            n=number(need.amount),
        ),
        tuple(facts),
        ngettext(
            "Resolve %(n)s conflict",
            "Resolve %(n)s conflicts",
            need.amount,
            n=number(need.amount),
        ),
        url_for("conflicts.index"),
    )


def _attention(need: Need) -> Work:
    times = ngettext("%(n)s time", "%(n)s times", need.amount, n=number(need.amount))
    is_question = need.about == "request"
    return Work(
        need,
        "person" if is_question else "error",
        need.detail,
        (times,) if need.amount > 1 and not is_question else (),
        need.fix_label or _("Open"),
        need.fix_href,
        item_id=UUID(need.code),
    )


def _late(need: Need) -> Work:
    return Work(
        need,
        "stopped",
        _("%(name)s is late", name=need.detail),
        tuple(_some(need.name)),
        _("Look at the schedule"),
        url_for("schedules.one", schedule_id=need.code),
    )


def _worker(need: Need) -> Work:
    title = (
        _("No worker has checked in since %(when)s.", when=clock_time(need.since))
        if need.since
        else _("No worker is running.")
    )
    waiting = ngettext(
        "%(n)s run waits in the queue",
        "%(n)s runs wait in the queue",
        need.amount,
        n=number(need.amount),
    )
    facts = (waiting,) if need.amount else (_("New runs will wait."),)
    return Work(need, "error", title, facts, "", "", command="flask crm worker")


def _scheduler(need: Need) -> Work:
    title = (
        _("The scheduler has not checked in since %(when)s.", when=clock_time(need.since))
        if need.since
        else _("No scheduler is running.")
    )
    facts = (_("Nothing starts by itself."),)
    return Work(need, "error", title, facts, "", "", command="flask crm scheduler")


def _some(*parts: str) -> tuple[str, ...]:
    return tuple(part for part in parts if part)


SAID: dict[str, Callable[[Need], Work]] = {
    "attention": _attention,
    "conflict": _conflict,
    "connection": _connection,
    "error": _error,
    "late": _late,
    "plan": _plan,
    "scheduler": _scheduler,
    "sign_in": _sign_in,
    "worker": _worker,
}
