"""The vendor's own SDK works against the simulator: two independent readings of the wire format
meet.
"""

import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import (
    BatchInputPublicAssociationMultiArchive,
    BatchInputPublicAssociationMultiPost,
    BatchInputPublicFetchAssociationsBatchRequest,
)
from hubspot.crm.contacts import (
    ApiException,
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectBatchInputForCreate,
    BatchInputSimplePublicObjectBatchInputUpsert,
    BatchReadInputSimplePublicObjectId,
    PublicMergeInput,
    PublicObjectSearchRequest,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.properties import PropertyCreate
from urllib3.util.retry import Retry

from crm_admin.simulators.hubspot.settings import DEMO_TOKEN
from crm_admin.simulators.server import Running
from tests.simulators.client import Client


@pytest.fixture
def sdk(running: Running) -> HubSpot:
    return HubSpot(access_token=DEMO_TOKEN, host=running.url, retry=Retry(0))


def make(sdk: HubSpot, **properties: str) -> str:
    given = SimplePublicObjectInputForCreate(properties=properties)
    return sdk.crm.contacts.basic_api.create(given).id


def test_it_creates_reads_updates_and_archives_a_contact(sdk: HubSpot) -> None:
    made = make(sdk, email="Ann@Example.com", firstname="Ann")
    changed = SimplePublicObjectInput(properties={"firstname": "Anna", "lastname": "Bell"})
    sdk.crm.contacts.basic_api.update(made, changed)

    read = sdk.crm.contacts.basic_api.get_by_id("ann@example.com", id_property="email")
    sdk.crm.contacts.basic_api.archive(made)

    assert (read.id, read.properties["firstname"]) == (made, "Anna")
    with pytest.raises(ApiException) as gone:
        sdk.crm.contacts.basic_api.get_by_id(made)
    assert gone.value.status == 404
    archived = sdk.crm.contacts.basic_api.get_page(archived=True).results
    assert [each.id for each in archived] == [made]
    assert archived[0].archived_at is not None


def test_it_pages_through_all_contacts(sdk: HubSpot, hubspot: Client) -> None:
    hubspot.post("/_sim/seed", {"contacts": 250, "seed": 3})

    page = sdk.crm.contacts.basic_api.get_page(limit=100, properties=["phone"])
    every = sdk.crm.contacts.get_all()

    assert len(page.results) == 100
    assert page.paging.next.after == page.results[-1].id
    assert "phone" in page.results[0].properties
    assert len({each.id for each in every}) == 250


def test_it_reads_the_good_and_the_bad_rows_of_a_batch(sdk: HubSpot) -> None:
    make(sdk, email="taken@example.com")
    rows = [
        {"email": "new@example.com", "trace": "row-1"},
        {"email": "no address", "trace": "row-2"},
        {"email": "taken@example.com", "trace": "row-3"},
    ]
    inputs = [
        {
            "properties": {"email": row["email"]},
            "objectWriteTraceId": row["trace"],
            "associations": [],
        }
        for row in rows
    ]

    answer = sdk.crm.contacts.batch_api.create(
        BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
    )

    assert [each.properties["email"] for each in answer.results] == ["new@example.com"]
    assert answer.num_errors == 2
    found = {error.context["objectWriteTraceId"][0]: error.category for error in answer.errors}
    assert found == {"row-2": "VALIDATION_ERROR", "row-3": "CONFLICT"}


def test_it_updates_and_reads_in_batches(sdk: HubSpot) -> None:
    ids = [make(sdk, firstname=name) for name in ("A", "B")]
    inputs = [{"id": each, "properties": {"city": "Köln"}} for each in ids]

    updated = sdk.crm.contacts.batch_api.update(
        BatchInputSimplePublicObjectBatchInput(inputs=inputs)
    )
    read = sdk.crm.contacts.batch_api.read(
        BatchReadInputSimplePublicObjectId(
            inputs=[{"id": ids[0]}, {"id": "99999"}],
            properties=["city"],
            properties_with_history=[],
        )
    )

    assert {each.id for each in updated.results} == set(ids)
    assert [each.properties["city"] for each in read.results] == ["Köln"]
    assert read.errors[0].context["ids"] == ["99999"]


def test_it_upserts_by_a_unique_property_of_its_own(sdk: HubSpot) -> None:
    sdk.crm.properties.core_api.create(
        "contacts",
        PropertyCreate(
            name="crm_admin_id",
            label="CRM Admin ID",
            type="string",
            field_type="text",
            group_name="contactinformation",
            has_unique_value=True,
        ),
    )
    inputs = [
        {"id_property": "crm_admin_id", "id": f"key-{n}", "properties": {"firstname": f"N{n}"}}
        for n in range(3)
    ]
    for each in inputs:
        each["idProperty"] = each.pop("id_property")
    given = BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs)

    first = sdk.crm.contacts.batch_api.upsert(given)
    second = sdk.crm.contacts.batch_api.upsert(given)

    assert [each.new for each in first.results] == [True] * 3
    assert [each.new for each in second.results] == [False] * 3
    assert {each.id for each in first.results} == {each.id for each in second.results}


