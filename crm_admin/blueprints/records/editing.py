"""The form of a record's own fields: what was typed comes back with every complaint beside its
field, and two people who edit at once lose nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import requires, signed_in
from crm_admin.blueprints.formats import noun, relative
from crm_admin.blueprints.forms import text
from crm_admin.blueprints.links import list_of, record_url
from crm_admin.blueprints.records.typed import choices, editable, entered, hint, typed
from crm_admin.blueprints.rendering import page
from crm_admin.blueprints.wording import _, ngettext
from crm_admin.errors import BadInput, Stale
from crm_admin.jsontypes import Json
from crm_admin.records.kinds import Field, FieldType, RecordKind
from crm_admin.security.permissions import Permission
from crm_admin.services import record_life
from crm_admin.services import records as service
from crm_admin.services.queries import record as query
from crm_admin.services.queries.naming import named
from crm_admin.services.queries.records import kind_named

LONGEST = 20_000
TRIES = 3


@dataclass(frozen=True, slots=True)
class Form:
    """What stands in the form: the values as typed, those it was opened with, and complaints."""

    kind: RecordKind
    values: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    clashes: Mapping[str, str] = field(default_factory=dict)


@requires(Permission.RECORD_EDIT)
def edit(kind: str, record_id: UUID) -> Response:
    """Return the form of a record."""
    found = query.record(signed_in(), kind, record_id)
    held = _held(found)
    return _shown(Form(found.kind, held, held), found)


@requires(Permission.RECORD_EDIT)
def save(kind: str, record_id: UUID) -> Response:
    """Save what this form changed. Fields that others changed meanwhile stay as they left them; a
    field that both changed comes back with both values."""
    for _attempt in range(TRIES):
        found = query.record(signed_in(), kind, record_id)
        form = _sent(found.kind, _held(found))
        changed = [one for one in editable(found.kind) if _is_changed(form, one.name)]
        clashes = _clashes(found, form, changed)
        if clashes:
            before = {**form.before, **_held(found)}
            return _shown(Form(found.kind, form.values, before, clashes=clashes), found, 409)
        changes, errors = _read(found.kind, form, changed, found.data)
        if errors:
            return _shown(Form(found.kind, form.values, form.before, errors), found, 422)
        try:
            return _save(found, changes)
        except BadInput as error:
            errors = {error.field: error.sentence}
            return _shown(Form(found.kind, form.values, form.before, errors), found, 422)
        except Stale:
            # It moved between the look and the save: look again.
            continue
    raise Stale(service.MEANWHILE)


def _save(found: query.RecordPage, changes: Mapping[str, Json]) -> Response:
    if changes:
        service.save(
            person=signed_in(), record_id=found.id, changes=changes, seen_version=found.version
        )
    flash(_saved(found.title, len(changes)), "success")
    return redirect(record_url(found.kind.name, found.id), 303)


def _saved(title: str, amount: int) -> str:
    if not amount:
        return _("Nothing was changed.")
    return ngettext(
        "Saved one field of “%(title)s”.",
        "Saved %(num)d fields of “%(title)s”.",
        amount,
        title=title,
    )


@requires(Permission.RECORD_EDIT)
def new(kind: str) -> Response:
    """Return the empty form of a kind."""
    found = kind_named(kind)
    return _shown(Form(found, {one.name: "" for one in editable(found)}))


@requires(Permission.RECORD_EDIT)
def create(kind: str) -> Response:
    """Make the record; what nobody could tell from others, or is there already, is refused."""
    form = _sent(kind_named(kind), {})
    filled = [one for one in editable(form.kind) if form.values[one.name] or one.required]
    values, errors = _read(form.kind, form, filled, {})
    if not errors:
        owner = form.kind.promoted.owner
        if form.kind.name == "pov" and owner:
            values[owner] = str(signed_in().user_id)
        try:
            made = record_life.create(person=signed_in(), kind_name=kind, values=values)
        except BadInput as error:
            errors = {error.field: error.sentence}
        else:
            flash(_("Made the %(kind)s.", kind=noun(form.kind.label)), "success")
            return redirect(record_url(kind, made), 303)
    return _shown(Form(form.kind, form.values, errors=errors), status=422)


def _held(found: query.RecordPage) -> dict[str, str]:
    """What the fields hold, as a person would type it; a reference by its target's name."""
    names = {row.field.name: row.references[0].title for row in found.fields if row.references}
    return {
        one.name: names.get(one.name, "")
        if one.type is FieldType.REFERENCE
        else typed(found.data.get(one.name))
        for one in editable(found.kind)
    }


