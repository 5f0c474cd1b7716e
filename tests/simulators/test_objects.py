"""One record at a time, as HubSpot's own description has it."""

import pytest

from tests.simulators.client import Client

CONTACTS = "/crm/v3/objects/contacts"
DATED = "/crm/objects/2026-09/contacts"


@pytest.mark.parametrize(
    "path", [CONTACTS, DATED, "/crm/v3/objects/0-1", "/crm/v3/objects/contact"]
)
def test_every_family_of_addresses_leads_to_the_same_records(hubspot: Client, path: str) -> None:
    made = hubspot.create("contacts", firstname="Ann")

    read = hubspot.get(f"{path}/{made}")

    assert read.status_code == 200
    assert read.json()["properties"]["firstname"] == "Ann"


def test_every_value_is_a_string_or_null(hubspot: Client) -> None:
    given = {"properties": {"name": "Bell", "numberofemployees": 12, "is_public": True}}
    made = hubspot.post("/crm/v3/objects/companies", given).json()["id"]

    read = hubspot.get(
        f"/crm/v3/objects/companies/{made}?properties=numberofemployees,is_public,city"
    )

    properties = read.json()["properties"]
    assert properties["numberofemployees"] == "12"
    assert properties["is_public"] == "true"
    assert properties["city"] is None
    assert isinstance(read.json()["id"], str)


def test_reading_ignores_unknown_properties_and_writing_refuses_them(hubspot: Client) -> None:
    made = hubspot.create("contacts", firstname="Ann")

    read = hubspot.get(f"{CONTACTS}/{made}?properties=nonsense")
    written = hubspot.call("PATCH", f"{CONTACTS}/{made}", {"properties": {"nonsense": "1"}})

    assert "nonsense" not in read.json()["properties"]
    assert written.status_code == 400
    assert written.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"


def test_an_empty_text_clears_a_value(hubspot: Client) -> None:
    made = hubspot.create("contacts", firstname="Ann", city="Leeds")

    hubspot.call("PATCH", f"{CONTACTS}/{made}", {"properties": {"city": ""}})

    assert hubspot.get(f"{CONTACTS}/{made}?properties=city").json()["properties"]["city"] is None


@pytest.mark.parametrize(
    ("kind", "name", "value", "code"),
    [
        ("contacts", "email", "nobody", "INVALID_EMAIL"),
        ("contacts", "lifecyclestage", "friend", "INVALID_OPTION"),
        ("contacts", "createdate", "2026-01-01", "READ_ONLY_VALUE"),
        ("contacts", "hubspot_owner_id", "9", "INVALID_OWNER_ID"),
        ("contacts", "city", ["Leeds"], "INVALID_TYPE"),
        ("companies", "numberofemployees", "many", "INVALID_INTEGER"),
        ("companies", "numberofemployees", "NaN", "INVALID_INTEGER"),
        ("companies", "is_public", "perhaps", "INVALID_OPTION"),
        ("deals", "closedate", "yesterday", "INVALID_DATE"),
        ("deals", "closedate", "2026-02-30", "INVALID_DATE"),
        ("deals", "dealstage", "running", "INVALID_OPTION"),
    ],
)
def test_a_bad_value_is_refused_by_its_code(
    hubspot: Client, kind: str, name: str, value: object, code: str
) -> None:
    given = {"firstname": "A"} if kind == "contacts" else {}
    given = {"name": "B"} if kind == "companies" else given
    given = {"dealname": "C", "dealstage": "closedwon"} if kind == "deals" else given

    answer = hubspot.post(f"/crm/v3/objects/{kind}", {"properties": {**given, name: value}})

    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
    assert [error["code"] for error in answer.json()["errors"]] == [code]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-03-01", "2026-03-01T00:00:00.000Z"),
        ("1772323200000", "2026-03-01T00:00:00.000Z"),
        ("2026-03-01T02:30:00.5+02:00", "2026-03-01T00:30:00.500Z"),
        (1772323200001, "2026-03-01T00:00:00.001Z"),
    ],
)
def test_a_moment_is_kept_in_one_form(hubspot: Client, given: object, kept: str) -> None:
    properties = {"dealname": "D", "dealstage": "closedwon", "closedate": given}

    answer = hubspot.post("/crm/v3/objects/deals", {"properties": properties})

    assert answer.json()["properties"]["closedate"] == kept


def test_a_taken_email_names_the_record_that_has_it(hubspot: Client) -> None:
    first = hubspot.create("contacts", email="ann@example.com")

    answer = hubspot.post(CONTACTS, {"properties": {"email": "ANN@example.com"}})

    assert answer.status_code == 409
    assert answer.json()["category"] == "CONFLICT"
    assert answer.json()["message"].endswith(f"Existing ID: {first}")


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("contacts", {"city": "Leeds"}),
        ("companies", {"city": "Leeds"}),
        ("deals", {"dealname": "D"}),
    ],
)
def test_a_record_without_its_minimum_is_refused(
    hubspot: Client, kind: str, properties: dict[str, str]
) -> None:
    answer = hubspot.post(f"/crm/v3/objects/{kind}", {"properties": properties})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "MISSING_REQUIRED_PROPERTY"


