"""Which answers are sent compressed, and to whom."""

import gzip

import pytest
from flask import Flask

OWN = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}


def test_a_page_asked_for_by_our_own_pages_is_compressed(app: Flask) -> None:
    client = app.test_client()

    plain = client.get("/sign-in")
    packed = client.get("/sign-in", headers=OWN)

    assert plain.content_encoding is None
    assert packed.content_encoding == "gzip"
    assert b"Sign in" in gzip.decompress(packed.data)
    assert len(packed.data) < len(plain.data)


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept-Encoding": "gzip"},
        {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "cross-site"},
        {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-site"},
        {"Accept-Encoding": "br", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_other_sites_and_other_formats_get_pages_as_they_are(
    app: Flask, headers: dict[str, str]
) -> None:
    page = app.test_client().get("/sign-in", headers=headers)

    assert page.content_encoding is None
    assert b"Sign in" in page.data


def test_the_token_of_a_form_is_another_one_on_every_page(app: Flask) -> None:
    client = app.test_client()

    one, two = (client.get("/sign-in", headers=OWN).data for _ in range(2))

    tokens = {
        gzip.decompress(page).split(b'name="csrf_token" value="')[1][:60] for page in (one, two)
    }
    assert len(tokens) == 2
