import re

import pytest
from bs4 import BeautifulSoup, Tag

from tests.architecture import files

JINJA = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
VALUE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
UNSAFE = re.compile(r"\|\s*safe\b|\bMarkup\(|autoescape\s+false")
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "an inline handler": re.compile(r"\son[a-z]+\s*=", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    "hx-on": re.compile(r"\shx-on[:\-=]", re.IGNORECASE),
    "a trigger filter": re.compile(r"hx-trigger=\"[^\"]*\["),
}
VERBS = ("hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete")
HELD = pytest.mark.parametrize("path", files.templates(), ids=files.name)


def markup(path):
    """The template with its statements taken out, so that attributes can be read."""
    return VALUE.sub("x", JINJA.sub(" ", path.read_text(encoding="utf-8")))


@HELD
def test_a_template_keeps_the_content_policy(path):
    text = markup(path)

    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []


@HELD
def test_a_template_escapes_everything(path):
    assert UNSAFE.findall(path.read_text(encoding="utf-8")) == []


@HELD
def test_a_request_says_where_its_answer_goes(path):
    soup = BeautifulSoup(markup(path), "html.parser")

    bare = [
        str(tag)[:120]
        for tag in soup.find_all(True)
        if isinstance(tag, Tag)
        and any(tag.has_attr(verb) for verb in VERBS)
        and not (tag.has_attr("hx-target") and tag.has_attr("hx-swap"))
    ]

    assert bare == []


@pytest.mark.parametrize(
    "path", [path for path in files.templates() if path.name.startswith("_")], ids=files.name
)
def test_a_fragment_is_no_page(path):
    text = path.read_text(encoding="utf-8")

    assert "<html" not in text
    assert "{% extends" not in text
