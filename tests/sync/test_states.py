from enum import StrEnum

import pytest

from crm_admin.sync import states
from crm_admin.sync.states import (
    API_RUN_WORDS,
    LIVE_RUN_STATES,
    MOVES,
    RUN_WORDS,
    TERMINAL_RUN_STATES,
    ConflictState,
    EffectState,
    LinkStatus,
    OperationState,
    RunState,
    may_move,
    run_word,
    sources,
)


@pytest.mark.parametrize("enum", MOVES, ids=lambda enum: enum.__name__)
def test_every_state_of_a_column_has_its_line_in_the_table(enum: type[StrEnum]) -> None:
    table = MOVES[enum]

    assert set(table) == set(enum)


def test_every_run_state_has_words_for_pages_and_programs() -> None:
    assert set(RUN_WORDS) == set(API_RUN_WORDS) == set(RunState)


def test_a_run_is_live_over_or_a_plan() -> None:
    over_or_live = LIVE_RUN_STATES | TERMINAL_RUN_STATES

    assert set(RunState) - over_or_live == {RunState.PLANNED}
    assert not LIVE_RUN_STATES & TERMINAL_RUN_STATES


@pytest.mark.parametrize("state", sorted(TERMINAL_RUN_STATES))
def test_a_run_that_is_over_never_moves_again(state: RunState) -> None:
    assert not any(may_move(RunState, state, after) for after in RunState)


@pytest.mark.parametrize(
    ("enum", "before", "after", "allowed"),
    [
        (RunState, "queued", "running", True),
        (RunState, "queued", "succeeded", False),
        (RunState, "running", "planned", True),
        (RunState, "planned", "running", False),
        (RunState, "waiting", "succeeded", False),
        (OperationState, "planned", "done", True),
        (OperationState, "done", "planned", False),
        (OperationState, "undone", "done", True),
        (EffectState, "planned", "unknown", False),
        (LinkStatus, "remote_gone", "linked", True),
        (ConflictState, "superseded", "open", False),
        (ConflictState, "resolved", "open", True),
    ],
)
def test_only_listed_moves_are_allowed(
    enum: type[StrEnum], before: str, after: str, allowed: bool
) -> None:
    assert may_move(enum, before, after) is allowed


def test_the_sources_of_a_state_are_those_that_may_reach_it() -> None:
    assert sources(RunState, "waiting") == ("queued", "running")
    assert sources(ConflictState, "open") == ("resolved", "dismissed")


def test_an_undone_run_says_so_whatever_its_state() -> None:
    assert run_word("partial") == "Done with errors"
    assert run_word("partial", undone=True) == "Undone"


def test_state_words_are_lower_case_codes() -> None:
    enums = [value for value in vars(states).values() if isinstance(value, type)]
    codes = [code for enum in enums if issubclass(enum, StrEnum) for code in enum]

    assert all(code == code.lower() and " " not in code for code in codes)
