"""Addresses of a CRM's pages, as people copy them from their browser."""

import pytest

from crm_admin.providers.addresses import record_address, simulated_address
from crm_admin.providers.registry import specs

PAGES = {
    "by type": ("/contacts/123/record/0-1/55", ("123", "contacts", "55")),
    "with a view behind": ("/contacts/123/record/0-3/55/view/1?x=1", ("123", "deals", "55")),
    "older contact": ("/contacts/123/contact/77/", ("123", "contacts", "77")),
    "older company": ("/contacts/123/company/9?eschref=%2F", ("123", "companies", "9")),
    "older deal": ("/contacts/123/deal/9#notes", ("123", "deals", "9")),
}
NO_RECORDS = (
    "",
    "Ana Silva",
    "javascript:alert(1)",
    "http://[broken",
    "https://app.hubspot.com/",
    "https://app.hubspot.com/contacts/123/objects/0-1/views",
    "https://app.hubspot.com.example/contacts/123/deal/9",
    "https://example.com/contacts/123/deal/9",
    "https://app.hubspot.com/contacts/123/deal/" + "9" * 3_000,
)


@pytest.mark.parametrize("host", ["app.hubspot.com", "app-eu1.hubspot.com", "APP.HubSpot.com"])
@pytest.mark.parametrize(("path", "named"), PAGES.values(), ids=PAGES)
def test_a_page_of_hubspot_names_its_record(
    host: str, path: str, named: tuple[str, str, str]
) -> None:
    found = record_address(f"https://{host}{path}", specs())

    assert found is not None
    assert (found.provider, found.account, found.object, found.id) == ("hubspot", *named)


@pytest.mark.parametrize("text", NO_RECORDS)
def test_other_texts_name_no_record(text: str) -> None:
    assert record_address(text, specs()) is None


def test_a_page_of_a_simulator_names_its_record() -> None:
    endpoint = "http://127.0.0.1:8010/hubspot/"

    ours = simulated_address(f"{endpoint}_sim/record?object=deals&id=5", endpoint)
    others = simulated_address("http://127.0.0.1:8010/zoho/_sim/record?object=a&id=5", endpoint)

    assert (ours, others) == (("deals", "5"), None)
