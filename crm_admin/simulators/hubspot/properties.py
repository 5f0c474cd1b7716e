"""HubSpot's endpoints that describe, make and change the properties of an object."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from crm_admin.simulators.clock import iso
from crm_admin.simulators.definitions import MAX_UNIQUE, Choice, Definition
from crm_admin.simulators.hubspot.account import FOUNDED_MS
from crm_admin.simulators.hubspot.calls import Call
from crm_admin.simulators.hubspot.errors import ApiError, bad_request, not_found
from crm_admin.simulators.hubspot.schema import ID_OF_TYPE, SINGULAR
from crm_admin.simulators.rows import Table
from crm_admin.simulators.truth import By
from crm_admin.simulators.wire import Answer, as_list, as_map, as_text, json_answer

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,99}")
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "string": ("text", "textarea", "html", "file", "phonenumber"),
    "number": ("number", "calculation_equation"),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox"),
    "bool": ("booleancheckbox",),
    "phone_number": ("phonenumber",),
}


def list_all(call: Call) -> Answer:
    """Every property of the object, on one page."""
    archived = call.request.flag("archived")
    known = call.table.definitions.values()
    found = [as_wire(call.object_name(), each) for each in known if each.archived == archived]
    return json_answer({"results": found})


def read(call: Call) -> Answer:
    """One property."""
    return json_answer(as_wire(call.object_name(), _existing(call)))


def create(call: Call) -> Answer:
    """A new property, or an archived one brought back."""
    given = call.request.json()
    name = as_text(given.get("name"))
    former = call.table.definitions.get(name)
    if former is not None and not former.archived:
        text = f'A property named "{name}" already exists.'
        extra = {"subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS"}
        raise ApiError(409, "OBJECT_ALREADY_EXISTS", text, extra=extra)
    made = _new(call.table, name, given) if former is None else replace(former, archived=False)
    call.portal.define(call.object_name(), _stamped(call, made), by=By.API)
    return json_answer(as_wire(call.object_name(), call.table.definitions[name]), 201)


def change(call: Call) -> Answer:
    """The property has the given label, options and so on."""
    given = call.request.json()
    former = _existing(call)
    if not former.custom and set(given) - {"label", "description", "hidden", "options"}:
        raise bad_request("The definition of a HubSpot property cannot be changed")
    changed = patched(former, given)
    call.portal.define(call.object_name(), _stamped(call, changed), by=By.API)
    return json_answer(as_wire(call.object_name(), call.table.definitions[former.name]))


def archive(call: Call) -> Answer:
    """The property is hidden with its values, which come back with it."""
    former = _existing(call)
    if not former.custom:
        raise bad_request("A HubSpot property cannot be archived")
    gone = replace(former, archived=True)
    call.portal.define(call.object_name(), _stamped(call, gone), by=By.API)
    return Answer(status=204)


def patched(former: Definition, given: Mapping[str, object]) -> Definition:
    """The definition with what was named changed; options are replaced as a whole."""

    def text(key: str, old: str) -> str:
        return as_text(given[key]) if key in given else old

    changed = replace(
        former,
        label=text("label", former.label),
        description=text("description", former.description),
        group=text("groupName", former.group),
        type=text("type", former.type),
        field_type=text("fieldType", former.field_type),
    )
    if "hidden" in given:
        changed = replace(changed, hidden=given["hidden"] is True)
    if "options" in given:
        changed = replace(changed, choices=_choices(given["options"]))
    _check_type(changed)
    return changed


def as_wire(object_name: str, known: Definition) -> dict[str, object]:
    """The property as HubSpot describes it."""
    body: dict[str, object] = {
        "name": known.name,
        "label": known.label,
        "type": known.type,
        "fieldType": known.field_type,
        "description": known.description,
        "groupName": known.group,
        "options": [_option(choice, order) for order, choice in enumerate(known.choices)],
        "displayOrder": -1,
        "calculated": known.calculated,
        "externalOptions": bool(known.refers_to),
        "hasUniqueValue": known.unique,
        "hidden": known.hidden,
        "hubspotDefined": not known.custom,
        "formField": object_name == "contacts" and not known.read_only,
        "dataSensitivity": "non_sensitive",
        "archived": known.archived,
        "createdAt": iso(known.created or FOUNDED_MS),
        "updatedAt": iso(known.updated or FOUNDED_MS),
        "modificationMetadata": {
            "archivable": known.custom,
            "readOnlyDefinition": not known.custom,
            "readOnlyOptions": not known.custom,
            "readOnlyValue": known.read_only,
        },
    }
    if known.refers_to:
        body["referencedObjectType"] = known.refers_to
    if known.hint:
        hint = "numberDisplayHint" if known.type == "number" else "textDisplayHint"
        body[hint] = known.hint
    return body


def _option(choice: Choice, order: int) -> dict[str, object]:
    return {
        "label": choice.label,
        "value": choice.value,
        "description": "",
        "displayOrder": order,
        "hidden": choice.hidden,
    }


def _existing(call: Call) -> Definition:
    known = call.table.definitions.get(call.rest["name"])
    if known is None or known.archived:
        raise not_found(
            f"Property {call.rest['name']} of {ID_OF_TYPE[call.object_name()]} does not exist"
        )
    return known


def _new(table: Table, name: str, given: Mapping[str, object]) -> Definition:
    if NAME.fullmatch(name) is None:
        raise bad_request(f'"{name}" is not a valid property name')
    unique = given.get("hasUniqueValue") is True
    if unique and len(table.unique_names()) >= MAX_UNIQUE:
        raise bad_request(
            f"At most {MAX_UNIQUE} properties of {SINGULAR[table.name]} may be unique"
        )
    for needed in ("label", "groupName"):
        if not as_text(given.get(needed)):
            raise bad_request(f"{needed} must not be empty")
    return patched(Definition(name, name, unique=unique, custom=True), given)


def _check_type(known: Definition) -> None:
    if known.field_type not in TYPES.get(known.type, ()):
        raise bad_request(f"Invalid type {known.type} with field type {known.field_type}")


def _choices(given: object) -> tuple[Choice, ...]:
    found = [as_map(each) for each in as_list(given)]
    made = tuple(
        Choice(as_text(each.get("value")), as_text(each.get("label")), each.get("hidden") is True)
        for each in found
    )
    if len({choice.value for choice in made}) < len(made):
        raise bad_request("Option values must be unique")
    return made


def _stamped(call: Call, known: Definition) -> Definition:
    now = call.portal.clock.now_ms()
    return replace(known, created=known.created or now, updated=now)
