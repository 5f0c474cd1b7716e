"""Lists of records: what is shown, in which order, the same as a file, and what can be done with
several at once.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, redirect, request
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import signed_in
from crm_admin.blueprints.exporting import csv_file
from crm_admin.blueprints.forms import argument, ids, once_key, text
from crm_admin.blueprints.links import list_url
from crm_admin.blueprints.navigation import record_kinds
from crm_admin.blueprints.records import columns as cols
from crm_admin.blueprints.records.list_words import chips_of, list_sentence, view_words
from crm_admin.blueprints.rendering import page
from crm_admin.blueprints.wording import _, ngettext
from crm_admin.errors import BadInput, NotFound
from crm_admin.records.kinds import Field, RecordKind
from crm_admin.services import sync_runs
from crm_admin.services.queries import record as one_query
from crm_admin.services.queries import records as query
from crm_admin.services.queries.archived import archived
from crm_admin.services.queries.listing import ORDERS, Filters
from crm_admin.services.queries.unwell import unwell
from crm_admin.services.queries.views import SavedView, views

NAMES = ("q", "stage", "view", "sort")
EVERYTHING = "all"
AT_ONCE = 50
CHUNK = 500


def asked() -> dict[str, str]:
    """Return what the address narrows, orders and shows, without empty parts."""
    found = {name: value for name in NAMES if (value := argument(name))}
    chosen = [one for part in request.args.getlist("cols") for one in part.split(",") if one]
    if chosen:
        found["cols"] = ",".join(dict.fromkeys(one[:20] for one in chosen[:20]))
    return found


def filters(given: dict[str, str]) -> Filters:
    """Return the filters of a record list."""
    view = given.get("view", "")
    sort = given.get("sort", "")
    return Filters(
        query=given.get("q", ""),
        status=given.get("stage", ""),
        view="" if view == EVERYTHING else view,
        sort=sort if sort in ORDERS else "updated",
        mine=view == "mine",
    )


def page_name(kind: str) -> str:
    """Return the name under which views of a list are kept."""
    return "povs" if kind == "pov" else f"records/{kind}"


def listing(kind: str) -> Response:
    """Return the page of a list; a bare address opens with the person's default view."""
    kept = views(signed_in(), page_name(kind))
    base = list_url(page_name(kind))
    usual = next((view for view in kept if view.is_default), None)
    if usual is not None and not request.args:
        return redirect(f"{base}?{_address(usual)}")
    given = asked()
    found = query.record_list(signed_in(), kind, filters(given), argument("after"))
    shown = cols.shown(found.kind, given.get("cols", "").split(","))
    return page(
        "records/index.html",
        page=found,
        kinds=() if kind == "pov" else record_kinds(),
        sentence=list_sentence(found),
        given=given,
        base=base,
        link=lambda **changes: _link(base, given, changes),
        chips=chips_of(found.status_field, given),
        columns=shown,
        available=cols.available(found.kind),
        views=kept,
        view_address=_address,
        page_name=page_name(kind),
        saved=argument("saved"),
        unwell=unwell(kind),
        archived=archived(signed_in(), kind, argument("archived")),
        once=once_key(),
    )


def arrange(kind: str) -> Response:
    """Return the page where columns are chosen and views are kept."""
    found = query.kind_named(kind)
    _require_list(kind)
    given = asked()
    return page(
        "records/view.html",
        kind=found,
        given=given,
        base=list_url(page_name(kind)),
        filters_text=urlencode(given),
        words=[
            given_words
            for given_words in (
                view_words(given.get("view", "")),
                *(chip.words for chip in chips_of(_status_field(found), given)),
                _("its order") if "sort" in given else "",
                _("its columns") if "cols" in given else "",
            )
            if given_words
        ],
        columns=cols.shown(found, given.get("cols", "").split(",")),
        available=cols.available(found),
        views=views(signed_in(), page_name(kind)),
        view_address=_address,
        page_name=page_name(kind),
    )


def _status_field(kind: RecordKind) -> Field | None:
    return kind.field(kind.promoted.status) if kind.promoted.status else None


def _require_list(kind: str) -> None:
    if signed_in().sees_own_povs_only and kind != "pov":
        raise NotFound(_("There are no records of this type."))


def _address(view: SavedView) -> str:
    return urlencode({"view": EVERYTHING, **view.filters, "saved": str(view.id)})


def _link(base: str, given: dict[str, str], changes: dict[str, Any]) -> str:
    """Return the list's address with some of its parts changed; empty parts are left out."""
    parts = {**given, **{name: str(value) for name, value in changes.items()}}
    rest = urlencode({name: value for name, value in parts.items() if value})
    return f"{base}?{rest}" if rest else base


def export(kind: str) -> FlaskResponse:
    """Send what the list shows under its filters, order and columns, to its very end."""
    given = asked()
    found = query.kind_named(kind)
    first, after = query.record_lines(signed_in(), kind, filters(given), "", CHUNK)
    connections = query.connections_of(kind)
    shown = cols.shown(found, given.get("cols", "").split(","))

    def lines() -> Iterator[list[str]]:
        part, place = first, after
        while True:
            for line in part:
                yield cols.cells(line, shown)
            if not place:
                return
            part, place = query.record_lines(signed_in(), kind, filters(given), place, CHUNK)

    return csv_file(found.plural.lower(), cols.header(found, shown, connections), lines())


def sync_selected(kind: str) -> Response:
    """Ask for a sync of every ticked record and say how many could not be asked for, and why."""
    back = list_url(page_name(kind))
    wanted = list(dict.fromkeys(ids("id")))[:AT_ONCE]
    if not wanted:
        flash(_("Tick the records to sync first."), "error")
        return redirect(back, 303)
    key, done, refused = text("once_key"), 0, ""
    for record_id in wanted:
        try:
            _sync_one(kind, record_id, key)
            done += 1
        except (BadInput, NotFound) as error:
            refused = error.sentence
    if done:
        flash(ngettext("Syncing one record now.", "Syncing %(num)d records now.", done), "success")
    if refused:
        left = len(wanted) - done
        flash(
            ngettext(
                "One record was not synced: %(reason)s",
                "%(num)d records were not synced: %(reason)s",
                left,
                reason=refused,
            ),
            "error",
        )
    return redirect(back, 303)


def _sync_one(kind: str, record_id: UUID, key: str) -> None:
    found = one_query.record(signed_in(), kind, record_id)
    sync_runs.sync_record(
        person=signed_in(), record_id=found.id, once_key=f"{key}:{record_id}" if key else None
    )
