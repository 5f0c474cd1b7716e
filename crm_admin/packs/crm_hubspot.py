"""First mappings between HubSpot and the kinds every CRM knows."""

from typing import Final

from crm_admin.mapping.rules import ASSOCIATION, Direction, FieldRule, Policy, Step
from crm_admin.packs.base import DefaultMapping

PROVIDER: Final = "hubspot"
CURRENCY: Final = Step("currency", {"currency": "EUR", "list": "account"})
"""Plain amounts are in the account's currency; the given one counts until the account is known."""
DEAL_MONEY: Final = Step(
    "currency", {"currency": "EUR", "list": "account", "written": "amount code"}
)
"""A deal has a currency of its own where the account has several."""
STAGES: Final = Step(
    "value_table",
    {
        "table": {
            "appointmentscheduled": "new",
            "qualifiedtobuy": "qualified",
            "presentationscheduled": "proposal",
            "decisionmakerboughtin": "decision",
            "contractsent": "contract",
            "closedwon": "won",
            "closedlost": "lost",
        },
        "strict": True,
    },
)


def pair(ours: str, theirs: str, *steps: Step) -> FieldRule:
    """Return a plain rule in both directions whose id is the name of our field."""
    return FieldRule(id=ours, ours=ours, theirs=theirs, steps=steps)


def reference(ours: str, other: str) -> FieldRule:
    """Return a rule that pairs a reference with associations to another object."""
    return FieldRule(id=ours, ours=ours, theirs=f"{ASSOCIATION}{other}")


OWNER: Final = FieldRule(
    id="owner", ours="owner", theirs="hubspot_owner_id", steps=(Step("owner"),)
)
"""People are paired by their e-mail address; whoever has no account on the other side is said."""

ADDRESS: Final = (
    pair("address", "address"),
    pair("city", "city"),
    pair("state", "state"),
    pair("postal_code", "zip"),
    pair("country", "country"),
)

COMPANIES: Final = DefaultMapping(
    PROVIDER,
    "companies",
    "company",
    10,
    (
        FieldRule(id="name", ours="name", theirs="name", required=True),
        pair("domain", "domain"),
        pair("website", "website"),
        pair("phone", "phone"),
        # HubSpot takes only its own list of industries, so ours is read and never sent.
        FieldRule(id="industry", ours="industry", theirs="industry", direction=Direction.FROM_CRM),
        *ADDRESS,
        pair("employees", "numberofemployees"),
        pair("annual_revenue", "annualrevenue", CURRENCY),
        pair("description", "description"),
        pair("lifecycle_stage", "lifecyclestage"),
        OWNER,
    ),
)

CONTACTS: Final = DefaultMapping(
    PROVIDER,
    "contacts",
    "contact",
    20,
    (
        pair("first_name", "firstname"),
        pair("last_name", "lastname"),
        pair("email", "email"),
        pair("phone", "phone"),
        pair("mobile", "mobilephone"),
        pair("job_title", "jobtitle"),
        reference("company", "companies"),
        pair("company_name", "company"),
        pair("website", "website"),
        *ADDRESS,
        pair("lifecycle_stage", "lifecyclestage"),
        OWNER,
    ),
)

DEALS: Final = DefaultMapping(
    PROVIDER,
    "deals",
    "deal",
    40,
    (
        FieldRule(id="name", ours="name", theirs="dealname", required=True),
        pair("amount", "amount_and_currency", DEAL_MONEY),
        FieldRule(
            id="stage", ours="stage", theirs="dealstage", steps=(STAGES,), policy=Policy.NEWEST_WINS
        ),
        FieldRule(id="pipeline", ours="pipeline", theirs="pipeline", default="default"),
        pair("close_date", "closedate"),
        reference("company", "companies"),
        reference("contact", "contacts"),
        pair("deal_type", "dealtype"),
        pair("description", "description"),
        OWNER,
    ),
)

HUBSPOT: Final = (COMPANIES, CONTACTS, DEALS)
