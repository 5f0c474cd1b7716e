"""The methods and functions an expression may call; a result's size is checked before it is
built.
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.expressions.operations import (
    Run,
    as_text,
    bounded,
    equal,
    is_number,
    named,
    number,
    truthy,
)
from crm_admin.mapping.expressions.tokens import ExpressionError

Arguments = Sequence[Json]
Method = Callable[[Run, str, Arguments], Json]
ListMethod = Callable[[Run, Sequence[Json], Arguments], Json]


def _text_argument(arguments: Arguments, place: int, default: str | None = None) -> str:
    if place < len(arguments):
        return as_text(arguments[place])
    if default is None:
        raise ExpressionError("The method needs one more argument.")
    return default


def _whole(arguments: Arguments, place: int, default: int) -> int:
    if place >= len(arguments) or arguments[place] is None:
        return default
    return int(number(arguments[place]))


def _slice(_run: Run, value: str, arguments: Arguments) -> Json:
    return value[_whole(arguments, 0, 0) : _whole(arguments, 1, len(value))]


def _list_slice(_run: Run, value: Sequence[Json], arguments: Arguments) -> Json:
    return list(value)[_whole(arguments, 0, 0) : _whole(arguments, 1, len(value))]


def _substring(_run: Run, value: str, arguments: Arguments) -> Json:
    places = (_whole(arguments, 0, 0), _whole(arguments, 1, len(value)))
    start, end = sorted(max(0, min(len(value), place)) for place in places)
    return value[start:end]


def _replacer(*, every: bool) -> Method:
    def replace(run: Run, value: str, arguments: Arguments) -> Json:
        old, new = _text_argument(arguments, 0), _text_argument(arguments, 1)
        if any(special in new for special in ("$$", "$&", "$`", "$'")):
            raise ExpressionError("$ patterns in a replacement are not supported.")
        times = value.count(old) if every else min(1, value.count(old))
        run.spend(len(value) + times * max(0, len(new) - len(old)))
        return value.replace(old, new, times)

    return replace


def _split(run: Run, value: str, arguments: Arguments) -> Json:
    mark = _text_argument(arguments, 0)
    run.spend(len(value))
    parts = value.split(mark) if mark else list(value)
    most = _whole(arguments, 1, len(parts))
    return list(parts[: max(0, most)])


def _pad(*, front: bool) -> Method:
    def pad(run: Run, value: str, arguments: Arguments) -> Json:
        length, fill = _whole(arguments, 0, 0), _text_argument(arguments, 1, " ")
        missing = length - len(value)
        if missing <= 0 or not fill:
            return value
        run.spend(length)
        padding = (fill * (missing // len(fill) + 1))[:missing]
        return padding + value if front else value + padding

    return pad


def _repeat(run: Run, value: str, arguments: Arguments) -> Json:
    times = _whole(arguments, 0, 0)
    if times < 0:
        raise ExpressionError("A text cannot be repeated fewer than 0 times.")
    run.spend(len(value) * times)
    return value * times


def _concat(run: Run, value: str, arguments: Arguments) -> Json:
    parts = [as_text(one) for one in arguments]
    run.spend(len(value) + sum(len(part) for part in parts))
    return value + "".join(parts)


def _join(run: Run, value: Sequence[Json], arguments: Arguments) -> Json:
    mark = _text_argument(arguments, 0, ",")
    parts = ["" if one is None else as_text(one) for one in value]
    run.spend(sum(len(part) for part in parts) + len(mark) * max(0, len(parts) - 1))
    return mark.join(parts)


def _at(_run: Run, value: Sequence[Json], arguments: Arguments) -> Json:
    place = _whole(arguments, 0, 0)
    return value[place] if -len(value) <= place < len(value) else None


def _place(_run: Run, value: Sequence[Json], arguments: Arguments) -> Json:
    wanted = arguments[0] if arguments else None
    return next((place for place, one in enumerate(value) if equal(one, wanted)), -1)


TEXT_METHODS: Final[Mapping[str, Method]] = {
    "trim": lambda _run, value, _: value.strip(),
    "trimStart": lambda _run, value, _: value.lstrip(),
    "trimEnd": lambda _run, value, _: value.rstrip(),
    "toLowerCase": lambda _run, value, _: value.lower(),
    "toUpperCase": lambda _run, value, _: value.upper(),
    "toString": lambda _run, value, _: value,
    "replace": _replacer(every=False),
    "replaceAll": _replacer(every=True),
    "slice": _slice,
    "substring": _substring,
    "split": _split,
    "includes": lambda _run, value, given: _text_argument(given, 0) in value,
    "startsWith": lambda _run, value, given: value.startswith(_text_argument(given, 0)),
    "endsWith": lambda _run, value, given: value.endswith(_text_argument(given, 0)),
    "indexOf": lambda _run, value, given: value.find(_text_argument(given, 0)),
    "charAt": lambda _run, value, given: value[(place := max(0, _whole(given, 0, 0))) : place + 1],
    "at": _at,
    "padStart": _pad(front=True),
    "padEnd": _pad(front=False),
    "repeat": _repeat,
    "concat": _concat,
}
LIST_METHODS: Final[Mapping[str, ListMethod]] = {
    "join": _join,
    "slice": _list_slice,
    "at": _at,
    "includes": lambda run, value, given: _place(run, value, given) != -1,
    "indexOf": _place,
}


def call_method(run: Run, value: Json, name: str, arguments: Arguments) -> Json:
    """Call a method of the fixed table by the type of the value; everything else is refused."""
    run.spend(len(value) if isinstance(value, str | Sequence) else 0)
    if isinstance(value, str) and name in TEXT_METHODS:
        return TEXT_METHODS[name](run, value, arguments)
    if isinstance(value, Sequence) and not isinstance(value, str) and name in LIST_METHODS:
        return LIST_METHODS[name](run, value, arguments)
    if is_number(value) and name == "toString":
        return as_text(value)
    if is_number(value) and name == "toFixed":
        places = _whole(arguments, 0, 0)
        if not 0 <= places <= 20:
            raise ExpressionError("toFixed takes 0 to 20 decimals.")
        return f"{number(value):.{places}f}"
    raise ExpressionError(f"{named(value)} has no method {name[:40]}.")


def _to_number(value: Json) -> Json:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        try:
            return bounded(float(text)) if text else 0
        except ValueError as error:
            raise ExpressionError(f"“{text[:30]}” is not a number.") from error
    return 0 if value is None else number(value)


def _rounded(value: Json) -> Json:
    return floor(number(value) + 0.5)


FUNCTIONS: Final[Mapping[str, Callable[..., Json]]] = {
    "Number": _to_number,
    "String": as_text,
    "Boolean": truthy,
    "Math.round": _rounded,
    "Math.floor": lambda value: floor(number(value)),
    "Math.ceil": lambda value: ceil(number(value)),
    "Math.abs": lambda value: abs(number(value)),
}
