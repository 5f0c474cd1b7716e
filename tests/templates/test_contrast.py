"""The colours of the style sheet stay readable in both themes."""

import re
from pathlib import Path

import pytest

SHEET = Path(__file__).resolve().parents[2] / "crm_admin" / "static" / "app.css"
TOKEN = re.compile(r"--c-([a-z-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
COLOURS = {name: (light, dark) for name, light, dark in TOKEN.findall(SHEET.read_text())}
THEMES = {"light": 0, "dark": 1}

TEXT_PAIRS = [
    *[(text, ground) for text in ("text", "muted", "accent") for ground in ("canvas", "surface")],
    *[(tone, f"{tone}-bg") for tone in ("ok", "warn", "bad", "conflict", "neutral")],
    *[(tone, "surface") for tone in ("ok", "warn", "bad", "conflict", "neutral")],
    ("on-accent", "accent"),
    ("accent", "accent-bg"),
    ("text", "sunken"),
]


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_stands_out_from_its_ground(text: str, ground: str, theme: str) -> None:
    at = THEMES[theme]

    found = ratio(COLOURS[text][at], COLOURS[ground][at])

    assert found >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["canvas", "surface"])
def test_the_edge_of_a_control_can_be_seen(ground: str, theme: str) -> None:
    at = THEMES[theme]

    found = ratio(COLOURS["control"][at], COLOURS[ground][at])

    assert found >= 3.0
