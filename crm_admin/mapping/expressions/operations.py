"""What values can do in an expression: operators, members and texts, each bounded."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.expressions.tokens import ExpressionError

LONGEST_RESULT: Final = 100_000
MOST_WORK: Final = 1_000_000
LARGEST_NUMBER: Final = 1e15


class Run:
    """One evaluation: the parameter's value and how much text it may still make."""

    __slots__ = ("left", "value")

    def __init__(self, value: Json) -> None:
        self.value = value
        self.left = MOST_WORK

    def spend(self, size: int) -> None:
        """Count the size of a result before it is built."""
        self.left -= size + 1
        if size > LONGEST_RESULT or self.left < 0:
            raise ExpressionError("The expression makes too long a text.")


def truthy(value: Json) -> bool:
    """Return whether JavaScript takes a value for true: empty lists and objects are."""
    if isinstance(value, str | int | float):
        return bool(value)
    return value is not None


def is_number(value: Json) -> bool:
    """Return whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: Json) -> int | float:
    """Return a value that arithmetic may use."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExpressionError(f"{named(value)} is not a number. Write Number(…) around it.")
    return bounded(value)


def bounded(value: int | float) -> int | float:
    """Return a number that is finite and not too large; whole ones without a point."""
    if not isfinite(value) or abs(value) >= LARGEST_NUMBER:
        raise ExpressionError("The number is too large.")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def as_text(value: Json) -> str:
    """Return a scalar as text; null is refused, because it would write the word null into a
    record.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(bounded(value))
    raise ExpressionError(
        f"{named(value)} cannot be written as text. Use ?? '' where it may be blank."
    )


def named(value: Json) -> str:
    """Return how a refusal speaks of a value."""
    if value is None:
        return "A blank value"
    if isinstance(value, str):
        return f"“{value[:30]}”"
    return "An object" if isinstance(value, Mapping) else "This value"


def equal(a: Json, b: Json) -> bool:
    """Return whether two values are equal without conversion."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if is_number(a) and is_number(b):
        return a == b
    return type(a) is type(b) and a == b


def add(run: Run, a: Json, b: Json) -> Json:
    """Add numbers, or join texts when either side is one."""
    if is_number(a) and is_number(b):
        return bounded(number(a) + number(b))
    one, other = as_text(a), as_text(b)
    run.spend(len(one) + len(other))
    return one + other


def arithmetic(mark: str, a: Json, b: Json) -> Json:
    """Subtract, multiply, divide or take the remainder as JavaScript does."""
    one, other = number(a), number(b)
    if mark == "-":
        return bounded(one - other)
    if mark == "*":
        return bounded(one * other)
    if other == 0:
        raise ExpressionError("The expression divides by 0.")
    if mark == "/":
        return bounded(one / other)
    rest = abs(one) % abs(other)
    return bounded(-rest if one < 0 else rest)


def compare(mark: str, a: Json, b: Json) -> bool:
    """Compare two numbers or two texts."""
    if isinstance(a, str) and isinstance(b, str):
        order = (a > b) - (a < b)
    else:
        one, other = number(a), number(b)
        order = (one > other) - (one < other)
    return {"<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[mark]


def member(value: Json, name: Json) -> Json:
    """Return a key of an object, a place of a list or text, or its length; nothing of Python's
    own.
    """
    if isinstance(value, Mapping):
        return value.get(name) if isinstance(name, str) else None
    if isinstance(value, str | Sequence):
        if name == "length":
            return len(value)
        if is_number(name):
            place = number(name)
            return value[place] if isinstance(place, int) and 0 <= place < len(value) else None
    raise ExpressionError(f"{named(value)} has no {as_text(name)[:40]}.")
