"""Reads what changed by HubSpot's search: capped at 10,000 rows, late, not always in order.

A window of time is read by offsets. A window with too many rows is split by time; one of a second
that still has too many is read by growing ids. Where the count moved meanwhile, or the order was
broken, rows may have slipped from one page to another: the window is looked at again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

import orjson

from crm_admin.errors import ProviderBroken
from crm_admin.jsontypes import Json
from crm_admin.providers.base import Ask, RemoteRecord
from crm_admin.providers.hubspot.calls import Calls
from crm_admin.providers.hubspot.payloads import next_of, records_of, table
from crm_admin.providers.hubspot.spec import (
    MODIFIED,
    SEARCH,
    SEARCH_BODY,
    SEARCH_CAP,
    SEARCH_PAGE,
)

LOOKS = 3
FINEST_MS = 1000
SPLIT_TO = SEARCH_CAP // 2
MOST_PARTS = 64
ROOM_FOR_FILTERS = 700


@dataclass(frozen=True, slots=True)
class State:
    """Where a pass stands: windows still to read, the last of them being read."""

    windows: list[list[int]]
    after: int = 0
    above: int | None = None
    total: int = 0
    seen: int = 0
    last_id: int = 0
    look: int = 1
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One answer of a search."""

    records: tuple[RemoteRecord, ...]
    total: int
    after: int | None
    ids: tuple[int, ...] = field(default=())


def search_page(
    calls: Calls, ask: Ask, modified: str, cursor: str | None
) -> tuple[tuple[RemoteRecord, ...], str | None, int | None]:
    """Return the records of one page of a pass over what changed, the cursor of the next, and with
    the first one how many the whole pass has.
    """
    state = first_state(ask) if cursor is None else load(cursor)
    total: int | None = None
    while True:
        found = _search(calls, ask, modified, state)
        if cursor is None and total is None:
            total = found.total
        parts = _split(state, found)
        if parts is None:
            break
        state = parts
    return found.records, dump(_advance(state, found)), total


def first_state(ask: Ask) -> State:
    """Return the beginning of a pass over [since, until]."""
    if ask.since is None or ask.until is None:
        raise ValueError("a search needs both ends of its window")
    return State([[_ms(ask.since), _ms(ask.until) + 1]])


def dump(state: State | None) -> str | None:
    """Return a state as an opaque cursor."""
    return None if state is None else orjson.dumps(asdict(state)).decode()


def load(cursor: str) -> State:
    """Return the state of a cursor made by `dump`."""
    return State(**orjson.loads(cursor))


def fits(properties: Sequence[str]) -> bool:
    """Say whether these names fit into the body of a search beside its filters."""
    return sum(len(name.encode()) + 3 for name in properties) < SEARCH_BODY - ROOM_FOR_FILTERS


def _split(state: State, found: Found) -> State | None:
    """The window in parts when it holds too many rows, None when it can be read as it is."""
    low, high = state.windows[-1]
    if found.total < SEARCH_CAP or state.above is not None:
        return None
    if high - low <= FINEST_MS:
        return replace(state, above=0, after=0)
    parts = min(max(2, -(-found.total // SPLIT_TO)), MOST_PARTS, max(2, (high - low) // FINEST_MS))
    step = -(-(high - low + 1) // parts)
    windows = [[start, min(start + step - 1, high)] for start in range(low, high + 1, step)]
    return State([*state.windows[:-1], *reversed(windows)])


def _advance(state: State, found: Found) -> State | None:
    """The state after a page; None when the pass is complete."""
    ids = found.ids
    ordered = list(ids) == sorted(set(ids)) and (not ids or ids[0] > state.last_id)
    first = state.after == 0 and state.seen == 0
    moved = state.moved or not ordered
    if state.above is None and not first:
        moved = moved or found.total != state.total
    seen = state.seen + len(found.records)
    last_id = max((*ids, state.last_id))
    more = _more(state, found)
    if more is None:
        short = state.above is None and seen != found.total
        return _next_window(state, again=moved or short)
    if state.above is not None:
        return replace(state, above=last_id, seen=seen, last_id=last_id, moved=moved)
    return replace(state, after=more, total=found.total, seen=seen, last_id=last_id, moved=moved)


def _more(state: State, found: Found) -> int | None:
    """Where the window goes on, None at its end."""
    if state.above is not None:
        return 0 if len(found.records) >= SEARCH_PAGE else None
    if found.after is None or not found.records:
        return None
    if found.after <= state.after:
        raise ProviderBroken("HubSpot sent the same page of its search twice.")
    return found.after


def _next_window(state: State, *, again: bool) -> State | None:
    if again and state.look < LOOKS:
        return State(state.windows, look=state.look + 1, above=None)
    rest = state.windows[:-1]
    return State(rest) if rest else None


def _search(calls: Calls, ask: Ask, modified: str, state: State) -> Found:
    low, high = state.windows[-1]
    filters: list[Json] = [
        {
            "propertyName": modified,
            "operator": "BETWEEN",
            "value": str(low),
            "highValue": str(high),
        }
    ]
    if state.above is not None:
        filters.append(
            {"propertyName": "hs_object_id", "operator": "GT", "value": str(state.above)}
        )
    names = ask.properties if fits(ask.properties) else (MODIFIED,)
    body: dict[str, Json] = {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": list(names),
        "limit": SEARCH_PAGE,
        "after": str(state.after),
    }
    data = calls.ask(f"{calls.paths.objects}/{ask.object}/search", body, SEARCH)
    return _found(data, ask.object)


def _found(data: Json, object_name: str) -> Found:
    records = records_of(data, (), object_name)
    total = table(data).get("total")
    if not isinstance(total, int) or isinstance(total, bool):
        raise ProviderBroken("HubSpot's search does not say how much it found.")
    after = next_of(data)
    if after is not None and not (after.isascii() and after.isdigit() and len(after) < 10):
        raise ProviderBroken("HubSpot's search says where to go on in a form nobody knows.")
    ids = tuple(int(record.id) for record in records if record.id.isdecimal())
    return Found(records, total, None if after is None else int(after), ids)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
