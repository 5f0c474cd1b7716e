"""Pages and actions that the command bar finds: each only for whom its door is open."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for

from crm_admin.blueprints.access import SIGNED_IN, table
from crm_admin.blueprints.formats import noun
from crm_admin.blueprints.navigation import record_kinds
from crm_admin.blueprints.wording import _
from crm_admin.security.permissions import Permission
from crm_admin.services.access import Person

MOST = 6


@dataclass(frozen=True, slots=True)
class Place:
    label: str
    href: str


@dataclass(frozen=True, slots=True)
class _Door:
    """`own` doors are open to people who see only their own POVs as well."""

    label: str
    endpoint: str
    values: dict[str, Any]
    own: bool = False


def _doors() -> list[_Door]:
    doors = [
        _Door(_("POVs"), "povs.index", {}, own=True),
        _Door(_("Conflicts"), "conflicts.index", {}, own=True),
        _Door(_("Profile: time zone, look, keys, sign-ins"), "profile.index", {}, own=True),
        _Door(_("Home"), "overview.home", {}),
        _Door(_("Sync now"), "sync.now", {}),
        _Door(_("History of runs"), "sync.history", {}),
        _Door(_("Connections"), "settings.connections", {}),
        _Door(_("Add a connection"), "settings.new", {}),
        _Door(_("Mapping of fields"), "mapping.index", {}),
        _Door(_("People and roles"), "overview.people", {}),
        _Door(_("New POV"), "povs.new", {}),
    ]
    for name, plural in record_kinds():
        doors.append(_Door(plural, "records.listing", {"kind": name}))
        doors.append(
            _Door(_("New record in %(plural)s", plural=noun(plural)), "records.new", {"kind": name})
        )
    return doors


def places(person: Person, query: str) -> tuple[Place, ...]:
    """Return the pages and actions whose words all begin like the words asked for."""
    asked = query.lower().split()
    if not asked or len(asked) > 6:
        return ()
    needs = table(current_app)
    found = []
    for door in _doors():
        words = door.label.lower().replace(",", " ").replace(":", " ").split()
        if not all(any(word.startswith(one) for word in words) for one in asked):
            continue
        if _is_open(person, needs.get(door.endpoint, ""), own=door.own):
            found.append(Place(door.label, url_for(door.endpoint, **door.values)))
    return tuple(found[:MOST])


def _is_open(person: Person, needs: str, *, own: bool) -> bool:
    """Say whether a door is there and open: one that is not there needs nothing, and is closed."""
    if person.sees_own_povs_only and not own:
        return False
    return needs == SIGNED_IN or (needs in set(Permission) and person.may(Permission(needs)))
