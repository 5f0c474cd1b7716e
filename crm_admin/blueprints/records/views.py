"""The page of one record: where it stands, its fields on all sides, its past, and what can be done.

Records and POVs differ in their address and their words only.
"""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, requires_sign_in, signed_in
from crm_admin.blueprints.formats import noun, zone
from crm_admin.blueprints.forms import argument, attempt, once_key, text
from crm_admin.blueprints.links import record_url
from crm_admin.blueprints.records.sentences import listed, sentences
from crm_admin.blueprints.rendering import fragment, last_poll, page
from crm_admin.blueprints.wording import _
from crm_admin.errors import BadInput, NotFound
from crm_admin.security.permissions import Permission
from crm_admin.services import asking, preferences, sync_runs
from crm_admin.services import put_back as undoing
from crm_admin.services.queries import record as query
from crm_admin.services.queries.companions import Companion, companions
from crm_admin.services.queries.past import Past, past
from crm_admin.services.queries.shares import shared_with
from crm_admin.services.queries.timeline import timeline
from crm_admin.services.queries.why import why
from crm_admin.services.shares import may_share

EARLIEST, LATEST = 1900, 2200
"""Years that a record can be asked about; beyond them zones have no place to go."""
SHOWS = ("", "different", "unmapped")


@requires(Permission.RECORD_READ)
def one(kind: str, record_id: UUID) -> Response:
    """Return the page of a record; `as_of` shows what it held at a moment."""
    if kind == "pov" and _is_plain():
        return redirect(record_url(kind, record_id))
    found = query.record(signed_in(), kind, record_id)
    chosen = argument("why")
    shown, complaint = _past(found, argument("as_of", longest=40))
    return page(
        "records/one.html",
        status=422 if complaint else 200,
        page=found,
        sentence=sentences(found),
        why=why(found, chosen) if chosen else None,
        past=shown,
        as_of=argument("as_of", longest=40),
        complaint=complaint,
        show=argument("show") if argument("show") in SHOWS else "",
        timeline=timeline(found, field=argument("field"), after=argument("after")),
        shares=shared_with(found.id) if kind == "pov" else (),
        may_share=kind == "pov" and may_share(signed_in(), found.owner_id),
        once=once_key(),
        here=record_url(kind, record_id),
    )


def _is_plain() -> bool:
    """Say whether a POV was asked for under /records: it has an address of its own."""
    return request.path.startswith("/records/")


def _past(found: query.RecordPage, asked: str) -> tuple[Past | None, str]:
    if not asked:
        return None, ""
    try:
        moment = _moment(asked)
    except (ValueError, OverflowError):
        return None, _("Enter a date like 2026-11-18.")
    return past(found, moment), ""


def _moment(asked: str) -> datetime:
    """Return the end of a day in the person's zone, or the very moment when a time is given."""
    if len(asked) == len("2026-11-18"):
        moment = datetime.combine(date.fromisoformat(asked), time.max, tzinfo=zone())
    else:
        moment = datetime.fromisoformat(asked)
    placed = moment if moment.tzinfo else moment.replace(tzinfo=zone())
    if not EARLIEST <= placed.year <= LATEST:
        raise ValueError(asked)
    return placed


@requires(Permission.RECORD_READ)
def status(kind: str, record_id: UUID) -> Response:
    """Return the part that says where the record stands, polled while it is being synced."""
    found = query.record(signed_in(), kind, record_id)
    return last_poll(
        "records/_status.html",
        is_over=not found.syncing,
        page=found,
        here=record_url(kind, record_id),
    )


@requires(Permission.RECORD_READ)
def time_line(kind: str, record_id: UUID) -> Response:
    """Return the time line alone, of one field or further back."""
    found = query.record(signed_in(), kind, record_id)
    here = record_url(kind, record_id)
    asked: dict[str, Any] = {
        name: value for name in ("field", "after") if (value := argument(name))
    }
    return fragment(
        "records/_timeline.html",
        push_url=url_for(f"{'povs' if kind == 'pov' else 'records'}.one", **_place(found), **asked),
        page=found,
        timeline=timeline(found, field=argument("field"), after=argument("after")),
        here=here,
    )


def _place(found: query.RecordPage) -> dict[str, Any]:
    if found.kind.name == "pov":
        return {"record_id": found.id}
    return {"kind": found.kind.name, "record_id": found.id}