def test_validation_rules_bind_only_the_newest_version(hubspot: Client) -> None:
    hubspot.config(required={"contacts": ["phone"]})

    dated = hubspot.post(DATED, {"properties": {"firstname": "Ann"}})
    undated = hubspot.post(CONTACTS, {"properties": {"firstname": "Ann"}})

    assert dated.status_code == 400
    assert dated.json()["errors"][0]["code"] == "MISSING_REQUIRED_PROPERTY"
    assert undated.status_code == 201


def test_both_ids_of_a_merge_lead_to_the_third_record(hubspot: Client) -> None:
    keep = hubspot.create("contacts", email="a@example.com", firstname="Ann")
    absorb = hubspot.create("contacts", email="b@example.com", city="Leeds")
    company = hubspot.create("companies", name="Bell")
    link = f"/crm/v4/objects/contacts/{absorb}/associations/companies/{company}"
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    hubspot.call("PUT", link, types)

    given = {"primaryObjectId": keep, "objectIdToMerge": absorb}
    merged = hubspot.post(f"{CONTACTS}/merge", given).json()["id"]

    wanted = "properties=email,city,hs_additional_emails,hs_merged_object_ids,associatedcompanyid"
    for old in (keep, absorb):
        read = hubspot.get(f"{CONTACTS}/{old}?{wanted}").json()
        assert read["id"] == merged
    assert merged not in (keep, absorb)
    assert read["properties"]["city"] == "Leeds"
    assert read["properties"]["email"] == "a@example.com"
    assert read["properties"]["hs_additional_emails"] == "b@example.com"
    assert read["properties"]["hs_merged_object_ids"] == f"{keep};{absorb}"
    assert read["properties"]["associatedcompanyid"] == company
    assert hubspot.get(f"{CONTACTS}?archived=true").json()["results"] == []
    assert [each["id"] for each in hubspot.get(CONTACTS).json()["results"]] == [merged]


def test_a_second_address_of_a_merged_contact_stays_taken(hubspot: Client) -> None:
    keep = hubspot.create("contacts", email="a@example.com")
    absorb = hubspot.create("contacts", email="b@example.com")
    given = {"primaryObjectId": keep, "objectIdToMerge": absorb}
    merged = hubspot.post(f"{CONTACTS}/merge", given).json()["id"]

    answer = hubspot.post(CONTACTS, {"properties": {"email": "b@example.com"}})

    assert answer.status_code == 409
    assert answer.json()["message"].endswith(merged)


def test_a_merge_may_keep_the_first_id(hubspot: Client) -> None:
    hubspot.config(merge_makes_new_id=False)
    keep = hubspot.create("companies", name="A")
    absorb = hubspot.create("companies", name="B")
    given = {"primaryObjectId": keep, "objectIdToMerge": absorb}

    merged = hubspot.post("/crm/v3/objects/companies/merge", given).json()["id"]

    assert merged == keep
    assert hubspot.get(f"/crm/v3/objects/companies/{absorb}").json()["id"] == keep


def test_an_archived_record_is_gone_except_for_those_who_ask_for_archived(hubspot: Client) -> None:
    made = hubspot.create("contacts", email="ann@example.com")

    archived = hubspot.call("DELETE", f"{CONTACTS}/{made}")
    unknown = hubspot.call("DELETE", f"{CONTACTS}/99999")

    assert (archived.status_code, unknown.status_code) == (204, 204)
    assert hubspot.get(f"{CONTACTS}/{made}").status_code == 404
    assert hubspot.get(f"{CONTACTS}/{made}?archived=true").json()["archivedAt"]
    assert hubspot.get(CONTACTS).json()["results"] == []
    assert hubspot.create("contacts", email="ann@example.com") != made


def test_an_erased_record_leaves_no_trace(hubspot: Client) -> None:
    made = hubspot.create("contacts", email="ann@example.com")

    given = {"objectId": "ann@example.com", "idProperty": "email"}
    erased = hubspot.post(f"{CONTACTS}/gdpr-delete", given)

    assert erased.status_code == 204
    assert hubspot.get(f"{CONTACTS}/{made}?archived=true").status_code == 404
    assert hubspot.get("/_sim/records?object=contacts&archived=true").json()["total"] == 0


def test_the_listing_ends_without_paging_and_refuses_big_pages(hubspot: Client) -> None:
    ids = [hubspot.create("contacts", firstname=str(n)) for n in range(3)]

    first = hubspot.get(f"{CONTACTS}?limit=2").json()
    last = hubspot.get(f"{CONTACTS}?limit=2&after={first['paging']['next']['after']}").json()

    assert [each["id"] for each in [*first["results"], *last["results"]]] == ids
    assert "paging" not in last
    assert hubspot.get(f"{CONTACTS}?limit=101").status_code == 400


def test_stamps_grow_with_every_write(hubspot: Client) -> None:
    stamps = []
    made = hubspot.create("contacts", firstname="Ann")
    for n in range(20):
        answer = hubspot.call("PATCH", f"{CONTACTS}/{made}", {"properties": {"city": str(n)}})
        stamps.append(answer.json()["updatedAt"])

    assert stamps == sorted(set(stamps))


def test_an_unknown_object_is_a_bad_request(hubspot: Client) -> None:
    answer = hubspot.get("/crm/v3/objects/unicorns")

    assert answer.status_code == 400


def test_a_body_that_is_no_json_is_a_bad_request(hubspot: Client) -> None:
    answer = hubspot.call("POST", CONTACTS, data=b"{not json")

    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
