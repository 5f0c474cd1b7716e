"""HubSpot's search: late, capped at 10,000 results, one sort rule, five filter groups."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from crm_admin.simulators.hubspot.calls import Call
from crm_admin.simulators.hubspot.errors import ApiError, bad_request
from crm_admin.simulators.hubspot.schema import modified_name
from crm_admin.simulators.hubspot.shapes import CHANGED, CREATED, page_body, render, shape_of
from crm_admin.simulators.hubspot.values import epoch_ms
from crm_admin.simulators.row import Row
from crm_admin.simulators.rows import Table
from crm_admin.simulators.wire import Answer, as_int, as_list, as_map, as_text

MAX_PAGE: Final = 200
MAX_RESULTS: Final = 10_000
MAX_BODY: Final = 3_000
MAX_GROUPS: Final = 5
MAX_FILTERS: Final = 6
MAX_FILTERS_IN_ALL: Final = 18
EVER: Final = 1 << 60

Value = str | float | None
Test = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    name: str
    operator: str
    value: str
    high: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """`key` is equal for all pages of one query."""

    groups: tuple[tuple[Filter, ...], ...]
    sort: str
    descending: bool
    words: str
    after: int
    limit: int

    @property
    def key(self) -> tuple[object, ...]:
        return self.groups, self.sort, self.descending, self.words


def search(call: Call) -> Answer:
    """One page of what the index knows to match."""
    request = call.request
    given = request.json()
    if len(request.body) > MAX_BODY:
        raise bad_request(f"The request body must not be longer than {MAX_BODY} characters")
    table = call.portal.search_ready(call.object_name())
    query = parse(table, given)
    found = _matches(table, query)
    rows = found[query.after : query.after + query.limit]
    if call.account.settings.unordered_search:
        call.shuffler.shuffle(rows)
    shape = shape_of(table, [as_text(name) for name in as_list(given.get("properties"))])
    reached = query.after + query.limit
    after = str(reached) if reached < len(found) else None
    body = page_body([render(row, shape) for row in rows], after, "")
    return Answer(body=body[:-1] + b',"total":' + str(len(found)).encode() + b"}")


def parse(table: Table, given: dict[str, object]) -> Query:
    """The query of a body, or a refusal of what HubSpot does not take."""
    groups = tuple(
        _parse_group(table, as_map(group)) for group in as_list(given.get("filterGroups"))
    )
    _check_size(groups)
    sorts = as_list(given.get("sorts"))
    if len(sorts) > 1:
        raise bad_request("Only one sort rule is supported")
    sort, descending = _parse_sort(table, sorts[0]) if sorts else ("hs_object_id", False)
    limit = as_int(given.get("limit"), 10)
    after = as_int(given.get("after"), 0)
    if not 0 < limit <= MAX_PAGE:
        raise bad_request(f"limit must be between 1 and {MAX_PAGE}")
    if after < 0 or after + limit > MAX_RESULTS:
        raise bad_request(f"The after cursor plus the limit must not pass {MAX_RESULTS} results")
    return Query(groups, sort, descending, as_text(given.get("query")).casefold(), after, limit)


def _check_size(groups: Sequence[tuple[Filter, ...]]) -> None:
    sizes = [len(group) for group in groups]
    if (
        len(sizes) > MAX_GROUPS
        or max(sizes, default=0) > MAX_FILTERS
        or sum(sizes) > MAX_FILTERS_IN_ALL
    ):
        text = f"At most {MAX_GROUPS} groups of {MAX_FILTERS} filters, {MAX_FILTERS_IN_ALL} in all"
        raise bad_request(text)


def _parse_group(table: Table, group: dict[str, object]) -> tuple[Filter, ...]:
    return tuple(_parse_filter(table, as_map(each)) for each in as_list(group.get("filters")))


def _parse_filter(table: Table, given: dict[str, object]) -> Filter:
    name = as_text(given.get("propertyName"))
    operator = as_text(given.get("operator"))
    _check_name(table, name)
    if operator not in OPERATORS:
        raise bad_request(f"Invalid operator: {operator}")
    values = tuple(as_text(each) for each in as_list(given.get("values")))
    value, high = as_text(given.get("value")), as_text(given.get("highValue"))
    wanting = {"BETWEEN": bool(value and high), "IN": bool(values), "NOT_IN": bool(values)}
    plain = operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY") or bool(value)
    if not wanting.get(operator, plain):
        raise bad_request(f"Operator {operator} of {name} lacks its value")
    return Filter(name, operator, value, high, values)


def _parse_sort(table: Table, given: object) -> tuple[str, bool]:
    if isinstance(given, str):
        name, descending = given.lstrip("-"), given.startswith("-")
    else:
        name = as_text(as_map(given).get("propertyName"))
        descending = as_map(given).get("direction") == "DESCENDING"
    _check_name(table, name)
    return name, descending


def _check_name(table: Table, name: str) -> None:
    known = table.definitions.get(name)
    if known is None or known.archived:
        text = f'There was a problem with the request: property "{name}" does not exist'
        raise ApiError(400, "VALIDATION_ERROR", text)


def _matches(table: Table, query: Query) -> list[Row]:
    """All matching records in the asked order; remembered, because the next page asks the same."""
    key = (table.index.version, query.key)
    if table.last_search is not None and table.last_search[0] == key:
        return table.last_search[1]
    if query.groups:
        found = {row.id: row for group in query.groups for row in _group_matches(table, group)}
    else:
        found = table.index.docs
    rows: Iterable[Row] = found.values()
    if query.words:
        rows = [row for row in rows if _has_words(row, query.words)]
    ordered = sorted(rows, key=_sort_key(table, query.sort), reverse=query.descending)
    table.last_search = (key, ordered)
    return ordered


def _group_matches(table: Table, group: tuple[Filter, ...]) -> Iterable[Row]:
    tests = [_test(table, each) for each in group]
    low, high = _window(table, group)
    windowed = (low, high) != (0, EVER)
    rows = table.index.changed_between(low, high) if windowed else table.index.docs.values()
    return [row for row in rows if all(test(row) for test in tests)]


def _window(table: Table, group: tuple[Filter, ...]) -> tuple[int, int]:
    """The narrowest span of modification that holds every match."""
    low, high = 0, EVER
    for each in group:
        if each.name != modified_name(table.name):
            continue
        value = epoch_ms(each.value)
        if value is None:
            continue
        if each.operator in ("GTE", "GT", "EQ", "BETWEEN"):
            low = max(low, value)
        if each.operator in ("LTE", "LT", "EQ"):
            high = min(high, value)
        if each.operator == "BETWEEN":
            high = min(high, epoch_ms(each.high) or EVER)
    return low, high


def _reader(table: Table, name: str) -> Callable[[Row], Value]:
    if name in CREATED:
        return lambda row: row.created
    if name in CHANGED:
        return lambda row: row.updated
    if name == "hs_object_id":
        return lambda row: row.id
    convert = _converter(table, name)
    return lambda row: convert(row.props.get(name))


def _converter(table: Table, name: str) -> Callable[[str | None], Value]:
    kind = table.definitions[name].type
    if kind in ("date", "datetime"):
        return lambda text: epoch_ms(text) if text else None
    if kind == "number":
        return _as_number
    return lambda text: text.casefold() if text else None


def _as_number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _test(table: Table, given: Filter) -> Test:
    read, convert = _reader(table, given.name), _converter(table, given.name)
    return OPERATORS[given.operator](read, convert, given)


Build = Callable[[Callable[[Row], Value], Callable[[str | None], Value], Filter], Test]


def _one_of(
    read: Callable[[Row], Value], convert: Callable[[str | None], Value], given: Filter
) -> Test:
    wanted = {convert(value) for value in given.values or (given.value,)} - {None}
    return lambda row: read(row) in wanted


def _none_of(
    read: Callable[[Row], Value], convert: Callable[[str | None], Value], given: Filter
) -> Test:
    found = _one_of(read, convert, given)
    return lambda row: not found(row)


def _span(
    read: Callable[[Row], Value], convert: Callable[[str | None], Value], given: Filter
) -> Test:
    low, high = convert(given.value), convert(given.high or given.value)
    operator = given.operator
    return lambda row: _within(operator, read(row), low, high)


def _within(operator: str, value: Value, low: Value, high: Value) -> bool:
    if value is None or low is None or high is None:
        return False
    if isinstance(value, str) or isinstance(low, str) or isinstance(high, str):
        value, low, high = str(value), str(low), str(high)
    return COMPARISONS[operator](value, low, high)


COMPARISONS: Final[dict[str, Callable[..., bool]]] = {
    "LT": lambda value, low, _high: value < low,
    "LTE": lambda value, low, _high: value <= low,
    "GT": lambda value, low, _high: value > low,
    "GTE": lambda value, low, _high: value >= low,
    "BETWEEN": lambda value, low, high: low <= value <= high,
}


def _has(read: Callable[[Row], Value], _convert: object, given: Filter) -> Test:
    present = given.operator == "HAS_PROPERTY"
    return lambda row: (read(row) is not None) == present


def _token(read: Callable[[Row], Value], _convert: object, given: Filter) -> Test:
    parts = [re.escape(part) for part in given.value.casefold().split("*")]
    pattern = re.compile(r"(?:^|(?<=\W))" + ".*".join(parts) + r"(?:$|(?=\W))")
    wanted = given.operator == "CONTAINS_TOKEN"
    return lambda row: bool(pattern.search(str(read(row) or ""))) == wanted


OPERATORS: Final[dict[str, Build]] = {
    "EQ": _one_of,
    "IN": _one_of,
    "NEQ": _none_of,
    "NOT_IN": _none_of,
    "HAS_PROPERTY": _has,
    "NOT_HAS_PROPERTY": _has,
    "CONTAINS_TOKEN": _token,
    "NOT_CONTAINS_TOKEN": _token,
    **dict.fromkeys(COMPARISONS, _span),
}


def _has_words(row: Row, words: str) -> bool:
    return any(words in value.casefold() for value in row.props.values())


def _sort_key(table: Table, name: str) -> Callable[[Row], tuple[bool, float, str, int]]:
    read = _reader(table, name)

    def key(row: Row) -> tuple[bool, float, str, int]:
        value = read(row)
        if isinstance(value, str):
            return False, 0.0, value, row.id
        return value is None, value or 0.0, "", row.id

    return key
