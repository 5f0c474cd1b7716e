"""Describing, making and changing properties."""

from tests.simulators.client import Client

PATH = "/crm/v3/properties/contacts"
KEY = {
    "name": "crm_admin_id",
    "label": "CRM Admin ID",
    "type": "string",
    "fieldType": "text",
    "groupName": "contactinformation",
    "hasUniqueValue": True,
}


def test_a_property_can_be_made_once(hubspot: Client) -> None:
    first = hubspot.post(PATH, KEY)
    second = hubspot.post(PATH, KEY)

    assert first.status_code == 201
    assert first.json()["hasUniqueValue"] is True
    assert second.status_code == 409
    assert second.json()["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"


def test_a_unique_property_holds_each_value_once(hubspot: Client) -> None:
    hubspot.post(PATH, KEY)
    holder = hubspot.create("contacts", firstname="Ann", crm_admin_id="k1")

    answer = hubspot.post(
        "/crm/v3/objects/contacts", {"properties": {"firstname": "Bo", "crm_admin_id": "k1"}}
    )

    assert answer.status_code == 400
    assert holder in answer.json()["errors"][0]["message"]


def test_ten_properties_of_an_object_may_be_unique(hubspot: Client) -> None:
    answers = [hubspot.post(PATH, {**KEY, "name": f"key_{n}"}).status_code for n in range(10)]

    assert answers == [201] * 9 + [400]


def test_options_are_replaced_as_a_whole(hubspot: Client) -> None:
    given = {
        **KEY,
        "name": "colour",
        "type": "enumeration",
        "fieldType": "select",
        "hasUniqueValue": False,
    }
    options = [{"label": name, "value": name} for name in ("red", "blue")]
    hubspot.post(PATH, {**given, "options": options})

    hubspot.call("PATCH", f"{PATH}/colour", {"options": options[:1]})

    kept = hubspot.get(f"{PATH}/colour").json()["options"]
    assert [option["value"] for option in kept] == ["red"]
    refused = hubspot.post(
        "/crm/v3/objects/contacts", {"properties": {"firstname": "A", "colour": "blue"}}
    )
    assert refused.json()["errors"][0]["code"] == "INVALID_OPTION"


def test_an_archived_property_is_unknown_until_it_is_made_again(hubspot: Client) -> None:
    hubspot.post(PATH, KEY)
    hubspot.create("contacts", firstname="Ann", crm_admin_id="k1")

    archived = hubspot.call("DELETE", f"{PATH}/crm_admin_id")
    hidden = hubspot.get("/crm/v3/objects/contacts/101?properties=crm_admin_id").json()
    made_again = hubspot.post(PATH, KEY)
    shown = hubspot.get("/crm/v3/objects/contacts/101?properties=crm_admin_id").json()

    assert archived.status_code == 204
    assert "crm_admin_id" not in hidden["properties"]
    assert made_again.status_code == 201
    assert shown["properties"]["crm_admin_id"] == "k1"


def test_several_choices_are_joined_and_can_be_added_to(hubspot: Client) -> None:
    options = [{"label": name, "value": name} for name in "abc"]
    given = {
        **KEY,
        "name": "tags",
        "type": "enumeration",
        "fieldType": "checkbox",
        "hasUniqueValue": False,
    }
    hubspot.post(PATH, {**given, "options": options})
    made = hubspot.create("contacts", firstname="Ann", tags="a;b")

    answer = hubspot.call(
        "PATCH", f"/crm/v3/objects/contacts/{made}", {"properties": {"tags": ";c"}}
    )

    assert answer.json()["properties"]["tags"] == "a;b;c"


def test_the_controls_change_a_property_in_ways_hubspot_would_not(hubspot: Client) -> None:
    hubspot.post(
        "/_sim/property",
        {"object": "contacts", "name": "city", "type": "number", "fieldType": "number"},
    )
    hubspot.post("/_sim/property", {"object": "contacts", "name": "phone", "archived": True})

    names = {each["name"]: each["type"] for each in hubspot.get(PATH).json()["results"]}

    assert names["city"] == "number"
    assert "phone" not in names
