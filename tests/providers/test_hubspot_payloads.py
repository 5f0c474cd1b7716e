"""HubSpot's shapes, also the odd and hostile ones."""

from datetime import UTC, datetime

import pytest

from crm_admin.errors import ProviderBroken
from crm_admin.jsontypes import Json
from crm_admin.providers.base import Action, Ending
from crm_admin.providers.hubspot.payloads import (
    as_wire,
    associations_of,
    in_order,
    moment,
    record_of,
    schema_of,
)
from crm_admin.providers.hubspot.refusals import outcome_of, read_refusal, retry_after
from crm_admin.records.kinds import FieldType


def test_a_record_keeps_absent_null_and_empty_apart() -> None:
    raw: Json = {
        "id": "1",
        "properties": {"a": None, "b": "", "c": "x"},
        "updatedAt": "2026-11-20T10:00:00.123Z",
    }

    record = record_of(raw)

    assert record.properties == {"a": None, "b": "", "c": "x"}
    assert record.updated_at == datetime(2026, 11, 20, 10, 0, 0, 123_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        1,
        "x",
        [],
        {},
        {"id": "1"},
        {"id": [], "properties": {}},
        {"id": True, "properties": {}},
    ],
)
def test_what_is_no_record_is_refused(raw: Json) -> None:
    with pytest.raises(ProviderBroken):
        record_of(raw)


def test_an_id_may_be_a_number() -> None:
    assert record_of({"id": 101, "properties": {}}).id == "101"


@pytest.mark.parametrize("value", [None, 5, "", "yesterday", "2026-13-45T00:00:00Z", []])
def test_an_unreadable_stamp_is_none(value: Json) -> None:
    assert moment(value) is None


def test_an_archived_record_is_dated_by_its_archiving() -> None:
    raw: Json = {
        "id": "1",
        "properties": {},
        "archived": True,
        "archivedAt": "2026-11-20T10:00:00Z",
    }

    assert record_of(raw).updated_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "linked",
    [
        None,
        [],
        {},
        {"companies": None},
        {"companies": {"results": 5}},
        {"companies": {"results": [1, {}]}},
    ],
)
def test_odd_associations_are_none_at_all(linked: Json) -> None:
    raw: Json = {"id": "1", "properties": {}, "associations": linked}

    assert record_of(raw, ("companies",)).associations == {"companies": ()}


def test_listed_associations_come_once_each_and_the_primary_one_first() -> None:
    results: Json = [
        {"id": "8", "type": "contact_to_company_unlabeled"},
        {"id": "9", "type": "contact_to_company_unlabeled"},
        {"id": "9", "type": "contact_to_company"},
    ]
    raw: Json = {"id": "1", "properties": {}, "associations": {"companies": {"results": results}}}

    assert record_of(raw, ("companies",)).associations == {"companies": ("9", "8")}


def test_read_associations_take_ids_as_text_or_number() -> None:
    ends: Json = [
        {"toObjectId": 8, "associationTypes": [{"typeId": 279}]},
        {"toObjectId": "9", "associationTypes": [{"typeId": 279}, {"typeId": 1}]},
    ]

    found = associations_of({"results": [{"from": {"id": "1"}, "to": ends}]}, 1)

    assert in_order(found["1"]) == (("9", "8"), True)


def test_associations_without_a_primary_one_come_in_one_order_whatever_was_sent() -> None:
    assert in_order([("11", False), ("9", False), ("11", False)]) == (("9", "11"), False)


def test_the_ids_of_merged_records_are_told_without_its_own() -> None:
    raw: Json = {"id": "7", "properties": {"hs_merged_object_ids": "5;6; 7;5"}}

    record = record_of(raw, (), "contacts")

    assert record.former == (("contacts", "5"), ("contacts", "6"))


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ({"type": "string", "fieldType": "text"}, FieldType.STRING),
        ({"type": "string", "fieldType": "textarea"}, FieldType.TEXT),
        ({"type": "string", "fieldType": "phonenumber"}, FieldType.PHONE),
        ({"type": "phone_number", "fieldType": "phonenumber"}, FieldType.PHONE),
        ({"type": "string", "textDisplayHint": "email"}, FieldType.EMAIL),
        ({"type": "number", "fieldType": "number"}, FieldType.DECIMAL),
        ({"type": "number", "numberDisplayHint": "currency"}, FieldType.MONEY),
        ({"type": "date", "fieldType": "date"}, FieldType.DATE),
        ({"type": "datetime", "fieldType": "date"}, FieldType.DATETIME),
        ({"type": "bool", "fieldType": "booleancheckbox"}, FieldType.BOOLEAN),
        ({"type": "enumeration", "fieldType": "booleancheckbox"}, FieldType.BOOLEAN),
        ({"type": "enumeration", "fieldType": "select"}, FieldType.ENUM),
        ({"type": "enumeration", "fieldType": "checkbox"}, FieldType.MULTI_ENUM),
        ({"type": "enumeration", "referencedObjectType": "OWNER"}, FieldType.REFERENCE),
        ({"type": "of tomorrow"}, FieldType.STRING),
    ],
)
def test_each_type_of_property_is_one_of_ours(
    described: dict[str, Json], expected: FieldType
) -> None:
    [field] = schema_of("contacts", {"results": [{"name": "x", **described}]}).fields

    assert field.type == expected
    assert FieldType(field.type) is expected


def test_nameless_properties_are_left_out() -> None:
    assert schema_of("contacts", {"results": [None, {}, {"name": ""}, 7]}).fields == ()


@pytest.mark.parametrize(
    ("value", "wire"),
    [(None, ""), ("", ""), ("x", "x"), (True, "true"), (False, "false"), (5, "5"), (1.5, "1.5")],
)
def test_every_value_goes_out_as_text(value: Json, wire: str) -> None:
    assert as_wire(value) == wire


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("99999", 3600.0),
        ("0", None),
        ("-1", None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 3600.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_an_hour(
    value: str, seconds: float | None
) -> None:
    assert retry_after(value) == seconds


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "x",
        {"errors": "x"},
        {"errors": [None]},
        {"message": 5},
        {"errors": [{"context": {"propertyName": 5}}]},
    ],
)
def test_a_refusal_nobody_can_read_is_still_one(data: Json) -> None:
    outcome = outcome_of("t", Action.CREATE, read_refusal(400, data))

    assert outcome.ending is Ending.REJECTED
    assert outcome.sentence


def test_a_refused_value_names_its_property() -> None:
    error: Json = {
        "message": "Property values were not valid",
        "errors": [
            {
                "message": "Email is invalid",
                "code": "INVALID_EMAIL",
                "context": {"propertyName": ["email"]},
            }
        ],
        "category": "VALIDATION_ERROR",
    }

    outcome = outcome_of("t", Action.CREATE, read_refusal(400, error))

    assert (outcome.field, outcome.code, outcome.sentence) == (
        "email",
        "INVALID_EMAIL",
        "Email is invalid",
    )
