import pytest

from crm_admin.sync.guard import Limits, Totals, verdict


@pytest.mark.parametrize(
    ("totals", "linked", "ok"),
    [
        (Totals(), 0, True),
        (Totals(deletes=20), 0, True),
        (Totals(deletes=21), 0, False),
        (Totals(deletes=10, blanks=11), 100, False),
        (Totals(deletes=50), 1_000, True),
        (Totals(blanks=51), 1_000, False),
        (Totals(deletes=500), 1_000_000, True),
        (Totals(deletes=501), 1_000_000, False),
        (Totals(creates=200), 0, True),
        (Totals(creates=201), 0, False),
        (Totals(creates=300), 1_000, True),
        (Totals(creates=301), 1_000, False),
        (Totals(read=0), 20, True),
        (Totals(read=0), 21, False),
        (Totals(read=1), 21, True),
        (Totals(read=None), 21, True),
    ],
)
def test_a_pass_goes_on_up_to_its_limits(totals: Totals, linked: int, ok: bool) -> None:
    assert verdict(totals, linked).ok is ok


def test_a_refusal_says_what_was_found_and_what_is_allowed() -> None:
    refused = verdict(Totals(deletes=1, blanks=1_200), linked=1_000)

    assert refused.sentence == (
        "1 delete and 1,200 emptied fields would be more than the 50 allowed"
        " beside 1,000 linked records."
    )


def test_a_connection_may_have_its_own_limits() -> None:
    limits = Limits.of({"deletes_floor": 0, "deletes_share": 0.5, "creates_floor": 5})

    assert verdict(Totals(deletes=5), 10, limits).ok
    assert not verdict(Totals(deletes=6), 10, limits).ok
    assert not verdict(Totals(creates=6), 10, limits).ok


def test_limits_that_are_no_amounts_leave_the_usual_ones() -> None:
    stored = {"deletes_floor": -1, "creates_floor": "many", "deletes_most": True, "other": 1}

    assert Limits.of(stored) == Limits.of(None) == Limits()
