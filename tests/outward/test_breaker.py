"""When a connection rests and who may try whether it is back."""

from crm_admin.outward.breaker import (
    FAILURES,
    FIRST_REST_SECONDS,
    LONGEST_REST_SECONDS,
    PROBE_SECONDS,
    Breaker,
    State,
    after_failure,
    after_success,
    before_call,
)


def failing(times: int, *, every: float, breaker: Breaker | None = None) -> Breaker:
    state = breaker or Breaker()
    for number in range(times):
        state = after_failure(state, number * every)
    return state


def test_nine_failures_in_a_minute_are_borne() -> None:
    assert failing(FAILURES - 1, every=1.0).state is State.CLOSED


def test_the_tenth_failure_in_a_minute_opens() -> None:
    breaker = failing(FAILURES, every=1.0)

    _, wait = before_call(breaker, FAILURES - 1.0)

    assert breaker.state is State.OPEN
    assert wait == FIRST_REST_SECONDS


def test_slow_failures_never_open() -> None:
    assert failing(100, every=7.0).state is State.CLOSED


def test_a_success_in_between_forgets_the_failures() -> None:
    breaker = after_success(failing(FAILURES - 1, every=1.0))

    assert after_failure(breaker, 10.0).state is State.CLOSED


def test_after_the_rest_one_probe_goes_out_and_others_wait() -> None:
    opened = failing(FAILURES, every=0.0)

    probing, wait_of_probe = before_call(opened, FIRST_REST_SECONDS)
    _, wait_of_others = before_call(probing, FIRST_REST_SECONDS + 1)

    assert probing.state is State.HALF_OPEN
    assert wait_of_probe == 0.0
    assert wait_of_others == PROBE_SECONDS - 1


def test_a_good_probe_closes() -> None:
    probing, _ = before_call(failing(FAILURES, every=0.0), FIRST_REST_SECONDS)

    assert after_success(probing) == Breaker()


def test_a_bad_probe_rests_longer_each_time_up_to_a_limit() -> None:
    breaker = failing(FAILURES, every=0.0)
    rests = []
    now = 0.0
    for _ in range(6):
        now = breaker.until
        breaker, _wait = before_call(breaker, now)
        breaker = after_failure(breaker, now)
        rests.append(breaker.until - now)

    assert rests == [60.0, 120.0, 240.0, *[LONGEST_REST_SECONDS] * 3]


def test_a_probe_that_never_reports_is_replaced() -> None:
    probing, _ = before_call(failing(FAILURES, every=0.0), FIRST_REST_SECONDS)

    _, wait = before_call(probing, FIRST_REST_SECONDS + PROBE_SECONDS)

    assert wait == 0.0


def test_late_failures_of_calls_under_way_do_not_prolong_the_rest() -> None:
    opened = failing(FAILURES, every=0.0)

    assert after_failure(opened, 5.0) == opened
