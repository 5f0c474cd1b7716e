"""The kinds every CRM knows: contacts, companies, deals, leads, activities and notes."""

from typing import Final

from crm_admin.packs.base import Pack
from crm_admin.packs.crm_hubspot import HUBSPOT
from crm_admin.records.kinds import (
    Field,
    FieldType,
    KeyRule,
    KeyType,
    Option,
    Promoted,
    RecordKind,
)


def options(text: str) -> tuple[Option, ...]:
    """Return options written as `code:Label|code:Label`."""
    pairs = (pair.partition(":") for pair in text.split("|"))
    return tuple(Option(code, label) for code, _, label in pairs)


LIFECYCLE: Final = options(
    "subscriber:Subscriber|lead:Lead|marketingqualifiedlead:Marketing qualified lead"
    "|salesqualifiedlead:Sales qualified lead|opportunity:Opportunity|customer:Customer"
    "|evangelist:Evangelist|other:Other"
)
DEAL_STAGES: Final = options(
    "new:New|qualified:Qualified|proposal:Proposal|decision:Decision"
    "|contract:Contract sent|won:Won|lost:Lost"
)
LEAD_STATUS: Final = options(
    "new:New|open:Open|in_progress:In progress|connected:Connected|qualified:Qualified"
    "|unqualified:Unqualified|bad_timing:Bad timing"
)
ADDRESS: Final = (
    Field("address", "Street address", FieldType.STRING),
    Field("city", "City", FieldType.STRING),
    Field("state", "State or region", FieldType.STRING),
    Field("postal_code", "Postal code", FieldType.STRING),
    Field("country", "Country", FieldType.STRING, help="A name or a two-letter code."),
)
OWNER: Final = Field(
    "owner", "Owner", FieldType.STRING, help="The person who looks after this record."
)

CONTACT: Final = RecordKind(
    "contact",
    "Contact",
    "Contacts",
    (
        Field("first_name", "First name", FieldType.STRING),
        Field("last_name", "Last name", FieldType.STRING),
        Field("email", "E-mail", FieldType.EMAIL),
        Field("phone", "Phone", FieldType.PHONE),
        Field("mobile", "Mobile phone", FieldType.PHONE),
        Field("job_title", "Job title", FieldType.STRING),
        Field("company", "Company", FieldType.REFERENCE, target="company"),
        Field(
            "company_name",
            "Company name",
            FieldType.STRING,
            help="As written, whether linked or not.",
        ),
        Field("website", "Website", FieldType.URL),
        *ADDRESS,
        Field("lifecycle_stage", "Lifecycle stage", FieldType.ENUM, options=LIFECYCLE),
        Field("language", "Language", FieldType.STRING),
        Field("birthday", "Date of birth", FieldType.DATE),
        Field("tags", "Tags", FieldType.ARRAY),
        OWNER,
    ),
    (
        KeyRule(KeyType.EMAIL, ("email",), strong=True),
        KeyRule(KeyType.PHONE, ("phone", "mobile")),
        KeyRule(KeyType.NAME, ("first_name", "last_name")),
    ),
    Promoted(("first_name", "last_name"), "lifecycle_stage", "owner"),
)

COMPANY: Final = RecordKind(
    "company",
    "Company",
    "Companies",
    (
        Field("name", "Name", FieldType.STRING, required=True),
        Field("domain", "Domain", FieldType.STRING),
        Field("website", "Website", FieldType.URL),
        Field("phone", "Phone", FieldType.PHONE),
        Field("industry", "Industry", FieldType.STRING),
        *ADDRESS,
        Field("employees", "Employees", FieldType.INTEGER),
        Field("annual_revenue", "Annual revenue", FieldType.MONEY),
        Field("description", "Description", FieldType.TEXT),
        Field("lifecycle_stage", "Lifecycle stage", FieldType.ENUM, options=LIFECYCLE),
        OWNER,
    ),
    (
        KeyRule(KeyType.DOMAIN, ("domain", "website"), strong=True),
        KeyRule(KeyType.NAME, ("name",)),
    ),
    Promoted(("name",), "lifecycle_stage", "owner", "annual_revenue"),
)

