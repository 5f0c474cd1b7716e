"""Two spellings of one phone number are one value; different numbers are not."""

from dataclasses import replace

import pytest

from crm_admin.mapping.rules import Direction, FirstAgreement, Policy
from crm_admin.sync.merge import (
    Base,
    Inputs,
    RuleFacts,
    Verdict,
    from_json,
    inputs_json,
    merge_field,
)

FACTS = RuleFacts(
    "phone", Direction.BOTH, Policy.MANUAL, FirstAgreement.ASK, required=False, phone=True
)


@pytest.mark.parametrize(
    ("ours", "theirs", "country", "verdict"),
    [
        ("+351 912 345 678", "+351912345678", "", Verdict.AGREE),
        ("00351 912 345 678", "+351 (912) 345-678", "", Verdict.AGREE),
        ("912 345 678", "+351912345678", "Portugal", Verdict.AGREE),
        ("912 345 678", "+351912345678", "", Verdict.ASK),
        ("+351 912 345 678", "+351 912 345 679", "", Verdict.ASK),
        ("extension 12", "12", "", Verdict.ASK),
    ],
    ids=["grouped", "leading zeros", "national", "no country", "other number", "no number"],
)
def test_a_first_agreement_of_phone_numbers(
    ours: str, theirs: str, country: str, verdict: Verdict
) -> None:
    seen = Inputs(ours, theirs, country=country)

    assert merge_field(FACTS, seen, lambda v: v, lambda v: v).verdict is verdict
    facts, again = from_json(inputs_json(FACTS, seen))
    assert merge_field(facts, again, lambda v: v, lambda v: v).verdict is verdict


def test_a_number_that_is_only_spelled_anew_is_not_written() -> None:
    base = Base("+351912345678", "+351912345678")
    seen = Inputs("+351912345678", "+351 912 345 678", base)

    theirs = merge_field(FACTS, seen, lambda v: v, lambda v: v)
    ours = merge_field(
        FACTS, replace(seen, ours="+351 912 345 678", theirs="+351912345678"), *[lambda v: v] * 2
    )

    assert (theirs.verdict, ours.verdict) == (Verdict.AGREE, Verdict.AGREE)


def test_texts_that_are_no_phone_numbers_stay_texts() -> None:
    seen = Inputs("+351 912 345 678", "+351912345678")

    told = merge_field(replace(FACTS, phone=False), seen, lambda v: v, lambda v: v)

    assert told.verdict is Verdict.ASK
