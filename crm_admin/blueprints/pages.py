"""Gives templates what every page needs: formats, words, addresses of static files, the frame
and the navigation."""

from typing import Any

import orjson
from flask import Flask, Response, g, request

from crm_admin import charts
from crm_admin.blueprints import formats, words
from crm_admin.blueprints.access import current_person
from crm_admin.blueprints.assets import asset_url, assets
from crm_admin.blueprints.links import record_url
from crm_admin.blueprints.navigation import Group, navigation
from crm_admin.security.permissions import Permission, is_allowed
from crm_admin.services.queries import brief
from crm_admin.services.queries.frame import Frame, frame
from crm_admin.services.queries.mapping import field_of
from crm_admin.services.queries.why import reason_sentence

HTMX = {
    "historyCacheSize": 0,
    "historyRestoreAsHxRequest": False,
    "refreshOnHistoryMiss": True,
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "defaultFocusScroll": False,
    "timeout": 15000,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "409", "swap": True},
        {"code": "422", "swap": True},
        {"code": "[45]..", "swap": False, "error": True},
    ],
}


def install(app: Flask) -> None:
    """Make filters, globals and the frame available to every template of the app."""
    app.register_blueprint(assets)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        when=formats.when,
        number=formats.number,
        money=formats.money,
        shown=formats.shown,
        wire=formats.wire,
        plain=formats.plain,
        duration=formats.duration,
        short_id=formats.short_id,
        initials=formats.initials,
        noun=formats.noun,
        safe_url=formats.safe_url,
        day=formats.day,
        local_day=formats.local_day,
    )
    app.jinja_env.globals.update(
        asset=asset_url,
        status_word=words.status_word,
        mark=words.mark,
        count_of=formats.count_of,
        reason_sentence=reason_sentence,
        record_url=record_url,
        field_of=field_of,
        records_of=formats.records_of,
        may=may,
        chart_bars=charts.bars,
        crm_command=app.config["CRM"].command,
        htmx_config=orjson.dumps(HTMX).decode(),
    )
    app.context_processor(_context)
    app.after_request(_forget)


def _forget(response: Response) -> Response:
    """Let the next page count anew what this request may have changed."""
    if request.method not in {"GET", "HEAD"}:
        brief.forget()
    return response


def _context() -> dict[str, Any]:
    person = current_person()
    if person is None:
        return {}
    return {"person": person, "frame": _Lazy(), "navigation": _Navigation()}


def page_frame() -> Frame:
    """Return the frame of the signed-in person's pages, read once per request."""
    if "frame" not in g:
        person = current_person()
        if person is None:
            raise RuntimeError("A page's frame needs a signed-in person.")
        g.frame = frame(person)
        g.zone = g.frame.zone
    found: Frame = g.frame
    return found


class _Lazy:
    """The frame, read from the database only by templates that show it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(page_frame(), name)


class _Navigation:
    """The groups of the side bar, made only by templates that show it."""

    def __iter__(self) -> Any:
        person = current_person()
        groups: tuple[Group, ...] = navigation(person, page_frame()) if person else ()
        return iter(groups)


def may(permission: str) -> bool:
    """Say whether the signed-in person's role holds a permission, for buttons that would be
    refused."""
    person = current_person()
    return person is not None and is_allowed(person.role, Permission(permission))
