"""The page on which a person edits the CRM's records, without any script."""

import pytest
from bs4 import BeautifulSoup

from tests.simulators.client import Client

HOSTILE = "\"><script>alert('x')</script>"


def page(hubspot: Client, path: str) -> BeautifulSoup:
    answer = hubspot.get(f"/_sim{path}")
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


@pytest.mark.parametrize(
    "path",
    ["/", "/?object=companies", "/?object=deals", "/record?object=deals", "/changes", "/switches"],
)
def test_each_page_is_a_document_without_scripts_or_inline_styles(
    hubspot: Client, path: str
) -> None:
    answer = hubspot.get(f"/_sim{path}")
    shown = BeautifulSoup(answer.text, "html.parser")

    assert shown.find("h1") is not None
    assert shown.title.string
    assert shown.find_all("script") == []
    assert shown.find_all(style=True) == []
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    fields = [each for each in shown.find_all(["input", "select", "textarea"]) if each.get("id")]
    assert all(shown.find("label", attrs={"for": each["id"]}) for each in fields)


def test_the_style_sheet_is_served(hubspot: Client) -> None:
    answer = hubspot.get("/_sim/style.css")

    assert answer.headers["Content-Type"].startswith("text/css")


def test_an_edit_on_the_page_is_logged_by_page(hubspot: Client) -> None:
    made = hubspot.create("contacts", firstname="Ann", city="Leeds")
    form = page(hubspot, f"/record?object=contacts&id={made}").find("form", class_="fields")
    values = {each["name"]: each.get("value", "") for each in form.find_all("input")}

    saved = hubspot.post("/_sim/save", data={**values, "p-city": "York"})

    assert saved.status_code == 303
    assert hubspot.log()[-1]["by"] == "page"
    assert hubspot.log()[-1]["changed"] == {"city": ["Leeds", "York"]}


def test_saving_nothing_new_changes_nothing(hubspot: Client) -> None:
    made = hubspot.create("contacts", firstname="Ann")

    saved = hubspot.post(
        "/_sim/save", data={"object": "contacts", "id": made, "p-firstname": "Ann"}
    )

    assert saved.status_code == 303
    assert len(hubspot.log()) == 1


def test_a_record_is_created_archived_and_restored_by_hand(hubspot: Client) -> None:
    created = hubspot.post("/_sim/save", data={"object": "companies", "p-name": "Bell"})
    location = created.headers["Location"]
    hubspot.post("/_sim/archive", data={"object": "companies", "id": "101"})
    archived = page(hubspot, location.removeprefix("/_sim"))
    hubspot.post("/_sim/restore", data={"object": "companies", "id": "101"})

    assert created.status_code == 303
    assert archived.find("button", string="Restore") is not None
    assert [entry["op"] for entry in hubspot.log()] == ["create", "archive", "restore"]


def test_a_bad_value_is_shown_with_the_reason_and_what_was_typed(hubspot: Client) -> None:
    made = hubspot.create("contacts", firstname="Ann")

    answer = hubspot.post(
        "/_sim/save", data={"object": "contacts", "id": made, "p-email": "not one"}
    )

    shown = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422
    assert "not one" in shown.find(role="alert").text
    assert shown.find(id="p-email")["value"] == "not one"


def test_hostile_text_stays_text(hubspot: Client) -> None:
    made = hubspot.create("contacts", firstname=HOSTILE)

    shown = [
        hubspot.get(path).text
        for path in (
            "/_sim/",
            f"/_sim/record?object=contacts&id={made}",
            "/_sim/changes",
            f"/_sim/?q={HOSTILE}",
        )
    ]

    assert not any("<script" in text for text in shown)


def test_the_search_box_finds_by_any_value_and_by_id(hubspot: Client) -> None:
    hubspot.create("contacts", firstname="Ann", city="Leeds")
    hubspot.create("contacts", firstname="Bo", city="York")

    by_value = page(hubspot, "/?object=contacts&q=yor").find("tbody").text
    by_id = page(hubspot, "/?object=contacts&q=101").find("tbody").text

    assert "Bo" in by_value
    assert "Ann" not in by_value
    assert "Ann" in by_id


def test_a_long_list_has_a_next_page(hubspot: Client) -> None:
    hubspot.post("/_sim/seed", {"contacts": 60, "seed": 1})

    first = page(hubspot, "/?object=contacts")
    following = first.find("a", string="Next page")["href"]
    second = page(hubspot, following.removeprefix("/_sim"))

    assert len(first.find("tbody").find_all("tr")) == 50
    assert len(second.find("tbody").find_all("tr")) == 10
    assert second.find("a", string="Next page") is None


def test_a_fault_is_switched_on_and_off(hubspot: Client) -> None:
    hubspot.post(
        "/_sim/switches", data={"fault": "503", "path": "contacts", "times": "", "seconds": ""}
    )
    broken = hubspot.get("/crm/v3/objects/contacts")
    listed = page(hubspot, "/switches").find("tbody").text
    hubspot.post("/_sim/switches", data={"fault": ""})

    assert broken.status_code == 503
    assert "503" in listed
    assert hubspot.get("/crm/v3/objects/contacts").status_code == 200


def test_an_unknown_page_is_not_found(hubspot: Client) -> None:
    assert hubspot.get("/_sim/nowhere").status_code == 404
    assert hubspot.get("/_sim/record?object=contacts&id=9999").status_code == 404
    assert hubspot.get("/_sim/?object=unicorns").status_code == 400
