"""The first sentence of a record's page: where the record stands in every CRM, and what to do."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from crm_admin.blueprints.formats import noun, when
from crm_admin.blueprints.wording import _, ngettext
from crm_admin.services.queries.record import Presence, RecordPage


def sentences(page: RecordPage) -> Markup:
    """Return where a record stands, one sentence for each connection."""
    if page.hub_only:
        return escape(_("Only kept in CRM Admin; it is sent to no CRM."))
    if not page.presences:
        return escape(_("No connection syncs %(plural)s yet.", plural=noun(page.kind.plural)))
    return Markup(" ").join(standing(page, presence) for presence in page.presences)


def standing(page: RecordPage, presence: Presence) -> Markup:
    """Return where a record stands in one connection."""
    said = _there(page, presence) if presence.is_there else _away(page, presence)
    return escape(said)


def _there(page: RecordPage, presence: Presence) -> str:
    name, state = presence.connection, page.standing_of(presence)
    if state == "not_linked":
        return _off(presence)
    if state == "conflict":
        return _conflict(page, presence)
    if state == "failed":
        return _(
            "In %(name)s, but the last change did not get through: %(reason)s",
            name=name,
            reason=_stopped(presence.place.note),
        )
    if not presence.healthy:
        return _unwell(page, presence)
    if state == "syncing" or page.syncing:
        return _("In %(name)s; a change is on its way.", name=name)
    if state in {"waiting", "paused"}:
        return _waiting(presence)
    return _agreed(page, presence)


def _agreed(page: RecordPage, presence: Presence) -> str:
    at = page.presences.index(presence)
    name = presence.connection
    different = sum(1 for row in page.fields if row.status == "different" and row.theirs[at].mapped)
    if different:
        return ngettext(
            "In %(name)s; one field differs and waits for a decision.",
            "In %(name)s; %(num)d fields differ and wait for a decision.",
            different,
            name=name,
        )
    if presence.agreed_at is None:
        return _("In %(name)s.", name=name)
    since = when(presence.agreed_at, "time")
    if presence.stance == "observe":
        return timed(_("In %(name)s, the same on both sides at %(time)s."), name, since)
    if presence.stance == "paused":
        return timed(
            _("In %(name)s, the same on both sides at %(time)s; the sync is paused."), name, since
        )
    return timed(_("In %(name)s and up to date since %(time)s."), name, since)


def _conflict(page: RecordPage, presence: Presence) -> str:
    fields = [one.label for one in page.conflicts if one.connection_id == presence.connection_id]
    return ngettext(
        "In %(name)s; %(fields)s was changed on both sides and waits for a choice.",
        "In %(name)s; %(fields)s were changed on both sides and wait for a choice.",
        len(fields),
        name=presence.connection,
        fields=", ".join(fields),
    )


def _off(presence: Presence) -> str:
    note = presence.place.note or _("The two are not linked any more.")
    return _("Not kept in step with %(name)s: %(reason)s", name=presence.connection, reason=note)


def _unwell(page: RecordPage, presence: Presence) -> str:
    name, since = presence.connection, presence.unwell_since
    waits = presence.waits and page.has_changes_for(presence)
    if waits and since is not None:
        return timed(
            _("%(name)s has not answered since %(time)s; your change is saved and waiting."),
            name,
            when(since, "time"),
        )
    if waits:
        return _("%(name)s needs attention; your change is saved and waiting.", name=name)
    return _("In %(name)s, as far as known: the connection needs attention.", name=name)


def _waiting(presence: Presence) -> str:
    name = presence.connection
    if presence.stance == "observe":
        return _(
            "In %(name)s; the change stays here, because %(name)s is only observed.", name=name
        )
    if presence.stance == "paused":
        return _(
            "In %(name)s; your change is saved and waits until the sync is resumed.", name=name
        )
    return _("In %(name)s; your change is saved and goes out with the next sync.", name=name)


def _away(page: RecordPage, presence: Presence) -> str:
    name = presence.connection
    reason = _hindrance(presence)
    if reason:
        return _("Not in %(name)s yet: %(reason)s", name=name, reason=reason)
    if presence.stance == "observe":
        return _("Not in %(name)s: it is only observed, so nothing is written there.", name=name)
    if presence.stance == "paused":
        return _("Not in %(name)s yet: the connection is paused.", name=name)
    if not presence.healthy:
        return _("Not in %(name)s yet: the connection needs attention.", name=name)
    if presence.waits or page.syncing:
        return _("On its way to %(name)s.", name=name)
    return _("Not in %(name)s yet. Sync it now to send it there.", name=name)


def _hindrance(presence: Presence) -> str:
    if presence.place.status == "failed":
        return _stopped(presence.place.note)
    if presence.missing:
        return ngettext(
            "%(fields)s is empty. Add it below.",
            "%(fields)s are empty. Add them below.",
            len(presence.missing),
            fields=listed(presence.missing),
        )
    return _stopped(presence.place.note or presence.skipped)


def timed(text: str, name: str, time: Markup) -> Markup:
    """Return a sentence with a connection's name, which is escaped, and a time element."""
    return escape(text) % {"name": name, "time": time}


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them."""
    if len(words) < 2:
        return "".join(words)
    return _("%(some)s and %(last)s", some=", ".join(words[:-1]), last=words[-1])


def _stopped(text: str) -> str:
    """A sentence of a CRM, ended like one of ours."""
    said = text.strip()
    return said if not said or said.endswith((".", "!", "?", "…")) else f"{said}."
