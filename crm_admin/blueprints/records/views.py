"""What the pages of a record and of a POV share: they differ in their address and their words
only."""

import re
from collections.abc import Mapping
from uuid import UUID

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import signed_in
from crm_admin.blueprints.forms import argument, attempt, once_key, text
from crm_admin.blueprints.links import record_url
from crm_admin.blueprints.rendering import last_poll
from crm_admin.errors import BadInput, Stale
from crm_admin.jsontypes import Json
from crm_admin.records.kinds import Field, FieldType
from crm_admin.services import records as service
from crm_admin.services import sync_runs
from crm_admin.services.queries import record as query
from crm_admin.services.queries.listing import Filters
from crm_admin.services.queries.timeline import TimeLine, timeline
from crm_admin.services.queries.why import why

CURRENCY = re.compile(r"\s*[A-Za-z]{3}\s*$")
SORTS = ("updated", "title", "amount", "due")


def filters() -> Filters:
    """Return the filters of a record list from the address."""
    sort = argument("sort")
    return Filters(
        query=argument("q"),
        status=argument("stage"),
        view=argument("view"),
        sort=sort if sort in SORTS else "updated",
        mine=argument("view") == "mine",
    )


def page(kind: str, record_id: UUID) -> str:
    """Return the page of a record this person may see."""
    found = query.record(signed_in(), kind, record_id)
    chosen = argument("why")
    return render_template(
        "records/one.html",
        page=found,
        why=why(found, chosen) if chosen else None,
        timeline=_timeline(found),
        once=once_key(),
        here=record_url(kind, record_id),
    )


def _timeline(found: query.RecordPage) -> TimeLine:
    field = argument("field")
    theirs = sorted(
        {
            rule.theirs
            for presence in found.presences
            for rule in presence.rules.values()
            if rule.ours == field
        }
    )
    return timeline(found.id, field=field, theirs=theirs, after=argument("after"))


def status(kind: str, record_id: UUID) -> Response:
    """Return the part of a record's page that says where it stands."""
    found = query.record(signed_in(), kind, record_id)
    return last_poll(
        "records/_status.html",
        is_over=not found.syncing,
        page=found,
        here=record_url(kind, record_id),
    )


def sync(kind: str, record_id: UUID) -> Response:
    """Ask for this record's sync now and go back to its page."""
    found = query.record(signed_in(), kind, record_id)
    started = attempt(
        lambda: sync_runs.sync_record(
            person=signed_in(), record_id=found.id, once_key=text("once_key") or None
        )
    )
    if started:
        flash(f"Syncing {found.title} now.", "success")
    return redirect(record_url(kind, record_id), 303)


def edit(kind: str, record_id: UUID) -> str:
    """Return the form of a record's fields."""
    found = query.record(signed_in(), kind, record_id)
    return _form(
        found,
        {field.name: typed(found.data.get(field.name)) for field in editable(found)},
        {},
    )


def save(kind: str, record_id: UUID) -> Response | tuple[str, int]:
    """Save what was typed; bad values come back beside their fields."""
    found = query.record(signed_in(), kind, record_id)
    values = {field.name: text(f"field-{field.name}", longest=20_000) for field in editable(found)}
    changes = {
        field.name: entered(field, values[field.name], found.data.get(field.name))
        for field in editable(found)
        if values[field.name] != typed(found.data.get(field.name))
    }
    try:
        seen = int(request.form.get("version", ""))
    except ValueError as error:
        raise BadInput("version", "Load the page again before saving.") from error
    if changes:
        try:
            service.save(person=signed_in(), record_id=found.id, changes=changes, seen_version=seen)
        except BadInput as error:
            return _form(found, values, {f"field-{error.field}": error.sentence}), 422
        except Stale:
            return _form(found, values, _meanwhile(found, changes), anew=True), 409
    amount = len(changes)
    flash(
        f"Saved {amount} field{'' if amount == 1 else 's'} of {found.title}."
        if amount
        else "Nothing was changed.",
        "success",
    )
    return redirect(record_url(kind, record_id), 303)


def _meanwhile(found: query.RecordPage, changes: Mapping[str, Json]) -> dict[str, str]:
    """Say what the fields hold by now that saving the form again would replace."""
    return {
        f"field-{name}": f"It is “{typed(found.data.get(name)) or 'empty'}” by now. Saving again"
        " replaces that."
        for name in changes
    }


def editable(found: query.RecordPage) -> list[Field]:
    """Return the fields a form can change; references, lists and the owner's id keep their own
    ways."""
    return [
        field
        for field in found.kind.fields
        if field.type not in {FieldType.REFERENCE, FieldType.ARRAY}
        and field.name != found.kind.promoted.owner
    ]


def typed(value: object) -> str:
    """Return a stored value as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return f"{value.get('amount', '')} {value.get('currency', '')}".strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return str(value)


def entered(field: Field, value: str, before: Json) -> Json:
    """Return what a person typed as its field takes it; money without a currency keeps the one
    it had."""
    if field.type is FieldType.MULTI_ENUM:
        return [part.strip() for part in value.split(",") if part.strip()]
    if field.type is not FieldType.MONEY or not value:
        return value
    amount, currency = value, before.get("currency", "") if isinstance(before, Mapping) else ""
    if parts := CURRENCY.search(value):
        amount, currency = value[: parts.start()], parts[0].strip()
    return {"amount": "".join(amount.split()), "currency": currency}


def choices(field: Field, value: str) -> list[tuple[str, str]]:
    """Return what may be chosen; an unlisted value stays choosable, or saving would lose it."""
    listed = [(option.code, option.label) for option in field.options]
    extra = [] if not value or value in dict(listed) else [(value, value)]
    return [("", "none"), *extra, *listed]


def _form(
    found: query.RecordPage,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    *,
    anew: bool = False,
) -> str:
    """Return the form; `anew` lets it be saved over what somebody else saved meanwhile."""
    return render_template(
        "records/edit.html",
        page=found,
        fields=editable(found),
        values=values,
        errors=errors,
        choices=choices,
        version=(not anew and request.form.get("version")) or found.version,
        labels={f"field-{field.name}": field.label for field in editable(found)},
        here=record_url(found.kind.name, found.id),
    )
