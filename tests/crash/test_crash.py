from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.__main__ import How, play
from tests.crash.conduct import conduct
from tests.crash.stage import Simulated, Stage, stage, template
from tests.crash.targets import TARGETS, plan_of
from tests.crash.workers import Hits

SCHEDULES = range(1, 9)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    with template() as made:
        yield made


@pytest.fixture(scope="module")
def lane(data: Path) -> Iterator[tuple[Stage, Simulated]]:
    with stage(data) as mine, closing(Simulated(mine.folder)) as crm, mine.app.app_context():
        yield mine, crm


def test_schedules_of_kills_and_faults_leave_both_sides_right(data: Path) -> None:
    told = list(play(data, SCHEDULES, How(lanes=4, shrink=False)))

    assert {one["seed"]: one["violations"] for one in told if one["violations"]} == {}
    assert len(told) == len(SCHEDULES)
    assert all(one["kills"] >= 3 for one in told)


@pytest.mark.parametrize("name", TARGETS)
def test_an_engine_known_to_be_wrong_is_caught_and_ours_is_not(
    lane: tuple[Stage, Simulated], name: str
) -> None:
    target = TARGETS[name]

    wrong = conduct(plan_of(target), *lane, Hits(), name, target.play).violations
    right = conduct(plan_of(target), *lane, Hits(), "", target.play).violations

    assert any(target.words in sentence for sentence in wrong), wrong
    assert right == []