def _sent(kind: RecordKind, held: Mapping[str, str]) -> Form:
    """Read the form; a field it does not hold keeps its value."""
    values, before = {}, {}
    for one in editable(kind):
        now = held.get(one.name, "")
        sent = f"field-{one.name}" in request.form
        values[one.name] = text(f"field-{one.name}", longest=LONGEST) if sent else now
        was = request.form.get(f"was-{one.name}")
        before[one.name] = now if was is None else _lines(was)
        values[one.name] = _lines(values[one.name])
    return Form(kind, values, before)


def _lines(value: str) -> str:
    """Browsers send line ends of their own."""
    return value.replace("\r\n", "\n").strip()


def _is_changed(form: Form, name: str) -> bool:
    return form.values[name] != form.before[name].strip()


def _clashes(found: query.RecordPage, form: Form, changed: Sequence[Field]) -> dict[str, str]:
    """Say, by field, what somebody else made of a value that this form changes too."""
    held = _held(found)
    return {
        one.name: _meanwhile(found, one.name, held[one.name])
        for one in changed
        if _lines(held[one.name]) != form.before[one.name].strip()
        and _lines(held[one.name]) != form.values[one.name]
    }


def _meanwhile(found: query.RecordPage, name: str, now: str) -> str:
    origin = found.origin.get(name) or {}
    at = query.moment_of(origin)
    shown = now or _("empty")
    if at is None:
        return _("It is “%(now)s” by now. Saving again replaces that.", now=shown)
    return _(
        "%(who)s made it “%(now)s” %(when)s. Saving again replaces that.",
        who=str(origin.get("by") or _("A sync")),
        now=shown,
        when=relative(at),
    )


def _read(
    kind: RecordKind, form: Form, wanted: Sequence[Field], data: Mapping[str, Json]
) -> tuple[dict[str, Json], dict[str, str]]:
    """Return the typed values as their fields take them, and the complaint of each that cannot."""
    values: dict[str, Json] = {}
    errors: dict[str, str] = {}
    for one in wanted:
        value = form.values[one.name]
        if one.type is FieldType.REFERENCE and value:
            target = named(signed_in(), one.target, value)
            if target.id is None:
                errors[one.name] = _not_named(value, many=target.many)
                continue
            values[one.name] = str(target.id)
        else:
            values[one.name] = entered(one, value, data.get(one.name))
    return values, {**service.problems(kind, values), **errors}


def _not_named(value: str, *, many: bool) -> str:
    if many:
        return _(
            "Several are called “%(value)s”. Paste the id from the address of the one you mean.",
            value=value,
        )
    return _("No record of ours is called “%(value)s”.", value=value)


def _shown(form: Form, found: query.RecordPage | None = None, status: int = 200) -> Response:
    kind = form.kind.name
    here = record_url(kind, found.id) if found else list_of(kind)
    return page(
        "records/edit.html",
        status=status,
        kind=form.kind,
        found=found,
        form=form,
        fields=editable(form.kind),
        problems={f"field-{name}": text for name, text in (form.errors or form.clashes).items()},
        labels={f"field-{one.name}": one.label for one in form.kind.fields},
        choices=choices,
        hint=hint,
        action=f"{here}/edit" if found else new_url(kind),
        here=here,
        list_url=list_of(kind),
    )


def new_url(kind: str) -> str:
    """Return where a record of a kind is made by hand."""
    return url_for("povs.new") if kind == "pov" else url_for("records.new", kind=kind)