DEAL: Final = RecordKind(
    "deal",
    "Deal",
    "Deals",
    (
        Field("name", "Name", FieldType.STRING, required=True),
        Field("amount", "Amount", FieldType.MONEY),
        Field("stage", "Stage", FieldType.ENUM, options=DEAL_STAGES),
        Field("pipeline", "Pipeline", FieldType.STRING),
        Field("close_date", "Close date", FieldType.DATE),
        Field("company", "Company", FieldType.REFERENCE, target="company"),
        Field("contact", "Contact", FieldType.REFERENCE, target="contact"),
        Field("deal_type", "Type", FieldType.STRING),
        Field("description", "Description", FieldType.TEXT),
        OWNER,
    ),
    (KeyRule(KeyType.NAME, ("name",)),),
    Promoted(("name",), "stage", "owner", "amount", "close_date"),
)

LEAD: Final = RecordKind(
    "lead",
    "Lead",
    "Leads",
    (
        Field("first_name", "First name", FieldType.STRING),
        Field("last_name", "Last name", FieldType.STRING),
        Field("email", "E-mail", FieldType.EMAIL),
        Field("phone", "Phone", FieldType.PHONE),
        Field("company_name", "Company name", FieldType.STRING),
        Field("job_title", "Job title", FieldType.STRING),
        Field("source", "Source", FieldType.STRING),
        Field("status", "Status", FieldType.ENUM, options=LEAD_STATUS),
        Field("value", "Value", FieldType.MONEY),
        *ADDRESS,
        Field("birthday", "Date of birth", FieldType.DATE),
        Field("notes", "Notes", FieldType.TEXT),
        Field("contact", "Contact", FieldType.REFERENCE, target="contact"),
        OWNER,
    ),
    (
        KeyRule(KeyType.EMAIL, ("email",), strong=True),
        KeyRule(KeyType.PHONE, ("phone",)),
        KeyRule(KeyType.NAME, ("first_name", "last_name")),
    ),
    Promoted(("first_name", "last_name"), "status", "owner", "value"),
)

ACTIVITY: Final = RecordKind(
    "activity",
    "Activity",
    "Activities",
    (
        Field("subject", "Subject", FieldType.STRING, required=True),
        Field(
            "type",
            "Type",
            FieldType.ENUM,
            required=True,
            options=options("task:Task|call:Call|meeting:Meeting|email:E-mail"),
        ),
        Field(
            "status",
            "Status",
            FieldType.ENUM,
            options=options(
                "planned:Planned|in_progress:In progress|done:Done|cancelled:Cancelled"
            ),
        ),
        Field("due_at", "Due", FieldType.DATETIME),
        Field("done_at", "Done", FieldType.DATETIME),
        Field("minutes", "Duration in minutes", FieldType.INTEGER),
        Field(
            "priority",
            "Priority",
            FieldType.ENUM,
            options=options("low:Low|medium:Medium|high:High"),
        ),
        Field("body", "Text", FieldType.TEXT),
        Field("contact", "Contact", FieldType.REFERENCE, target="contact"),
        Field("company", "Company", FieldType.REFERENCE, target="company"),
        Field("deal", "Deal", FieldType.REFERENCE, target="deal"),
        OWNER,
    ),
    (),
    Promoted(("subject",), "status", "owner", "", "due_at"),
)

NOTE: Final = RecordKind(
    "note",
    "Note",
    "Notes",
    (
        Field("body", "Text", FieldType.TEXT, required=True),
        Field("written_at", "Written", FieldType.DATETIME),
        Field("contact", "Contact", FieldType.REFERENCE, target="contact"),
        Field("company", "Company", FieldType.REFERENCE, target="company"),
        Field("deal", "Deal", FieldType.REFERENCE, target="deal"),
        OWNER,
    ),
    (),
    Promoted(("body",), "", "owner", "", "written_at"),
)

CRM: Final = Pack(
    "crm",
    "CRM",
    kinds=(CONTACT, COMPANY, DEAL, LEAD, ACTIVITY, NOTE),
    mappings=HUBSPOT,
)
