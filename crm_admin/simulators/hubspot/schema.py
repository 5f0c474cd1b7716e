"""The properties every HubSpot account has from the start, for the objects this simulator knows."""

from collections.abc import Mapping
from typing import Final

from crm_admin.simulators.definitions import Choice, Definition
from crm_admin.simulators.rows import Table

MODIFIED: Final = {"contacts": "lastmodifieddate"}
OTHER_MODIFIED: Final = "hs_lastmodifieddate"
STAMPS: Final = ("createdate", "lastmodifieddate", "hs_lastmodifieddate")

TYPE_IDS: Final = {
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-27": "tasks",
    "0-46": "notes",
    "0-47": "meetings",
    "0-48": "calls",
    "0-49": "emails",
}
ID_OF_TYPE: Final = {name: type_id for type_id, name in TYPE_IDS.items()}
SINGULAR: Final = {
    "contacts": "contact",
    "companies": "company",
    "deals": "deal",
    "tasks": "task",
    "notes": "note",
    "meetings": "meeting",
    "calls": "call",
    "emails": "email",
}
PLURAL: Final = {one: many for many, one in SINGULAR.items()}
DEFAULTS: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": (
        "createdate",
        "email",
        "firstname",
        "hs_object_id",
        "lastmodifieddate",
        "lastname",
    ),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
}
BARE_DEFAULTS: Final = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")

LIFECYCLE: Final = (
    "subscriber:Subscriber lead:Lead marketingqualifiedlead:Marketing_Qualified_Lead"
    " salesqualifiedlead:Sales_Qualified_Lead opportunity:Opportunity customer:Customer"
    " evangelist:Evangelist other:Other"
)
LEAD_STATUS: Final = (
    "NEW:New OPEN:Open IN_PROGRESS:In_Progress OPEN_DEAL:Open_Deal UNQUALIFIED:Unqualified"
    " ATTEMPTED_TO_CONTACT:Attempted_to_Contact CONNECTED:Connected BAD_TIMING:Bad_Timing"
)
INDUSTRY: Final = (
    "ACCOUNTING:Accounting ARCHITECTURE_PLANNING:Architecture_&_Planning AUTOMOTIVE:Automotive"
    " BANKING:Banking BUILDING_MATERIALS:Building_Materials COMPUTER_SOFTWARE:Computer_Software"
    " CONSTRUCTION:Construction CONSUMER_SERVICES:Consumer_Services"
    " FACILITIES_SERVICES:Facilities_Services"
    " FINANCIAL_SERVICES:Financial_Services FOOD_BEVERAGES:Food_&_Beverages HOSPITALITY:Hospitality"
    " INFORMATION_TECHNOLOGY_AND_SERVICES:Information_Technology_and_Services INSURANCE:Insurance"
    " LEGAL_SERVICES:Legal_Services LOGISTICS_AND_SUPPLY_CHAIN:Logistics_and_Supply_Chain"
    " MACHINERY:Machinery MANAGEMENT_CONSULTING:Management_Consulting PLASTICS:Plastics"
    " REAL_ESTATE:Real_Estate RETAIL:Retail UTILITIES:Utilities WHOLESALE:Wholesale"
)
CURRENCY: Final = "EUR:Euro GBP:British_Pound USD:US_Dollar CHF:Swiss_Franc PLN:Polish_Zloty"

TASK_STATUS: Final = (
    "NOT_STARTED:Not_started IN_PROGRESS:In_progress WAITING:Waiting DEFERRED:Deferred"
    " COMPLETED:Completed"
)
CALL_STATUS: Final = (
    "COMPLETED:Completed NO_ANSWER:No_answer BUSY:Busy FAILED:Failed CANCELED:Canceled"
)
EMAIL_DIRECTION: Final = "EMAIL:Outgoing INCOMING_EMAIL:Incoming FORWARDED_EMAIL:Forwarded"
EMAIL_STATUS: Final = "SENT:Sent SENDING:Sending SCHEDULED:Scheduled FAILED:Failed BOUNCED:Bounced"
OUTCOME: Final = "SCHEDULED:Scheduled COMPLETED:Completed NO_SHOW:No_show CANCELED:Canceled"

