"""Every template keeps the rules that make pages safe, quick and usable without JavaScript."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

FOLDER = Path(__file__).resolve().parents[2] / "crm_admin" / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.html"))
FRAGMENTS = [path for path in TEMPLATES if path.name.startswith("_")]
JINJA = re.compile(r"{%.*?%}|{#.*?#}", re.DOTALL)
VALUES = re.compile(r"{{.*?}}", re.DOTALL)


def name(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def markup(path: Path) -> str:
    return JINJA.sub("", path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
@pytest.mark.parametrize(
    "forbidden",
    [r"\sstyle=", r"\son[a-z]+=", r"hx-on", r"hx-boost", r"\|\s*safe\b", r"javascript:", r"js:"],
)
def test_no_template_holds_anything_the_content_policy_or_escaping_would_have_to_forgive(
    path: Path, forbidden: str
) -> None:
    text = path.read_text()

    found = re.findall(forbidden, text)

    assert not found


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_scripts_are_files_never_text(path: Path) -> None:
    page = BeautifulSoup(markup(path), "html.parser")

    inline = [script for script in page.find_all("script") if not script.get("src")]

    assert not inline


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_htmx_request_names_its_target_and_swap(path: Path) -> None:
    page = BeautifulSoup(VALUES.sub("x", markup(path)), "html.parser")

    bare = [
        tag.name
        for tag in page.find_all(attrs={"hx-get": True}) + page.find_all(attrs={"hx-post": True})
        if not (tag.get("hx-target") and tag.get("hx-swap"))
    ]

    assert not bare


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_no_trigger_needs_eval(path: Path) -> None:
    triggers = re.findall(r'hx-trigger="([^"]*)"', VALUES.sub("", path.read_text()))

    assert not [trigger for trigger in triggers if "[" in trigger]


@pytest.mark.parametrize("path", FRAGMENTS, ids=name)
def test_a_fragment_has_one_root_with_an_id(path: Path) -> None:
    page = BeautifulSoup(VALUES.sub("x", markup(path)), "html.parser")

    roots = [child for child in page.children if isinstance(child, Tag)]

    assert [root.has_attr("id") for root in roots] == [True]


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_posting_form_carries_the_token(path: Path) -> None:
    text = path.read_text()

    forms = re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL)

    assert all("csrf_token" in form or "token()" in form for form in forms)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_icon_a_template_names_is_drawn(path: Path) -> None:
    drawn = set(re.findall(r'id="i-([a-z-]+)"', (FOLDER.parent / "static/icons.svg").read_text()))

    named = set(re.findall(r'icon\("([a-z-]+)"[,)]', path.read_text()))

    assert named <= drawn


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_pages_never_say_local_remote_or_are_you_sure(path: Path) -> None:
    words = VALUES.sub("", markup(path))
    text = BeautifulSoup(words, "html.parser").get_text(" ").lower()

    assert not re.search(r"\b(remote|upstream|are you sure|submit|please|invalid)\b", text)
