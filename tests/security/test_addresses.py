"""Where a sign-in may lead: to a path of this site and nowhere else."""

import pytest

from crm_admin.security.addresses import local_path

REFUSED = [
    "",
    "home",
    "https://evil.example",
    "HTTPS://evil.example/",
    "http:evil.example",
    "http:/evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nLocation: https://evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/%2f/evil.example",
    "/%2F%2Fevil.example",
    "/%5cevil.example",
    "/%5C%5Cevil.example",
    "/%252f%252fevil.example",
    "/%09/evil.example",
    "/%0d%0aSet-Cookie:x=1",
    "/%00",
    "/a//evil.example",
    "/..//evil.example",
    "/../../etc",
    "/a/%2e%2e/b",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "mailto:a@b.example",
    "@evil.example",
    ":80//evil.example",
    "?next=/",
    "#top",
    "/a#//evil.example",
    "/\uff0fevil.example",
    "/\u2044\u2215\uff3cevil.example",
    "/\u200bevil",
    "/\u2028/evil",
    "/\u00a0/evil",
    "/\x00/evil",
    "/" + "a" * 3000,
]


@pytest.mark.parametrize("text", REFUSED)
def test_everything_that_could_lead_away_becomes_the_default(text: str) -> None:
    assert local_path(text, "/home") == "/home"


def test_nothing_at_all_becomes_the_default() -> None:
    assert local_path(None) == "/"


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "/sync/runs/3f2a91c4",
        "/records/contact?page=2&q=m%C3%BCller",
        "/records/contact?q=a//b",
        "/povs/1?back=https://crm.example/x",
        "/überblick",
        "/a-b_c.d~e",
    ],
)
def test_plain_paths_of_this_site_are_kept(text: str) -> None:
    assert local_path(text, "/home") == text
