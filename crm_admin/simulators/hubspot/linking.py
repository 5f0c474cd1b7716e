"""How associations change at HubSpot: both ends together, and only one primary company for a
record.
"""

from crm_admin.simulators.hubspot.association_types import PLAIN, PRIMARY, backwards
from crm_admin.simulators.links import End
from crm_admin.simulators.store import Portal
from crm_admin.simulators.truth import By


def set_types(portal: Portal, near: End, far: End, types: frozenset[int], by: By) -> None:
    """The two records have these association types beside those they had; a new primary takes the
    place of the old.
    """
    pair = (near[0], far[0])
    wanted = portal.links.types(near, far) | types
    if pair in PLAIN:
        wanted |= {PLAIN[pair]}
    if PRIMARY.get(pair) in types:
        owner, target = (near, far) if far[0] == "companies" else (far, near)
        _make_primary(portal, owner, target, by)
    portal.link(near, far, (wanted, backwards(*pair, wanted)), by=by)
    _tell_primary(portal, (near, far), by)


def remove_types(portal: Portal, near: End, far: End, types: frozenset[int] | None, by: By) -> None:
    """The two records no longer have these types; None takes all of them away."""
    kept = frozenset[int]() if types is None else portal.links.types(near, far) - types
    portal.link(near, far, (kept, backwards(near[0], far[0], kept)), by=by)
    _tell_primary(portal, (near, far), by)


def primary_company(portal: Portal, near: End) -> int | None:
    """The id of the primary company of a contact or deal."""
    primary = PRIMARY.get((near[0], "companies"))
    for company_id, types in portal.links.to(near, "companies").items():
        if primary in types:
            return company_id
    return None


def _make_primary(portal: Portal, owner: End, target: End, by: By) -> None:
    former = primary_company(portal, owner)
    if former is not None and former != target[1]:
        primary = frozenset({PRIMARY[owner[0], "companies"]})
        remove_types(portal, owner, ("companies", former), primary, by)


def refresh_primary(portal: Portal, end: End, by: By) -> None:
    """The contacts linked to this record, or it itself, name their primary company again."""
    others = tuple(far for far, _ in portal.links.all_of(end))
    _tell_primary(portal, (end, *others), by)


def _tell_primary(portal: Portal, ends: tuple[End, ...], by: By) -> None:
    """`associatedcompanyid` of a contact follows its primary link."""
    for end in ends:
        if end[0] == "contacts":
            company = primary_company(portal, end)
            value = "" if company is None else str(company)
            portal.derive("contacts", end[1], {"associatedcompanyid": value}, by=by)
