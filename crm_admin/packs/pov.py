"""Proofs of value: what a customer tries before buying, kept in step with the deal in the CRM."""

from typing import Final

from crm_admin.mapping.rules import ASSOCIATION, Direction, FieldRule, FirstAgreement, Policy, Step
from crm_admin.packs.base import DefaultMapping, Pack
from crm_admin.packs.crm_hubspot import DEAL_MONEY
from crm_admin.records.kinds import (
    Field,
    FieldType,
    KeyRule,
    KeyType,
    Option,
    Promoted,
    RecordKind,
)

STAGES: Final = (
    Option("planned", "Planned"),
    Option("running", "Running"),
    Option("evaluation", "Evaluation"),
    Option("won", "Won"),
    Option("lost", "Lost"),
)
STATUSES: Final = (
    Option("on_track", "On track"),
    Option("at_risk", "At risk"),
    Option("on_hold", "On hold"),
    Option("closed", "Closed"),
)
PIPELINE: Final = "pov"
"""The pipeline of a CRM whose deals are POVs."""

POV_KIND: Final = RecordKind(
    "pov",
    "POV",
    "POVs",
    (
        Field("title", "Opportunity name", FieldType.STRING, required=True),
        Field("deal_id", "Deal ID", FieldType.STRING, help="The id of the deal in the CRM."),
        Field("revenue", "Revenue", FieldType.MONEY),
        Field("forecast_date", "Forecast date", FieldType.DATE),
        Field("customer", "Customer", FieldType.REFERENCE, target="company"),
        Field("partner", "Partner", FieldType.STRING),
        Field("owner", "Owner", FieldType.STRING, help="The person who leads this POV."),
        Field("stage", "Stage", FieldType.ENUM, options=STAGES),
        Field("status", "Status", FieldType.ENUM, options=STATUSES),
        Field("pipeline", "Pipeline", FieldType.STRING),
        Field("notes", "Notes", FieldType.TEXT),
    ),
    (
        KeyRule(KeyType.EXACT, ("deal_id",), strong=True),
        KeyRule(KeyType.NAME, ("title",)),
    ),
    Promoted(("title",), "stage", "owner", "revenue", "forecast_date"),
)

# Money and stage of a POV are what people are asked about, so nobody's edit wins by itself.
HUBSPOT_DEALS: Final = DefaultMapping(
    "hubspot",
    "deals",
    "pov",
    30,
    (
        FieldRule(id="title", ours="title", theirs="dealname", required=True),
        FieldRule(
            id="deal_id",
            ours="deal_id",
            theirs="hs_object_id",
            direction=Direction.FROM_CRM,
            first_agreement=FirstAgreement.THEIRS,
        ),
        FieldRule(
            id="revenue",
            ours="revenue",
            theirs="amount_and_currency",
            steps=(DEAL_MONEY,),
            policy=Policy.MANUAL,
        ),
        FieldRule(id="forecast_date", ours="forecast_date", theirs="closedate"),
        FieldRule(id="customer", ours="customer", theirs=f"{ASSOCIATION}companies"),
        FieldRule(id="stage", ours="stage", theirs="dealstage", policy=Policy.MANUAL),
        FieldRule(id="pipeline", ours="pipeline", theirs="pipeline", default=PIPELINE),
        FieldRule(id="notes", ours="notes", theirs="description"),
        FieldRule(id="owner", ours="owner", theirs="hubspot_owner_id", steps=(Step("owner"),)),
    ),
    filter=({"property": "pipeline", "operator": "EQ", "value": PIPELINE},),
    optional=(
        FieldRule(id="partner", ours="partner", theirs="pov_partner"),
        FieldRule(id="partner", ours="partner", theirs="partner"),
        FieldRule(id="status", ours="status", theirs="pov_status"),
    ),
)

POV: Final = Pack(
    "pov",
    "Proofs of value",
    kinds=(POV_KIND,),
    mappings=(HUBSPOT_DEALS,),
    wording={"empty": "No POV yet. Import a list, or connect a CRM that has a pipeline for them."},
)
