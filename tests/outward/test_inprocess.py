"""The budget and breaker of a single process."""

import pytest

from crm_admin.outward.inprocess import LocalBreaker, LocalBudget, LocalCallLog
from crm_admin.outward.protocols import CallEntry, Rank, Seen


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def spend(budget: LocalBudget, rank: Rank, bucket: str = "") -> int:
    calls = 0
    while budget.take(1, rank, bucket) == 0.0:
        calls += 1
    return calls


def test_a_bucket_gives_what_it_holds_and_people_have_a_reserve(time: Time) -> None:
    budget = LocalBudget({"": (100, 10.0)}, clock=time)

    assert spend(budget, Rank.BULK) == 90
    assert spend(budget, Rank.PEOPLE) == 10


def test_a_bucket_fills_with_time_and_says_how_long(time: Time) -> None:
    budget = LocalBudget({"": (100, 10.0)}, clock=time)
    spend(budget, Rank.PEOPLE)

    wait = budget.take(1, Rank.PEOPLE)
    time.now += wait

    assert wait == pytest.approx(0.1)
    assert budget.take(1, Rank.PEOPLE) == 0.0


def test_a_bucket_of_few_calls_still_serves_bulk_work(time: Time) -> None:
    budget = LocalBudget({"search": (1, 1.0)}, clock=time)

    assert budget.take(1, Rank.BULK, "search") == 0.0


def test_what_remains_according_to_the_crm_counts(time: Time) -> None:
    budget = LocalBudget({"": (100, 10.0)}, clock=time)

    budget.learn(Seen("", limit=190, remaining=20, window_seconds=10.0))

    assert spend(budget, Rank.PEOPLE) == 20


def test_the_crm_never_gives_back_what_was_taken_meanwhile(time: Time) -> None:
    budget = LocalBudget({"": (100, 10.0)}, clock=time)
    spend(budget, Rank.PEOPLE)

    budget.learn(Seen("", limit=100, remaining=100, window_seconds=10.0))

    assert budget.take(1, Rank.PEOPLE) > 0


def test_a_refusal_blocks_its_bucket_for_everybody(time: Time) -> None:
    budget = LocalBudget({"": (100, 10.0), "search": (5, 1.0)}, clock=time)

    budget.learn(Seen("search", blocked_seconds=30.0))

    assert budget.take(1, Rank.PEOPLE, "search") == 30.0
    assert budget.take(1, Rank.BULK) == 0.0


def test_an_unknown_bucket_is_free_until_it_is_blocked(time: Time) -> None:
    budget = LocalBudget({}, clock=time)
    assert budget.take(1000, Rank.BULK, "new") == 0.0

    budget.learn(Seen("new", blocked_seconds=2.0))

    assert budget.take(1, Rank.BULK, "new") == 2.0


def test_the_breaker_opens_rests_and_closes(time: Time) -> None:
    breaker = LocalBreaker(clock=time)
    for _ in range(10):
        breaker.failed()
    rest = breaker.wait_seconds()
    time.now += rest

    probe = breaker.wait_seconds()
    breaker.succeeded()

    assert rest > 0
    assert probe == 0.0
    assert breaker.wait_seconds() == 0.0


def test_the_log_keeps_the_last_calls() -> None:
    log = LocalCallLog(keep=2)

    for path in ("/1", "/2", "/3"):
        log.record(CallEntry("GET", path, 200, 1.0, "", "", ""))

    assert [entry.path for entry in log.entries] == ["/2", "/3"]
