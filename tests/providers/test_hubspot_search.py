"""Passes over changes on a search index whose stamps a real clock would not produce."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import cast

import pytest

from crm_admin.errors import ProviderBroken
from crm_admin.jsontypes import Json
from crm_admin.providers.base import Ask
from crm_admin.providers.hubspot.calls import Calls
from crm_admin.providers.hubspot.searching import load, search_page
from crm_admin.providers.hubspot.spec import DATED, PATHS

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
HOUR = Ask("contacts", ("email",), since=START, until=START + timedelta(hours=1))


class Index:
    """Answers searches as HubSpot describes them: 10,000 rows at most, 200 a page, growing ids."""

    paths = PATHS[DATED]

    def __init__(self, stamps: Mapping[int, int]) -> None:
        self.stamps = dict(stamps)
        self.calls = 0

    def ask(self, _path: str, body: Mapping[str, Json], _bucket: str = "") -> Json:
        self.calls += 1
        window, *above = _filters(body)
        low, high = int(window["value"]), int(window["highValue"])
        least = int(above[0]["value"]) if above else -1
        found = sorted(one for one, at in self.stamps.items() if low <= at <= high and one > least)
        after, limit = int(cast(str, body["after"])), cast(int, body["limit"])
        assert after + limit <= 10_000
        page = found[after : after + limit]
        data: dict[str, Json] = {
            "total": len(found),
            "results": [{"id": str(one), "properties": {}} for one in page],
        }
        if after + limit < len(found):
            data["paging"] = {"next": {"after": str(after + limit)}}
        return data


def _filters(body: Mapping[str, Json]) -> list[dict[str, str]]:
    groups = cast(Sequence[Mapping[str, Json]], body["filterGroups"])
    return cast(list[dict[str, str]], groups[0]["filters"])


def read(index: Index, most_pages: int = 2000) -> list[str]:
    ids: list[str] = []
    cursor = None
    for _ in range(most_pages):
        records, cursor, _ = search_page(cast(Calls, index), HOUR, "lastmodifieddate", cursor)
        ids += [record.id for record in records]
        if cursor is None:
            return ids
    raise AssertionError("the pass never ends")


def test_a_bulk_job_that_stamped_thirty_thousand_records_alike_is_read_by_ids() -> None:
    index = Index(dict.fromkeys(range(1, 30001), START_MS + 5000))

    ids = read(index)

    assert sorted(map(int, ids)) == list(range(1, 30_001))
    assert index.calls < 220


@pytest.mark.parametrize("seed", range(5))
def test_any_crowd_of_stamps_is_read_completely(seed: int) -> None:
    random = Random(seed)
    bursts = [START_MS + random.randrange(3_600_000) for _ in range(4)]
    stamps = {
        number: random.choice(bursts)
        if random.random() < 0.8
        else START_MS + random.randrange(3_600_000)
        for number in range(1, 25_000)
    }

    ids = read(Index(stamps))

    assert len(ids) == len(set(ids)) == len(stamps)


def test_both_ends_of_the_window_belong_to_it() -> None:
    index = Index({1: START_MS, 2: START_MS + 3_600_000, 3: START_MS - 1})

    assert read(index) == ["1", "2"]


def test_exactly_ten_thousand_rows_are_not_cut_off() -> None:
    index = Index({number: START_MS + number for number in range(1, 10_001)})

    assert len(set(read(index))) == 10_000


def test_a_pass_can_go_on_in_another_process() -> None:
    index = Index({number: START_MS + number for number in range(1, 1001)})

    _, cursor, _ = search_page(cast(Calls, index), HOUR, "lastmodifieddate", None)

    assert cursor is not None
    assert load(cursor).after == 200


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"results": []}, id="no total"),
        pytest.param({"results": [], "total": "7"}, id="total as text"),
        pytest.param({"total": 0}, id="no results"),
        pytest.param([], id="a list"),
        pytest.param(None, id="null"),
        pytest.param({"results": [1], "total": 1}, id="no record"),
        pytest.param({"results": [{"id": "", "properties": {}}], "total": 1}, id="no id"),
        pytest.param({"results": [{"id": "1"}], "total": 1}, id="no properties"),
        pytest.param(
            {"results": [], "total": 1, "paging": {"next": {"after": "soon"}}}, id="odd cursor"
        ),
    ],
)
def test_a_senseless_answer_ends_the_pass(data: Json) -> None:
    class Senseless(Index):
        def ask(self, _path: str, _body: Mapping[str, Json], _bucket: str = "") -> Json:
            return data

    with pytest.raises(ProviderBroken):
        read(Senseless({}))