def _explained(kind: str, record_id: UUID, field: str) -> dict[str, Any]:
    found = query.record(signed_in(), kind, record_id)
    reasons = why(found, field)
    if reasons is None:
        raise NotFound(_("This record has no such field."))
    return {"page": found, "why": reasons, "here": record_url(kind, record_id)}


@requires(Permission.RECORD_READ)
def why_part(kind: str, record_id: UUID, field: str) -> Response:
    """Return why a field has its value, as a dialog."""
    return fragment("records/_why_dialog.html", **_explained(kind, record_id, field))


@requires(Permission.RECORD_READ)
def why_page(kind: str, record_id: UUID, field: str) -> Response:
    """Return why a field has its value, as a page of its own."""
    return page("records/why.html", **_explained(kind, record_id, field))


@requires(Permission.SYNC_RECORD)
def sync(kind: str, record_id: UUID) -> Response:
    """Sync the record; one that depends on records that are not there yet shows them first."""
    found = query.record(signed_in(), kind, record_id)
    here = record_url(kind, record_id)
    others = companions(signed_in(), found)
    scope = text("scope")
    if others and scope not in {"one", "all"}:
        return page("records/sync.html", page=found, companions=others, here=here, once=once_key())
    wanted = [found.id, *(one.id for one in others if scope == "all" and one.may_sync)]
    # What a record refers to goes first, or the CRM could not be told of it.
    if attempt(lambda: _sync(list(reversed(wanted)))):
        flash(_synced(found, others, scope), "success")
    return redirect(here, 303)


def _sync(ids: list[UUID]) -> bool:
    key = text("once_key")
    for record_id in ids:
        sync_runs.sync_record(
            person=signed_in(),
            record_id=record_id,
            once_key=f"{key}:{record_id}" if key else None,
        )
    return True


def _synced(found: query.RecordPage, others: tuple[Companion, ...], scope: str) -> str:
    names = [one.title for one in others if scope == "all" and one.may_sync]
    if names:
        return _(
            "Syncing %(title)s now, together with %(others)s.",
            title=found.title,
            others=listed(names),
        )
    return _("Syncing %(title)s now.", title=found.title)


@requires(Permission.SYNC_RECORD)
def ask(kind: str, record_id: UUID) -> Response:
    """Put a question about the record in front of the admins, with what its page says."""
    found = query.record(signed_in(), kind, record_id)
    here = record_url(kind, record_id)
    try:
        asking.ask_admin(
            person=signed_in(),
            record_id=found.id,
            question=text("question", longest=5_000),
            url=here,
            standing=str(sentences(found).striptags()),
        )
    except BadInput as error:
        flash(error.sentence, "error")
        return redirect(f"{here}#ask", 303)
    flash(_("Asked the admins about %(title)s.", title=found.title), "success")
    return redirect(here, 303)


@requires_sign_in
def follow(kind: str, record_id: UUID) -> Response:
    """Put the record on the list of followed ones, or take it off."""
    found = query.record(signed_in(), kind, record_id)
    on = text("on") == "1"
    preferences.follow(person=signed_in(), record_id=found.id, on=on)
    flash(
        _(
            "You follow %(title)s; it is in your list of followed %(plural)s.",
            title=found.title,
            plural=noun(found.kind.plural),
        )
        if on
        else _("You no longer follow %(title)s.", title=found.title),
        "success",
    )
    return redirect(record_url(kind, record_id), 303)


@requires(Permission.RECORD_EDIT)
def put_back(kind: str, record_id: UUID, operation_id: UUID) -> Response:
    """Take one change of the time line back."""
    found = query.record(signed_in(), kind, record_id)
    done = attempt(
        lambda: undoing.put_back(person=signed_in(), record_id=found.id, operation_id=operation_id)
    )
    if done:
        flash(_put_back(done), "success")
    return redirect(f"{record_url(kind, record_id)}#timeline", 303)


def _put_back(done: undoing.PutBack) -> str:
    if done.stayed:
        return _(
            "Put back %(fields)s. %(stayed)s changed again since and stays.",
            fields=listed(done.back),
            stayed=listed(done.stayed),
        )
    return _("Put back %(fields)s.", fields=listed(done.back))
