"""The side bar: only pages that exist, and only those the person may open."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request, url_for

from crm_admin.blueprints.wording import _
from crm_admin.packs.registry import kinds
from crm_admin.security.permissions import Permission, is_allowed
from crm_admin.services.access import Person
from crm_admin.services.queries.frame import Frame

HIDDEN_KINDS = frozenset({"pov", "note"})


@dataclass(frozen=True, slots=True)
class Item:
    label: str
    href: str
    icon: str
    key: str = ""
    count: int = 0
    tone: str = "neutral"
    current: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    name: str
    items: Sequence[Item]


def navigation(person: Person, frame: Frame) -> tuple[Group, ...]:
    """Return the groups of the side bar for this person."""
    if person.sees_own_povs_only:
        return (Group("", "work", (_povs(), _needs(frame), _conflicts(frame))),)
    work = (
        _item(_("Home"), "overview.home", "house", key="h"),
        _needs(frame),
        _povs(),
        _item(_("Records"), "records.index", "people", key="r", under="records."),
        _item(
            _("Sync"),
            "sync.now",
            "arrow-repeat",
            key="s",
            under=("sync.", "plans.", "undo."),
            count=(frame.plans, "warn"),
        ),
        _conflicts(frame),
    )
    return Group("", "work", work), Group(_("Set up"), "setup", _set_up(person))


def _set_up(person: Person) -> tuple[Item, ...]:
    items = [
        _item(_("Connections"), "settings.connections", "plug", key="c", under="settings."),
        _item(_("Mapping"), "mapping.index", "sliders", key="m", under="mapping."),
    ]
    items.append(_item(_("Schedules"), "schedules.index", "clock", key="t", under="schedules."))
    if is_allowed(person.role, Permission.PEOPLE_EDIT):
        items.append(_item(_("People and roles"), "overview.people", "person-gear"))
    return tuple(items)


def _povs() -> Item:
    return _item(_("POVs"), "povs.index", "flag", key="p", under="povs.")


def _needs(frame: Frame) -> Item:
    return _item(
        _("Needs you"),
        "attention.index",
        "inbox",
        key="n",
        under="attention.",
        count=(frame.needs, "bad"),
    )


def _conflicts(frame: Frame) -> Item:
    return _item(
        _("Conflicts"),
        "conflicts.index",
        "fork",
        key="x",
        under="conflicts.",
        count=(frame.conflicts, "conflict"),
    )


def _item(
    label: str,
    endpoint: str,
    icon: str,
    *,
    key: str = "",
    under: str | tuple[str, ...] = "",
    count: tuple[int, str] = (0, "neutral"),
) -> Item:
    here = request.endpoint or ""
    exact = here == endpoint
    return Item(
        label=label,
        href=url_for(endpoint),
        icon=icon,
        key=key,
        count=count[0],
        tone=count[1],
        current=exact or bool(under and here.startswith(under)),
        exact=exact,
    )


def record_kinds() -> tuple[tuple[str, str], ...]:
    """Return name and plural of the kinds with a record list of their own."""
    return tuple((kind.name, kind.plural) for kind in kinds() if kind.name not in HIDDEN_KINDS)
