"""Links between records, seen from both ends."""

import pytest

from tests.simulators.client import Client

PRIMARY = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]


def types_of(hubspot: Client, near: str, near_id: str, far: str) -> dict[str, set[int]]:
    path = f"/crm/associations/2026-09/{near}/{far}/batch/read"
    body = hubspot.post(path, {"inputs": [{"id": near_id}]}).json()
    return {
        each["toObjectId"]: {kind["typeId"] for kind in each["associationTypes"]}
        for result in body["results"]
        for each in result["to"]
    }


def link(hubspot: Client, contact: str, company: str, types: object = None) -> None:
    kind = "" if types else "default/"
    path = f"/crm/v4/objects/contacts/{contact}/associations/{kind}companies/{company}"
    assert hubspot.call("PUT", path, types).status_code in (200, 201)


def test_a_default_link_is_seen_from_both_ends(hubspot: Client) -> None:
    contact = hubspot.create("contacts", firstname="Ann")
    company = hubspot.create("companies", name="Bell")

    link(hubspot, contact, company)

    assert types_of(hubspot, "contacts", contact, "companies") == {company: {279}}
    assert types_of(hubspot, "companies", company, "contacts") == {contact: {280}}


def test_a_record_has_one_primary_company_at_most(hubspot: Client) -> None:
    contact = hubspot.create("contacts", firstname="Ann")
    first, second = (hubspot.create("companies", name=name) for name in "AB")
    link(hubspot, contact, first, PRIMARY)

    link(hubspot, contact, second, PRIMARY)

    found = types_of(hubspot, "contacts", contact, "companies")
    assert found == {first: {279}, second: {1, 279}}
    read = hubspot.get(f"/crm/v3/objects/contacts/{contact}?properties=associatedcompanyid")
    assert read.json()["properties"]["associatedcompanyid"] == second


def test_reading_lists_the_primary_company_first(hubspot: Client) -> None:
    contact = hubspot.create("contacts", firstname="Ann")
    first, second = (hubspot.create("companies", name=name) for name in "AB")
    link(hubspot, contact, first)
    link(hubspot, contact, second, PRIMARY)

    read = hubspot.get("/crm/v3/objects/contacts?associations=companies").json()["results"][0]

    assert read["associations"]["companies"]["results"] == [
        {"id": second, "type": "contact_to_company"},
        {"id": second, "type": "contact_to_company_unlabeled"},
        {"id": first, "type": "contact_to_company_unlabeled"},
    ]


def test_a_record_is_linked_as_it_is_made(hubspot: Client) -> None:
    company = hubspot.create("companies", name="Bell")
    wanted = {
        "to": {"id": company},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}],
    }
    properties = {"dealname": "D", "dealstage": "closedwon"}

    deal = hubspot.post(
        "/crm/v3/objects/deals", {"properties": properties, "associations": [wanted]}
    ).json()["id"]

    assert types_of(hubspot, "deals", deal, "companies") == {company: {5, 341}}


def test_removing_a_link_removes_it_from_both_ends(hubspot: Client) -> None:
    contact = hubspot.create("contacts", firstname="Ann")
    company = hubspot.create("companies", name="Bell")
    link(hubspot, contact, company, PRIMARY)

    path = f"/crm/objects/2026-09/contacts/{contact}/associations/companies/{company}"
    removed = hubspot.call("DELETE", path)

    assert removed.status_code == 204
    assert types_of(hubspot, "contacts", contact, "companies") == {}
    assert types_of(hubspot, "companies", company, "contacts") == {}


def test_links_to_archived_records_are_hidden_until_they_are_restored(hubspot: Client) -> None:
    contact = hubspot.create("contacts", firstname="Ann")
    company = hubspot.create("companies", name="Bell")
    link(hubspot, contact, company)

    hubspot.call("DELETE", f"/crm/v3/objects/companies/{company}")
    hidden = types_of(hubspot, "contacts", contact, "companies")
    hubspot.post("/_sim/edit", {"object": "companies", "id": company, "archived": False})

    assert hidden == {}
    assert types_of(hubspot, "contacts", contact, "companies") == {company: {279}}


def test_a_batch_links_the_good_pairs_and_names_the_bad_ones(hubspot: Client) -> None:
    contact = hubspot.create("contacts", firstname="Ann")
    company = hubspot.create("companies", name="Bell")
    pairs = [
        {"from": {"id": contact}, "to": {"id": company}, "types": PRIMARY},
        {"from": {"id": contact}, "to": {"id": "9999"}, "types": PRIMARY},
    ]

    answer = hubspot.post("/crm/v4/associations/contacts/companies/batch/create", {"inputs": pairs})

    assert answer.status_code == 207
    assert len(answer.json()["results"]) == 1
    assert answer.json()["errors"][0]["context"]["toObjectId"] == ["9999"]


@pytest.mark.parametrize("type_id", [3, 280, 9999])
def test_a_type_of_another_pair_is_refused(hubspot: Client, type_id: int) -> None:
    contact = hubspot.create("contacts", firstname="Ann")
    company = hubspot.create("companies", name="Bell")
    path = f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}"
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]

    answer = hubspot.call("PUT", path, types)

    assert answer.status_code == 400


def test_a_link_moves_the_modified_stamp_of_both_records(hubspot: Client) -> None:
    contact = hubspot.create("contacts", firstname="Ann")
    company = hubspot.create("companies", name="Bell")
    paths = (f"/crm/v3/objects/contacts/{contact}", f"/crm/v3/objects/companies/{company}")
    before = [hubspot.get(path).json()["updatedAt"] for path in paths]

    link(hubspot, contact, company)

    after = [hubspot.get(path).json()["updatedAt"] for path in paths]
    assert all(late > early for early, late in zip(before, after, strict=True))
