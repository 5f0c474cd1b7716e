"""The controls: records, the truth log, edits, seeds, loads and the way back to nothing."""

from tests.simulators.client import Client

CONTACTS = "/crm/v3/objects/contacts"


def test_every_change_is_logged_with_both_values(hubspot: Client) -> None:
    made = hubspot.create("contacts", firstname="Ann", city="Leeds")
    hubspot.call(
        "PATCH", f"{CONTACTS}/{made}", {"properties": {"city": "York", "firstname": "Ann"}}
    )
    hubspot.call("PATCH", f"{CONTACTS}/{made}", {"properties": {"city": ""}})
    hubspot.call("DELETE", f"{CONTACTS}/{made}")
    hubspot.post("/_sim/edit", {"object": "contacts", "id": made, "archived": False})

    entries = hubspot.log()

    assert [(entry["n"], entry["op"], entry["by"]) for entry in entries] == [
        (1, "create", "api"),
        (2, "update", "api"),
        (3, "update", "api"),
        (4, "archive", "api"),
        (5, "restore", "page"),
    ]
    assert {(entry["object"], entry["id"]) for entry in entries} == {("contacts", made)}
    assert [entry["changed"] for entry in entries] == [
        {"firstname": [None, "Ann"], "city": [None, "Leeds"]},
        {"city": ["Leeds", "York"]},
        {"city": ["York", None]},
        {"archived": ["false", "true"]},
        {"archived": ["true", "false"]},
    ]


def test_links_merges_and_properties_are_logged(hubspot: Client) -> None:
    contact = hubspot.create("contacts", firstname="Ann")
    company = hubspot.create("companies", name="Bell")
    path = f"/crm/v4/objects/contacts/{contact}/associations"
    hubspot.call("PUT", f"{path}/default/companies/{company}")
    hubspot.call("DELETE", f"{path}/companies/{company}")
    other = hubspot.create("contacts", firstname="Bo")
    hubspot.post("/_sim/merge", {"object": "contacts", "id": contact, "other": other})
    given = {
        "name": "shoe",
        "label": "Shoe",
        "type": "string",
        "fieldType": "text",
        "groupName": "g",
    }
    hubspot.post("/crm/v3/properties/contacts", given)

    entries = hubspot.log(after=2)

    field = f"companies/{company}"
    assert entries[0]["op"] == "associate"
    assert entries[0]["changed"] == {field: [[], [279]]}
    assert entries[1]["op"] == "disassociate"
    assert entries[1]["changed"] == {field: [[279], []]}
    merges = [entry for entry in entries if entry["op"] == "merge"]
    merged = merges[2]["id"]
    assert [entry["id"] for entry in merges] == [contact, other, merged]
    assert merges[0]["changed"] == {"merged_into": [None, merged]}
    assert entries[-1]["op"] == "property"
    assert entries[-1]["id"] == "shoe"


def test_the_log_is_read_in_parts(hubspot: Client) -> None:
    for name in "abc":
        hubspot.create("contacts", firstname=name)

    first = hubspot.get("/_sim/log?after=0&limit=2").json()
    rest = hubspot.get(f"/_sim/log?after={first['next']}").json()
    none = hubspot.get(f"/_sim/log?after={rest['next']}").json()

    assert [entry["n"] for entry in first["entries"]] == [1, 2]
    assert [entry["n"] for entry in rest["entries"]] == [3]
    assert none == {"entries": [], "next": 3}


def test_records_come_in_the_wires_own_shape_page_by_page(hubspot: Client) -> None:
    for name in "abc":
        hubspot.create("contacts", firstname=name)

    first = hubspot.get("/_sim/records?object=contacts&limit=2").json()
    last = hubspot.get(f"/_sim/records?object=contacts&limit=2&after={first['next']}").json()

    assert first["total"] == 3
    assert [each["id"] for each in first["records"]] == ["101", "102"]
    assert set(first["records"][0]) == {"id", "properties", "createdAt", "updatedAt", "archived"}
    assert last["next"] is None


