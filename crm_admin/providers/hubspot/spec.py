"""What is known about HubSpot without asking it."""

from collections.abc import Mapping
from dataclasses import dataclass

from crm_admin.providers.base import ObjectSpec, ProviderSpec, SettingSpec

ENDPOINT = "https://api.hubapi.com"
HOSTS = ("api.hubapi.com", "*.hubapi.com")
SEARCH = "search"
LIMITS: Mapping[str, tuple[int, float]] = {"": (100, 10.0), SEARCH: (5, 1.0)}
"""Calls per seconds of the smallest plan; headers of answers raise the first one."""

MARKER = "crm_admin_id"
BATCH = 100
LIST_PAGE = 100
SEARCH_PAGE = 200
SEARCH_CAP = 10_000
SEARCH_BODY = 3_000
LONGEST_QUERY = 6_000
ASSOCIATIONS_READ = 1_000

V3 = "v3"
DATED = "2026-09"
VERSIONS = (DATED, V3)


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things are in one version of the API; the bodies are the same in all of them."""

    objects: str
    properties: str
    associations: str
    account: str
    owners: str


PATHS: Mapping[str, Paths] = {
    V3: Paths(
        "/crm/v3/objects",
        "/crm/v3/properties",
        "/crm/v4/associations",
        "/account-info/v3/details",
        "/crm/v3/owners",
    ),
    DATED: Paths(
        f"/crm/objects/{DATED}",
        f"/crm/properties/{DATED}",
        f"/crm/associations/{DATED}",
        f"/account-info/{DATED}/details",
        f"/crm/owners/{DATED}",
    ),
}

TYPE_IDS: Mapping[str, str] = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "tasks": "0-27",
    "notes": "0-46",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
    "leads": "0-136",
}

MODIFIED = "hs_lastmodifieddate"
AMOUNT, CURRENCY = "amount", "deal_currency_code"
AMOUNT_AND_CURRENCY = "amount_and_currency"
"""A field of ours beside HubSpot's own: both parts of a deal's money as one."""
MERGED = "hs_merged_object_ids"
"""The ids of the records that were merged into this one."""

OBJECTS = (
    ObjectSpec(
        "companies",
        "Company",
        "Companies",
        "company",
        MODIFIED,
        ("name",),
        type_id=TYPE_IDS["companies"],
        former_field=MERGED,
    ),
    ObjectSpec(
        "contacts",
        "Contact",
        "Contacts",
        "contact",
        "lastmodifieddate",
        ("firstname", "lastname"),
        ("email",),
        ("companies",),
        type_id=TYPE_IDS["contacts"],
        former_field=MERGED,
    ),
    ObjectSpec(
        "deals",
        "Deal",
        "Deals",
        "deal",
        MODIFIED,
        ("dealname",),
        associations=("companies", "contacts"),
        type_id=TYPE_IDS["deals"],
        former_field=MERGED,
    ),
    ObjectSpec(
        "leads",
        "Lead",
        "Leads",
        "lead",
        MODIFIED,
        ("hs_lead_name",),
        associations=("contacts", "companies"),
        type_id=TYPE_IDS["leads"],
        former_field=MERGED,
    ),
    ObjectSpec(
        "tasks",
        "Task",
        "Tasks",
        "activity",
        MODIFIED,
        ("hs_task_subject",),
        associations=("contacts", "companies", "deals"),
        type_id=TYPE_IDS["tasks"],
        former_field=MERGED,
    ),
    ObjectSpec(
        "calls",
        "Call",
        "Calls",
        "activity",
        MODIFIED,
        ("hs_call_title",),
        associations=("contacts", "companies", "deals"),
        type_id=TYPE_IDS["calls"],
        former_field=MERGED,
    ),
    ObjectSpec(
        "meetings",
        "Meeting",
        "Meetings",
        "activity",
        MODIFIED,
        ("hs_meeting_title",),
        associations=("contacts", "companies", "deals"),
        type_id=TYPE_IDS["meetings"],
        former_field=MERGED,
    ),
    ObjectSpec(
        "emails",
        "E-mail",
        "E-mails",
        "activity",
        MODIFIED,
        ("hs_email_subject",),
        associations=("contacts", "companies", "deals"),
        type_id=TYPE_IDS["emails"],
        former_field=MERGED,
    ),
    ObjectSpec(
        "notes",
        "Note",
        "Notes",
        "note",
        MODIFIED,
        ("hs_note_body",),
        associations=("contacts", "companies", "deals"),
        type_id=TYPE_IDS["notes"],
        former_field=MERGED,
    ),
)

REQUIRED: Mapping[str, frozenset[str]] = {
    "deals": frozenset({"dealname", "dealstage"}),
    "tasks": frozenset({"hs_timestamp"}),
    "notes": frozenset({"hs_timestamp"}),
    "calls": frozenset({"hs_timestamp"}),
    "meetings": frozenset({"hs_timestamp"}),
    "emails": frozenset({"hs_timestamp"}),
}
"""Properties a create needs; the description of an object does not tell."""

GROUPS: Mapping[str, str] = {
    "contacts": "contactinformation",
    "companies": "companyinformation",
    "deals": "dealinformation",
}

ASSOCIATION_TYPES: Mapping[tuple[str, str], int] = {
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
    ("deals", "contacts"): 3,
    ("contacts", "deals"): 4,
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
    ("leads", "contacts"): 578,
    ("notes", "contacts"): 202,
    ("notes", "companies"): 190,
    ("notes", "deals"): 214,
    ("tasks", "contacts"): 204,
    ("tasks", "companies"): 192,
    ("tasks", "deals"): 216,
    ("calls", "contacts"): 194,
    ("calls", "companies"): 182,
    ("calls", "deals"): 206,
    ("emails", "contacts"): 198,
    ("emails", "companies"): 186,
    ("emails", "deals"): 210,
    ("meetings", "contacts"): 200,
    ("meetings", "companies"): 188,
    ("meetings", "deals"): 212,
}
PRIMARY_TYPES: Mapping[tuple[str, str], int] = {
    ("contacts", "companies"): 1,
    ("deals", "companies"): 5,
}

OF_CONTACTS = frozenset({"tasks", "calls", "meetings", "emails", "notes"})
"""Activities are reached with the scopes of contacts."""

ENVIRONMENTS: Mapping[str, str] = {
    "STANDARD": "production",
    "SANDBOX": "sandbox",
    "DEVELOPER_TEST": "sandbox",
    "APP_DEVELOPER": "sandbox",
}

SPEC = ProviderSpec(
    name="hubspot",
    label="HubSpot",
    endpoint=ENDPOINT,
    hosts=HOSTS,
    settings=(
        SettingSpec(
            "access_token",
            "Access token",
            secret=True,
            required=True,
            order=1,
            help="A service key, or the access token of a private app you already have. "
            "It begins with pat- and is shown once in HubSpot under Settings, Integrations.",
        ),
        SettingSpec(
            "api_version",
            "API version",
            order=2,
            help=f"Leave empty for {DATED}, which follows the rules your account sets for required "
            f"properties. {V3} ignores these rules and ends in September 2027.",
        ),
    ),
    objects=OBJECTS,
    marker_field=MARKER,
    upsert_key=True,
    page_size=LIST_PAGE,
    batch_read=BATCH,
    batch_write=BATCH,
    index_lag_seconds=30.0,
    overlap_seconds=600.0,
    record_url="https://app.hubspot.com/contacts/{account}/record/{object_type}/{id}",
    docs_url="https://developers.hubspot.com/docs/api-reference/overview",
)


def scope_of(object_name: str, *, write: bool) -> str:
    """Return the scope that reading or writing records of an object needs."""
    owner = "contacts" if object_name in OF_CONTACTS else object_name
    return f"crm.objects.{owner}.{'write' if write else 'read'}"


def schema_scope_of(object_name: str, *, write: bool) -> str:
    """Return the scope that reading or creating properties of an object needs."""
    owner = "contacts" if object_name in OF_CONTACTS else object_name
    return f"crm.schemas.{owner}.{'write' if write else 'read'}"
