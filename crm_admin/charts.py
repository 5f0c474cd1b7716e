"""Geometry of small charts drawn as SVG by templates: numbers in, rectangles out."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle in the chart's own units, with the number it stands for."""

    x: float
    y: float
    width: float
    height: float
    value: float


def bars(
    values: Sequence[float],
    *,
    width: float = 1000,
    height: float = 100,
    gap: float = 0.25,
    top: float | None = None,
) -> tuple[Bar, ...]:
    """Return a bar per value on a common base line; the largest fills the height, any value above
    nothing stays visible. `top` gives two rows of bars one scale.
    """
    if not values:
        return ()
    most = max(top or 0, *values, 0)
    step = width / len(values)
    return tuple(
        _bar(place * step + step * gap / 2, step * (1 - gap), value, most, height)
        for place, value in enumerate(values)
    )


def _bar(x: float, width: float, value: float, most: float, height: float) -> Bar:
    tall = max(height * value / most, height * 0.02) if value > 0 and most else 0.0
    return Bar(round(x, 2), round(height - tall, 2), round(width, 2), round(tall, 2), value)
