"""The `/_sim` controls: how tests, benchmarks and the demo steer a simulator and read its truth."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import orjson

from crm_admin.simulators.crm import Crm, Refusal
from crm_admin.simulators.faults import parse_rule
from crm_admin.simulators.links import End
from crm_admin.simulators.page import show
from crm_admin.simulators.row import Row
from crm_admin.simulators.rows import NotThere, Taken
from crm_admin.simulators.store import Portal
from crm_admin.simulators.truth import By
from crm_admin.simulators.wire import (
    Answer,
    NotJson,
    Request,
    as_int,
    as_list,
    as_map,
    as_text,
    json_answer,
)

MOUNT: Final = "/_sim"
MAX_RECORDS: Final = 10_000
MAX_ENTRIES: Final = 100_000

Control = Callable[[Crm, Portal, Request], Answer]


def handle_control(crm: Crm, request: Request) -> Answer:
    """The answer of a control or of the page; what cannot be done is a 400, 404 or 409 with a
    sentence.
    """
    if request.method == "POST" and _is_foreign(request):
        return _refused("requests from other sites are refused", 403)
    control = CONTROLS.get((request.method, request.path[len(MOUNT) :]))
    try:
        portal = crm.portal(as_int(request.arg("portal")) or None)
        return show(crm, portal, request) if control is None else control(crm, portal, request)
    except (Refusal, NotJson, ValueError) as error:
        return _refused(str(error), 400)
    except NotThere as missing:
        return _refused(f"there is no record {missing}", 404)
    except Taken as taken:
        return _refused(str(taken), 409)


def _is_foreign(request: Request) -> bool:
    """A page of another site must not steer the simulator through somebody's browser."""
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc != request.headers.get("host", "")


def _refused(sentence: str, status: int) -> Answer:
    return json_answer({"error": sentence}, status)


def _object(crm: Crm, text: str) -> str:
    name = crm.object_of(text)
    if name is None:
        raise Refusal(f"unknown object: {text}")
    return name


def _records(crm: Crm, portal: Portal, request: Request) -> Answer:
    name = _object(crm, request.arg("object", "contacts"))
    limit = min(max(1, as_int(request.arg("limit"), 100)), MAX_RECORDS)
    archived = request.flag("archived")
    with portal.lock:
        table = portal.table(name)
        rows = table.after(as_int(request.arg("after")), archived=archived)
        page = [row for row, _ in zip(rows, range(limit + 1), strict=False)]
        total = len(table.rows) - table.living if archived else table.living
        texts = [crm.wire_record(portal, name, row) for row in page[:limit]]
    following = str(page[limit - 1].id) if len(page) > limit else None
    fragments = [orjson.Fragment(text) for text in texts]
    return json_answer({"total": total, "records": fragments, "next": following})


def _log(_crm: Crm, portal: Portal, request: Request) -> Answer:
    after = as_int(request.arg("after"))
    limit = min(max(1, as_int(request.arg("limit"), 1000)), MAX_ENTRIES)
    with portal.lock:
        entries = portal.log.since(after, limit)
    following = entries[-1].n if entries else after
    return json_answer({"entries": [entry.as_json() for entry in entries], "next": following})


def _edit(crm: Crm, portal: Portal, request: Request) -> Answer:
    given = request.json()
    name = _object(crm, as_text(given.get("object")))
    row_id = None if given.get("id") is None else as_int(given.get("id"), -1)
    with portal.lock:
        row = _revive(portal, name, row_id, given.get("archived"))
        if row is None or given.get("properties"):
            row = crm.save(portal, name, row_id, as_map(given.get("properties")), By.PAGE)
        if given.get("archived") is True and row.archived is None:
            portal.archive(name, row.id, by=By.PAGE)
            row = portal.table(name).rows[row.id]
        return Answer(body=crm.wire_record(portal, name, row))


def _revive(portal: Portal, name: str, row_id: int | None, archived: object) -> Row | None:
    """The record to edit, restored first where that is asked."""
    if row_id is None:
        return None
    row = portal.table(name).find(row_id)
    if row is None:
        raise NotThere(row_id)
    if archived is False and row.archived is not None:
        return portal.restore(name, row.id, by=By.PAGE)
    return row


def _merge(crm: Crm, portal: Portal, request: Request) -> Answer:
    given = request.json()
    name = _object(crm, as_text(given.get("object")))
    pair = (as_int(given.get("id"), -1), as_int(given.get("other"), -1))
    with portal.lock:
        return Answer(body=crm.wire_record(portal, name, crm.merge(portal, name, pair, By.PAGE)))


def _associate(crm: Crm, portal: Portal, request: Request) -> Answer:
    """`{object, id, to, to_id, add, primary}`: a person put two records together or took them
    apart.
    """
    given = request.json()
    near: End = (_object(crm, as_text(given.get("object"))), as_int(given.get("id"), -1))
    far: End = (_object(crm, as_text(given.get("to"))), as_int(given.get("to_id"), -1))
    with portal.lock:
        add, primary = given.get("add") is not False, given.get("primary") is True
        crm.associate(portal, near, far, add=add, primary=primary)
    return json_answer({"ok": True})


def _load(crm: Crm, portal: Portal, request: Request) -> Answer:
    with portal.lock:
        return json_answer({"ids": crm.load(portal, request.json())})


def _seed(crm: Crm, portal: Portal, request: Request) -> Answer:
    with portal.lock:
        return json_answer({"created": crm.seed(portal, request.json())})


def _property(crm: Crm, portal: Portal, request: Request) -> Answer:
    with portal.lock:
        crm.define(portal, request.json())
    return json_answer({"ok": True})


def _faults(crm: Crm, _portal: Portal, _request: Request) -> Answer:
    return json_answer({"rules": [rule.as_json() for rule in crm.faults.rules]})


def _set_faults(crm: Crm, portal: Portal, request: Request) -> Answer:
    given = as_list(request.json().get("rules"))
    crm.faults.replace([parse_rule(as_map(each)) for each in given])
    return _faults(crm, portal, request)


def _config(crm: Crm, _portal: Portal, _request: Request) -> Answer:
    return json_answer(crm.config())


def _set_config(crm: Crm, portal: Portal, request: Request) -> Answer:
    crm.configure(request.json())
    return _config(crm, portal, request)


def _reset(crm: Crm, _portal: Portal, _request: Request) -> Answer:
    crm.reset()
    return json_answer({"ok": True})


def _links(crm: Crm, portal: Portal, request: Request) -> Answer:
    """Every link of one record, as `object/id` and its association types."""
    end: End = (_object(crm, request.arg("object")), as_int(request.arg("id"), -1))
    with portal.lock:
        found = {f"{far[0]}/{far[1]}": sorted(types) for far, types in portal.links.all_of(end)}
    return json_answer({"links": found})


CONTROLS: Final[dict[tuple[str, str], Control]] = {
    ("GET", "/records"): _records,
    ("GET", "/log"): _log,
    ("GET", "/links"): _links,
    ("GET", "/faults"): _faults,
    ("GET", "/config"): _config,
    ("POST", "/edit"): _edit,
    ("POST", "/merge"): _merge,
    ("POST", "/associate"): _associate,
    ("POST", "/load"): _load,
    ("POST", "/seed"): _seed,
    ("POST", "/property"): _property,
    ("POST", "/faults"): _set_faults,
    ("POST", "/config"): _set_config,
    ("POST", "/reset"): _reset,
}
