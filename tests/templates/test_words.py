"""Every word a page shows goes through the translations: none stands bare in a template."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, NavigableString, Tag
from bs4.element import PreformattedString

from tests.templates.test_rules import TEMPLATES, name

TRANSLATED = re.compile(r"{%-?\s*trans\b.*?{%-?\s*endtrans\s*-?%}", re.DOTALL)
CLASSES = re.compile(r"{%\s*block width\s*%}.*?{%\s*endblock\s*%}", re.DOTALL)
STATEMENT = re.compile(r"{%.*?%}|{#.*?#}", re.DOTALL)
VALUE = re.compile(r"{{.*?}}(#[a-z-]+)?", re.DOTALL)
BARE = re.compile(r"[A-Za-z]{2,}")
READ_ALOUD = ("aria-label", "title", "placeholder", "alt", "data-label", "aria-description")
NAMES = {"CRM", "Admin", "HubSpot", "CSV", "JSON", "Ctrl", "Enter", "Esc", "ms", "API"}
LITERAL = {"code", "kbd", "pre", "script", "style"}


def bare_words(markup: str) -> list[str]:
    """The words a person would read or hear that no translation knows of."""
    plain = VALUE.sub(" ", STATEMENT.sub(" ", CLASSES.sub("", TRANSLATED.sub(" ", markup))))
    page = BeautifulSoup(plain, "html.parser")
    found: list[str] = []
    for text in page.find_all(string=True):
        parent = text.parent.name if isinstance(text.parent, Tag) else ""
        if isinstance(text, PreformattedString) or parent in LITERAL:
            continue
        found.extend(_words(str(NavigableString(text))))
    for tag in page.find_all(True):
        for attribute in READ_ALOUD:
            found.extend(_words(str(tag.get(attribute, ""))))
    return found


def _words(text: str) -> list[str]:
    return [word for word in BARE.findall(text) if word not in NAMES]


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_word_goes_through_the_translations(path: Path) -> None:
    assert bare_words(path.read_text(encoding="utf-8")) == []
