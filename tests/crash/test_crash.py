from collections.abc import Iterator

import pytest

from tests.crash.__main__ import play
from tests.crash.stage import Stage, stage

SCHEDULES = range(1, 9)


@pytest.fixture(scope="module")
def shared() -> Iterator[Stage]:
    with stage() as made:
        yield made


def test_schedules_of_kills_and_faults_leave_both_sides_right(shared: Stage) -> None:
    told = list(play(shared, SCHEDULES, lanes=4, shrink=False))

    assert {one["seed"]: one["violations"] for one in told if one["violations"]} == {}
    assert len(told) == len(SCHEDULES)
    assert all(one["kills"] >= 3 for one in told)


@pytest.mark.parametrize(
    ("variant", "invariant"),
    [("post-then-store", "was created 2 times"), ("newest-seen", "full run found more")],
)
def test_an_engine_known_to_be_wrong_is_caught(shared: Stage, variant: str, invariant: str) -> None:
    told = list(play(shared, range(1, 5), lanes=4, variant=variant, shrink=False))

    violations = [sentence for one in told for sentence in one["violations"]]
    assert any(invariant in sentence for sentence in violations), violations