def test_an_edit_is_made_under_the_crms_own_rules(hubspot: Client) -> None:
    made = hubspot.post(
        "/_sim/edit", {"object": "contacts", "id": None, "properties": {"firstname": "A"}}
    )
    bad = hubspot.post(
        "/_sim/edit",
        {"object": "contacts", "id": made.json()["id"], "properties": {"email": "bad"}},
    )
    missing = hubspot.post("/_sim/edit", {"object": "contacts", "id": "9999", "properties": {}})

    assert made.json()["properties"]["firstname"] == "A"
    assert bad.status_code == 400
    assert missing.status_code == 404
    assert [entry["by"] for entry in hubspot.log()] == ["page"]


def test_the_same_seed_makes_the_same_records(hubspot: Client) -> None:
    asked = {"contacts": 40, "companies": 10, "deals": 10, "seed": 5}

    def made() -> list[object]:
        hubspot.post("/_sim/reset")
        assert hubspot.post("/_sim/seed", asked).json()["created"]["contacts"] == 40
        shown = hubspot.get("/_sim/records?object=contacts").json()["records"]
        stamps = ("createdate", "lastmodifieddate")
        return [
            {name: value for name, value in each["properties"].items() if name not in stamps}
            for each in shown
        ]

    first = made()

    assert made() == first
    assert any(" " in str(each.get("phone")) for each in first)
    assert any(each.get("associatedcompanyid") for each in first)


def test_two_seeds_add_up(hubspot: Client) -> None:
    for seed in (1, 1, 2):
        hubspot.post("/_sim/seed", {"contacts": 50, "seed": seed})

    assert hubspot.get("/_sim/records?object=contacts").json()["total"] == 150


def test_a_loaded_data_set_is_linked_and_found_at_once(hubspot: Client) -> None:
    hubspot.config(index_lag=3600)
    contacts = [
        {
            "properties": {"firstname": "Ann", "email": "ann@example.com"},
            "associations": {"companies": ["companies#1", "companies#0"]},
            "createdAt": "2024-05-01T00:00:00.000Z",
        }
    ]
    companies = [{"properties": {"name": name}} for name in ("Bell", "Cole")]

    ids = hubspot.post("/_sim/load", {"contacts": contacts, "companies": companies}).json()["ids"]

    assert ids == {"contacts": ["101"], "companies": ["101", "102"]}
    found = hubspot.post(f"{CONTACTS}/search", {"properties": ["associatedcompanyid"]}).json()
    assert found["results"][0]["properties"]["associatedcompanyid"] == "102"
    assert found["results"][0]["createdAt"] == "2024-05-01T00:00:00.000Z"
    assert hubspot.get("/_sim/links?object=contacts&id=101").json()["links"] == {
        "companies/102": [1, 279],
        "companies/101": [279],
    }
    assert {entry["by"] for entry in hubspot.log()} == {"seed"}


def test_a_load_that_names_a_taken_value_is_refused(hubspot: Client) -> None:
    item = {"properties": {"email": "ann@example.com"}}

    answer = hubspot.post("/_sim/load", {"contacts": [item, item]})

    assert answer.status_code == 409


def test_a_reset_forgets_everything(hubspot: Client) -> None:
    hubspot.create("contacts", firstname="Ann")
    hubspot.fault("500")
    hubspot.config(index_lag=9, clock_offset=60, limits={"daily": 1})

    hubspot.post("/_sim/reset")

    assert hubspot.get(CONTACTS).json() == {"results": []}
    assert hubspot.log() == []
    assert hubspot.get("/_sim/config").json()["index_lag"] == 0.5
    assert hubspot.get("/_sim/config").json()["clock_offset"] == 0


def test_unknown_settings_and_objects_are_refused(hubspot: Client) -> None:
    assert hubspot.post("/_sim/config", {"speed": 9}).status_code == 400
    assert hubspot.post("/_sim/config", {"limits": {"hourly": 9}}).status_code == 400
    assert hubspot.get("/_sim/records?object=unicorns").status_code == 400
    assert hubspot.post("/_sim/load", {"unicorns": []}).status_code == 400


def test_another_sites_page_cannot_steer_the_simulator(hubspot: Client) -> None:
    hubspot.create("contacts", firstname="Ann")

    answer = hubspot.post("/_sim/reset", headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert hubspot.get("/_sim/records").json()["total"] == 1
