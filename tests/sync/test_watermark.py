from datetime import UTC, datetime, timedelta

import pytest

from crm_admin.sync.watermark import end_of_pass, overlap, start_of_pass

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lag", "declared", "seconds"),
    [(0, 0, 120), (60, 0, 120), (90, 0, 180), (10, 300, 300), (-5, -5, 120)],
)
def test_a_pass_reads_again_what_the_index_may_have_hidden(
    lag: float, declared: float, seconds: float
) -> None:
    assert overlap(lag, declared) == timedelta(seconds=seconds)


def test_a_pass_starts_before_the_watermark_or_at_the_beginning() -> None:
    assert start_of_pass(NOON, timedelta(minutes=2)) == NOON - timedelta(minutes=2)
    assert start_of_pass(None, timedelta(minutes=2)) is None


def test_the_watermark_is_the_start_of_the_pass_on_their_clock_less_the_lag() -> None:
    moved = end_of_pass(started=NOON, clock_offset_seconds=-30, index_lag_seconds=10)

    assert moved == NOON - timedelta(seconds=40)


def test_the_watermark_stays_within_what_the_crm_says_to_cover() -> None:
    covered = NOON - timedelta(hours=1)

    moved = end_of_pass(
        started=NOON, clock_offset_seconds=0, index_lag_seconds=0, covered_until=covered
    )

    assert moved == covered


def test_the_watermark_never_moves_back() -> None:
    moved = end_of_pass(
        started=NOON,
        clock_offset_seconds=-3600,
        index_lag_seconds=0,
        before=NOON - timedelta(minutes=1),
    )

    assert moved == NOON - timedelta(minutes=1)
