"""The page where a person edits the simulated CRM's records and switches faults."""

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crm_admin.simulators.clock import iso
from crm_admin.simulators.crm import Crm, Refusal
from crm_admin.simulators.definitions import Definition
from crm_admin.simulators.faults import FAULTS, parse_rule
from crm_admin.simulators.links import End
from crm_admin.simulators.row import Row
from crm_admin.simulators.rows import NotThere, Table, Taken
from crm_admin.simulators.store import Portal
from crm_admin.simulators.truth import By
from crm_admin.simulators.wire import Answer, Request, as_int, redirect_to

FILES: Final = Path(__file__).with_name("pages")
PER_PAGE: Final = 50
LAST: Final = 50
STATUSES: Final = ("429", "500", "502", "503", "504", "423", "477")
POLICY: Final = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
TEMPLATES: Final = Environment(
    loader=FileSystemLoader(FILES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def show(crm: Crm, portal: Portal, request: Request) -> Answer:
    """The page of this address, or what follows its form; edits are logged as made by the page."""
    path = request.path.removeprefix("/_sim").rstrip("/")
    page = PAGES.get((request.method, path))
    if page is None:
        return Answer(status=404, body=b"There is no such page.", content_type="text/plain")
    with portal.lock:
        return page(crm, portal, request)


def _style(_crm: Crm, _portal: Portal, _request: Request) -> Answer:
    body = (FILES / "style.css").read_bytes()
    return Answer(body=body, content_type="text/css; charset=utf-8")


def _records(crm: Crm, portal: Portal, request: Request) -> Answer:
    tab = _tab(crm, request.arg("object"))
    table = portal.table(tab)
    archived = request.flag("archived")
    words = request.arg("q").strip()
    rows = table.after(as_int(request.arg("after")), archived=archived)
    page = list(islice(_with_words(rows, words), PER_PAGE + 1))
    return _render(
        crm,
        request,
        "records.html",
        tab=tab,
        rows=page[:PER_PAGE],
        columns=crm.tabs[tab],
        words=words,
        archived=archived,
        total=len(table.rows) - table.living if archived else table.living,
        following=page[PER_PAGE - 1].id if len(page) > PER_PAGE else None,
    )


def _record(crm: Crm, portal: Portal, request: Request) -> Answer:
    tab = _tab(crm, request.arg("object"))
    row = _row(portal.table(tab), request.arg("id"))
    return _form(crm, portal, request, _Shown(tab, row, dict(row.props) if row else {}))


def _save(crm: Crm, portal: Portal, request: Request) -> Answer:
    form = request.form()
    tab = _tab(crm, form.get("object", ""))
    row = _row(portal.table(tab), form.get("id", ""))
    values = {name[2:]: value for name, value in form.items() if name.startswith("p-")}
    old = row.props if row else {}
    changes = {name: value for name, value in values.items() if value != old.get(name, "")}
    try:
        saved = row
        if changes or row is None:
            saved = crm.save(portal, tab, row.id if row else None, changes, By.PAGE)
    except (Refusal, Taken, NotThere) as refused:
        return _form(crm, portal, request, _Shown(tab, row, values, str(refused)))
    return _to_record(request, tab, saved.id if saved else 0)


def _archive(crm: Crm, portal: Portal, request: Request) -> Answer:
    form = request.form()
    tab = _tab(crm, form.get("object", ""))
    portal.archive(tab, as_int(form.get("id"), -1), by=By.PAGE)
    return _to_record(request, tab, as_int(form.get("id")))


def _restore(crm: Crm, portal: Portal, request: Request) -> Answer:
    form = request.form()
    tab = _tab(crm, form.get("object", ""))
    row = _row(portal.table(tab), form.get("id", ""))
    try:
        portal.restore(tab, as_int(form.get("id"), -1), by=By.PAGE)
    except Taken as taken:
        return _form(crm, portal, request, _Shown(tab, row, {}, str(taken)))
    return _to_record(request, tab, as_int(form.get("id")))


def _changes(crm: Crm, portal: Portal, request: Request) -> Answer:
    entries = portal.log.last(LAST)
    return _render(crm, request, "changes.html", tab="changes", entries=entries)


def _switches(crm: Crm, _portal: Portal, request: Request) -> Answer:
    names = (*STATUSES, *sorted(FAULTS))
    rules = crm.faults.rules
    return _render(crm, request, "switches.html", tab="switches", faults=names, rules=rules)


def _switch(crm: Crm, _portal: Portal, request: Request) -> Answer:
    form = {name: value for name, value in request.form().items() if value.strip()}
    rules = [*crm.faults.rules, parse_rule(dict(form))] if "fault" in form else []
    crm.faults.replace(rules)
    return redirect_to(f"{_base(request)}/switches")


class _Shown:
    """The record on the form, if there is one, and its values as stored or as typed."""

    def __init__(
        self, tab: str, row: Row | None, values: dict[str, str], problem: str = ""
    ) -> None:
        self.tab = tab
        self.row = row
        self.values = values
        self.problem = problem


def _form(crm: Crm, portal: Portal, request: Request, shown: _Shown) -> Answer:
    row = shown.row
    linked = [] if row is None else _links(portal, (shown.tab, row.id))
    entries = [] if row is None else portal.log.of(shown.tab, str(row.id), 10)
    answer = _render(
        crm,
        request,
        "record.html",
        tab=shown.tab,
        row=row,
        values=shown.values,
        problem=shown.problem,
        fields=_editable(portal.table(shown.tab)),
        linked=linked,
        entries=entries,
    )
    answer.status = 422 if shown.problem else 200
    return answer


def _links(portal: Portal, end: End) -> list[tuple[End, list[int]]]:
    return [(far, sorted(types)) for far, types in portal.links.all_of(end)]


def _editable(table: Table) -> list[Definition]:
    known = table.definitions.values()
    return [each for each in known if not each.read_only and not each.archived]


def _with_words(rows: Iterable[Row], words: str) -> Iterable[Row]:
    folded = words.casefold()
    if not folded:
        return rows
    return (
        row
        for row in rows
        if folded == str(row.id) or any(folded in value.casefold() for value in row.props.values())
    )


def _tab(crm: Crm, text: str) -> str:
    name = crm.object_of(text or next(iter(crm.tabs)))
    if name is None or name not in crm.tabs:
        raise Refusal(f"there is no page for {text}")
    return name


def _row(table: Table, text: str) -> Row | None:
    if not text:
        return None
    row = table.find(as_int(text, -1))
    if row is None:
        raise NotThere(text)
    return row


def _to_record(request: Request, tab: str, row_id: int) -> Answer:
    return redirect_to(f"{_base(request)}/record?object={tab}&id={row_id}")


def _base(request: Request) -> str:
    return f"{request.root}/_sim"


def _render(crm: Crm, request: Request, template: str, **shown: object) -> Answer:
    context = {"problem": "", "label": crm.label, "tabs": list(crm.tabs), "iso": iso}
    text = TEMPLATES.get_template(template).render(base=_base(request), **{**context, **shown})
    headers = [("Content-Security-Policy", POLICY), ("X-Content-Type-Options", "nosniff")]
    return Answer(body=text.encode(), content_type="text/html; charset=utf-8", headers=headers)


PAGES: Final[dict[tuple[str, str], Callable[[Crm, Portal, Request], Answer]]] = {
    ("GET", ""): _records,
    ("GET", "/record"): _record,
    ("GET", "/changes"): _changes,
    ("GET", "/switches"): _switches,
    ("GET", "/style.css"): _style,
    ("POST", "/save"): _save,
    ("POST", "/archive"): _archive,
    ("POST", "/restore"): _restore,
    ("POST", "/switches"): _switch,
}
