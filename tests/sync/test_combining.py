"""What is proposed for a value that both sides changed, and which side is recommended."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_admin.jsontypes import Json
from crm_admin.records.kinds import Field, FieldType
from crm_admin.sync.advice import Clash, advise
from crm_admin.sync.combining import combine

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = {
    type_: Field("notes", "Notes", type_)
    for type_ in (FieldType.STRING, FieldType.TEXT, FieldType.ARRAY, FieldType.MONEY)
}


@pytest.mark.parametrize(
    ("type_", "base", "ours", "theirs", "made"),
    [
        (FieldType.ARRAY, ["a", "b"], ["a", "b", "c"], ["b", "d"], ["b", "c", "d"]),
        (FieldType.ARRAY, None, ["a"], ["b"], ["a", "b"]),
        (FieldType.ARRAY, ["a"], ["a", "b"], ["a", "b"], None),
        (FieldType.STRING, "Acme", "New Acme", "Acme Berlin", "New Acme Berlin"),
        (FieldType.STRING, "Acme", "Acme Paris", "Acme Berlin", None),
        (FieldType.STRING, "", "Acme", "Acme Berlin", None),
        (FieldType.TEXT, "one\ntwo", "zero\none\ntwo", "one\ntwo\nthree", "zero\none\ntwo\nthree"),
        (FieldType.TEXT, "one", "ours", "theirs", "ours\ntheirs"),
        (FieldType.TEXT, "one", "", "theirs", None),
        (FieldType.MONEY, "1", "2", "3", None),
    ],
)
def test_both_additions_are_kept_where_that_makes_sense(
    type_: FieldType, base: Json, ours: Json, theirs: Json, made: Json
) -> None:
    assert combine(NAMES[type_], base, ours, theirs) == made


@given(st.lists(st.sampled_from("abcdef")), st.lists(st.sampled_from("abcdef")))
def test_a_list_loses_nothing_that_a_side_added(ours: list[Json], theirs: list[Json]) -> None:
    made = combine(NAMES[FieldType.ARRAY], [], ours, theirs)

    if isinstance(made, list):
        assert set(made) == {*ours, *theirs}


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_text_gives_a_text_or_nothing(base: str, ours: str, theirs: str) -> None:
    for type_ in (FieldType.STRING, FieldType.TEXT):
        assert isinstance(combine(NAMES[type_], base, ours, theirs), str | None)


def clash(**values: object) -> Clash:
    whole = {
        "ours": "1",
        "theirs": "2",
        "combined": None,
        "ours_at": None,
        "ours_by": "Ana",
        "theirs_at": None,
        "connection": "HubSpot",
        "is_primary": False,
    }
    return Clash(**{**whole, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "choice", "words"),
    [
        ({"combined": ["a", "b"]}, "combine", "nothing is lost"),
        ({"theirs": None}, "ours", "HubSpot emptied"),
        ({"ours": ""}, "theirs", "CRM Admin emptied"),
        (
            {"ours_at": NOON, "theirs_at": NOON - timedelta(minutes=12)},
            "ours",
            "Ana changed it here 12 minutes after",
        ),
        ({"ours_at": NOON - timedelta(days=1), "theirs_at": NOON}, "theirs", "1 day after Ana"),
        (
            {"ours_at": NOON, "theirs_at": NOON, "is_primary": True},
            "theirs",
            "main CRM",
        ),
    ],
)
def test_the_recommended_choice_says_why(
    values: dict[str, object], choice: str, words: str
) -> None:
    found = advise(clash(**values))

    assert found is not None
    assert found.choice == choice
    assert words in found.why


def test_nothing_is_recommended_when_nothing_speaks_for_a_side() -> None:
    assert advise(clash()) is None
