"""Fields that say while a person types what is wrong with them, in the words of their forms."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import abort
from flask_babel import gettext as _

from crm_admin.blueprints.forms import argument
from crm_admin.errors import BadInput
from crm_admin.services import connections, connections_settings, remote

Check = Callable[[str, UUID | None], object]


@dataclass(frozen=True, slots=True)
class LiveField:
    """A field of a form: its words, its value, and what is wrong with it."""

    name: str
    label: str
    hint: str
    value: str
    error: str
    url: str
    kind: str = "text"
    required: bool = False


def _name(value: str, connection_id: UUID | None) -> object:
    return connections_settings.check_free_name(value, but=connection_id)


def _endpoint(value: str, connection_id: UUID | None) -> None:
    provider = connections.show(connection_id).provider if connection_id else ""
    remote.check_endpoint(value, provider)


def _limit(name: str, *, optional: bool = False) -> Check:
    return lambda value, _connection_id: connections_settings.check_limit(
        name, value, optional=optional
    )


def _time(name: str) -> Check:
    return lambda value, _connection_id: connections_settings.check_time(name, value)


CHECKS: dict[str, Check] = {
    "name": _name,
    "endpoint": _endpoint,
    "quiet_from": _time("quiet_from"),
    "quiet_until": _time("quiet_until"),
    "quiet_zone": lambda value, _: connections_settings.check_zone("quiet_zone", value),
    **{
        name: _limit(name, optional=name in {"batch", "calls_per_10_seconds", "daily_calls"})
        for name in connections_settings.RANGES
    },
}


def words(name: str) -> tuple[str, str]:
    """Return label and hint of a field."""
    found = {
        "name": (_("Name"), _("How pages call this connection")),
        "endpoint": (_("Address"), _("Another address must lead to the same account")),
        "quiet_from": (_("From"), _("A time like 22:00")),
        "quiet_until": (_("Until"), _("A time like 06:00")),
        "quiet_zone": (_("Time zone"), _("For example Europe/Paris")),
        "deletes_percent": (_("Deletes and emptied fields, % of linked records"), ""),
        "deletes_floor": (_("Always allowed"), _("However few records are linked")),
        "deletes_most": (_("Never more than"), _("However many records are linked")),
        "creates_percent": (_("New records in the CRM, % of linked records"), ""),
        "creates_floor": (_("Always allowed"), _("However few records are linked")),
        "batch": (_("Records per call"), _("Empty: as many as the CRM takes")),
        "calls_per_10_seconds": (_("Calls in 10 seconds"), _("Empty: what the CRM tells us")),
        "daily_calls": (_("Calls a day"), _("Empty: no limit of ours. People may go on beyond it")),
    }
    return found[name]


def checked(name: str, connection_id: UUID | None, url: str) -> LiveField:
    """Return a field with what was typed into it and what is wrong with that."""
    check = CHECKS.get(name)
    if check is None:
        abort(404)
    value = argument(name)
    try:
        check(value, connection_id)
        error = ""
    except BadInput as problem:
        error = problem.sentence
    return live(name, value, url, error=error)


def live(
    name: str, value: object, url: str, *, error: str = "", required: bool = False
) -> LiveField:
    """Return a field that checks itself when it is left."""
    label, hint = words(name)
    kind = "url" if name == "endpoint" else "text"
    return LiveField(name, label, hint, str(value), error, url, kind, required)