def test_it_searches_a_window_of_modification(sdk: HubSpot, hubspot: Client) -> None:
    hubspot.config(index_lag=0)
    make(sdk, firstname="Early")
    late = make(sdk, firstname="Late")
    stamp = sdk.crm.contacts.basic_api.get_by_id(late).updated_at
    since = str(round(stamp.timestamp() * 1000))
    window = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": since}

    found = sdk.crm.contacts.search_api.do_search(
        PublicObjectSearchRequest(
            filter_groups=[{"filters": [window]}],
            sorts=["hs_object_id"],
            properties=["firstname"],
            limit=10,
        )
    )

    assert found.total == 1
    assert [each.id for each in found.results] == [late]


def test_it_associates_reads_and_separates(sdk: HubSpot) -> None:
    contact = make(sdk, firstname="Ann")
    company = sdk.crm.companies.basic_api.create(
        SimplePublicObjectInputForCreate(properties={"name": "Bell Ltd"})
    ).id
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    pair = {"from": {"id": contact}, "to": {"id": company}, "types": types}
    ends = {"from_object_type": "contacts", "to_object_type": "companies"}
    api = sdk.crm.associations.v4.batch_api

    api.create(
        **ends,
        batch_input_public_association_multi_post=BatchInputPublicAssociationMultiPost([pair]),
    )
    asked = BatchInputPublicFetchAssociationsBatchRequest([{"id": contact}])
    read = api.get_page(**ends, batch_input_public_fetch_associations_batch_request=asked)
    gone = BatchInputPublicAssociationMultiArchive(
        [{"from": {"id": contact}, "to": [{"id": company}]}]
    )
    api.archive(**ends, batch_input_public_association_multi_archive=gone)

    to = read.results[0].to[0]
    assert str(to.to_object_id) == company
    assert {each.type_id for each in to.association_types} == {1, 279}
    page = sdk.crm.associations.v4.basic_api.get_page("contacts", contact, "companies")
    assert page.results == []


def test_it_merges_into_a_third_record(sdk: HubSpot) -> None:
    ids = [make(sdk, email="a@example.com"), make(sdk, email="b@example.com", city="Leeds")]
    given = PublicMergeInput(primary_object_id=ids[0], object_id_to_merge=ids[1])

    merged = sdk.crm.contacts.basic_api.merge(given)

    assert merged.id not in ids
    assert sdk.crm.contacts.basic_api.get_by_id(ids[1], properties=["city"]).id == merged.id


def test_it_reads_properties_owners_and_pipelines(sdk: HubSpot) -> None:
    described = {
        each.name: each for each in sdk.crm.properties.core_api.get_all("contacts").results
    }
    owners = sdk.crm.owners.owners_api.get_page().results
    pipelines = sdk.crm.pipelines.pipelines_api.get_all("deals").results

    assert described["email"].has_unique_value is True
    assert described["createdate"].modification_metadata.read_only_value is True
    assert "lead" in {option.value for option in described["lifecyclestage"].options}
    assert {owner.id for owner in owners} == {"41", "42", "43", "45", "46", "47"}
    assert pipelines[0].id == "default"
    assert pipelines[0].stages[0].metadata["isClosed"] == "false"