# One line per property: name|label|type and field type|options or flags.
KINDS: Final = {
    "text": ("string", "text"),
    "area": ("string", "textarea"),
    "html": ("string", "html"),
    "phone": ("string", "phonenumber"),
    "number": ("number", "number"),
    "money": ("number", "number"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
    "select": ("enumeration", "select"),
    "radio": ("enumeration", "radio"),
    "checks": ("enumeration", "checkbox"),
    "bool": ("bool", "booleancheckbox"),
    "owner": ("enumeration", "select"),
    "ids": ("enumeration", "checkbox"),
}
ADDRESS: Final = """
address|Street Address|text
city|City|text
state|State/Region|text
zip|Postal Code|text
country|Country/Region|text
"""
SYSTEM: Final = """
hs_object_id|Record ID|number|read
hs_createdate|Object create date/time|datetime|read
hs_lastmodifieddate|Last Modified Date|datetime|read
hs_merged_object_ids|Merged record IDs|ids|read
hubspot_owner_id|Owner|owner
"""
CONTACT: Final = f"""
email|Email|text|unique
firstname|First Name|text
lastname|Last Name|text
phone|Phone Number|phone
mobilephone|Mobile Phone Number|phone
jobtitle|Job Title|text
company|Company Name|text
website|Website URL|text
{ADDRESS}
lifecyclestage|Lifecycle Stage|radio|{LIFECYCLE}
hs_lead_status|Lead Status|radio|{LEAD_STATUS}
hs_language|Preferred language|select|de:German en:English es:Spanish fr:French pl:Polish
date_of_birth|Date of birth|text
annualrevenue|Annual Revenue|text
hs_email_optout|Unsubscribed from all email|bool|read
hs_additional_emails|Additional email addresses|ids|read
associatedcompanyid|Primary Associated Company ID|number|read
createdate|Create Date|datetime|read
lastmodifieddate|Last Modified Date|datetime|read
{SYSTEM}
"""
COMPANY: Final = f"""
name|Company name|text
domain|Company Domain Name|text
hs_additional_domains|Additional Domains|ids
phone|Phone Number|phone
website|Website URL|text
industry|Industry|select|{INDUSTRY}
{ADDRESS}
numberofemployees|Number of Employees|number
annualrevenue|Annual Revenue|money
description|Description|area
lifecyclestage|Lifecycle Stage|radio|{LIFECYCLE}
founded_year|Year Founded|text
is_public|Is Public|bool
createdate|Create Date|datetime|read
{SYSTEM}
"""
DEAL: Final = f"""
dealname|Deal Name|text
amount|Amount|money
dealstage|Deal Stage|select
pipeline|Pipeline|select
closedate|Close Date|datetime
dealtype|Deal Type|radio|newbusiness:New_Business existingbusiness:Existing_Business
deal_currency_code|Currency|select|{CURRENCY}
description|Deal Description|area
hs_priority|Priority|select|low:Low medium:Medium high:High
hs_is_closed_won|Is Closed Won|bool|read
createdate|Create Date|datetime|read
{SYSTEM}
"""
NOTE: Final = f"hs_timestamp|Activity date|datetime\nhs_note_body|Note body|html\n{SYSTEM}"
TASK: Final = f"""
hs_timestamp|Due date|datetime
hs_task_subject|Task Title|text
hs_task_body|Task notes|html
hs_task_status|Task status|select|{TASK_STATUS}
hs_task_priority|Priority|select|NONE:None LOW:Low MEDIUM:Medium HIGH:High
hs_task_type|Task type|select|TODO:To-do CALL:Call EMAIL:Email
{SYSTEM}
"""
CALL: Final = f"""
hs_timestamp|Activity date|datetime
hs_call_title|Call title|text
hs_call_body|Call notes|html
hs_call_duration|Call duration|number
hs_call_direction|Call direction|select|INBOUND:Inbound OUTBOUND:Outbound
hs_call_status|Call status|select|{CALL_STATUS}
hs_call_from_number|From number|text
hs_call_to_number|To number|text
{SYSTEM}
"""
EMAIL: Final = f"""
hs_timestamp|Activity date|datetime
hs_email_subject|Email subject|text
hs_email_text|Email body|area
hs_email_html|Email HTML|html
hs_email_direction|Email direction|select|{EMAIL_DIRECTION}
hs_email_status|Email send status|select|{EMAIL_STATUS}
{SYSTEM}
"""
MEETING: Final = f"""
hs_timestamp|Activity date|datetime
hs_meeting_title|Meeting name|text
hs_meeting_body|Meeting description|html
hs_meeting_start_time|Meeting start time|datetime
hs_meeting_end_time|Meeting end time|datetime
hs_meeting_outcome|Meeting outcome|select|{OUTCOME}
{SYSTEM}
"""
STANDARD: Final[Mapping[str, str]] = {
    "contacts": CONTACT,
    "companies": COMPANY,
    "deals": DEAL,
    "tasks": TASK,
    "notes": NOTE,
    "meetings": MEETING,
    "calls": CALL,
    "emails": EMAIL,
}
GROUPS: Final = {
    "contacts": "contactinformation",
    "companies": "companyinformation",
    "deals": "dealinformation",
}


def modified_name(object_name: str) -> str:
    """The property that holds when a record of this object was last modified."""
    return MODIFIED.get(object_name, OTHER_MODIFIED)


def object_of(text: str) -> str | None:
    """The object a path segment names: plural, singular or type id."""
    lowered = text.lower()
    name = TYPE_IDS.get(lowered) or PLURAL.get(lowered) or lowered
    return name if name in STANDARD else None


def make_tables() -> dict[str, Table]:
    """Empty tables with the standard properties."""
    return {name: _make_table(name, lines) for name, lines in STANDARD.items()}


def _make_table(name: str, lines: str) -> Table:
    parsed = [_parse(line, GROUPS.get(name, "engagement")) for line in lines.split("\n") if line]
    also = {"hs_additional_emails": "email"} if name == "contacts" else {}
    return Table(name, {each.name: each for each in parsed}, also)


def _parse(line: str, group: str) -> Definition:
    name, label, kind, *more = line.split("|")
    flags = more[0] if more else ""
    type_, field_type = KINDS[kind]
    read_only = flags == "read"
    hints = {"email": "email", "domain": "domain_name"}
    return Definition(
        name=name,
        label=label,
        type=type_,
        field_type=field_type,
        group=group,
        choices=_choices(flags) if ":" in flags else (),
        unique=flags == "unique",
        read_only=read_only,
        calculated=read_only and name not in STAMPS,
        hint="currency" if kind == "money" else hints.get(name, ""),
        refers_to="OWNER" if kind == "owner" else "",
    )


def _choices(text: str) -> tuple[Choice, ...]:
    pairs = (pair.partition(":") for pair in text.split())
    return tuple(Choice(value, label.replace("_", " ")) for value, _, label in pairs)
