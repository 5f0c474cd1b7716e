"""The addresses that a record has under its kind and a POV has under /povs: the same views."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint

from crm_admin.blueprints.records import editing, ending, sharing, views

GET, POST = ("GET",), ("POST",)

DOORS: tuple[tuple[str, str, Callable[..., Any], tuple[str, ...]], ...] = (
    ("", "one", views.one, GET),
    ("/_status", "status", views.status, GET),
    ("/_timeline", "time_line", views.time_line, GET),
    ("/_why/<field>", "why_part", views.why_part, GET),
    ("/why/<field>", "why", views.why_page, GET),
    ("/sync", "sync", views.sync, POST),
    ("/ask", "ask", views.ask, POST),
    ("/follow", "follow", views.follow, POST),
    ("/share", "share", sharing.share, POST),
    ("/unshare/<uuid:user_id>", "unshare", sharing.unshare, POST),
    ("/undo/<uuid:operation_id>", "put_back", views.put_back, POST),
    ("/edit", "edit", editing.edit, GET),
    ("/edit", "save", editing.save, POST),
    ("/archive", "archive", ending.archive, POST),
    ("/restore", "restore", ending.restore, POST),
)


def open_doors(blueprint: Blueprint, under: str, **defaults: str) -> None:
    """Give a blueprint the addresses of one record; `defaults` fixes the kind where the address
    does not name it."""
    for suffix, endpoint, view, methods in DOORS:
        blueprint.add_url_rule(
            f"{under}/<uuid:record_id>{suffix}",
            endpoint,
            view,
            methods=list(methods),
            defaults=defaults,
        )
