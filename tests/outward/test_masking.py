"""What must never reach a log."""

import pytest

from crm_admin.outward.masking import HIDDEN, Masker, one_line

SECRET = "s3cr3t/with+odd=signs"
MASK = Masker([SECRET, "short"])


@pytest.mark.parametrize(
    ("text", "canary"),
    [
        (f"it was {SECRET}!", SECRET),
        ("next=s3cr3t%2Fwith%2Bodd%3Dsigns&x=1", "s3cr3t"),
        ("Authorization: Bearer abcDEF123456", "abcDEF123456"),
        ("bearer abcDEF123456.xyz-_~", "abcDEF123456"),
        ("Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ('{"access_token":"canary-1","x":1}', "canary-1"),
        ('{"refreshToken" : "canary-1"}', "canary-1"),
        ('{"client_secret":"can\\"ary-1"}', "ary-1"),
        ('{"password":"canary-1', "canary-1"),
        ('{"api_key":["canary-1","canary-2"]}', "canary-2"),
        ('{"pin_code_token":12345}', "12345"),
        ("code=canary-1&state=x", "canary-1"),
        ("/cb?state=x&code=canary-1", "canary-1"),
        ("grant_type=refresh_token&refresh_token=canary-1", "canary-1"),
        ("client_secret=canary-1\nhost", "canary-1"),
        ("X-Api-Key: canary-1\nHost: x", "canary-1"),
        ("Set-Cookie: sid=canary-1; Path=/", "canary-1"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIi"),
        ("token pat-na1-0123abcd-0123-4567", "0123abcd"),
        ("https://user:canary-1@host/", "canary-1"),
        ("write to ann.lee+x@mail.example.com now", "ann.lee"),
        ("write to ann@mail.example.com now", "mail.example.com"),
        ("call +44 20 7946 0958", "7946"),
        ("call +49 (0)30 123456", "123456"),
        ("call 0041446681800", "6681800"),
        ("call (030) 123456", "123456"),
        ("call 555-123-4567", "4567"),
    ],
)
def test_secrets_and_personal_data_are_masked(text: str, canary: str) -> None:
    masked = MASK(text)

    assert canary not in masked
    assert HIDDEN in masked


@pytest.mark.parametrize(
    "text",
    [
        '{"id":"3001","updatedAt":"2026-11-20T10:00:00.123Z","total":12345678}',
        "/crm/v3/objects/contacts?limit=100&after=101&properties=firstname,phone",
        "uuid 6f18f21e-1234-4abc-8def-123456789012 at 1700000000000",
        "Property values were not valid",
        "2026-11-20 10:00:00",
    ],
)
def test_ids_times_and_names_of_fields_stay(text: str) -> None:
    assert MASK(text) == text


def test_a_short_secret_is_not_looked_for_everywhere() -> None:
    assert MASK("a short text") == "a short text"


def test_lines_cannot_be_faked() -> None:
    masked = MASK("first\r\nsecond\x00\x1b[31m\u2028third")

    assert masked == "first\\r\\nsecond\\u0000\\u001b[31m\\u2028third"
    assert one_line("plain") == "plain"


def test_a_body_is_cut_and_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert MASK.body(b"\xff" + b"a" * 5000, 100) == "\ufffd" + "a" * 99 + "…"
    assert MASK.body(b"short", 100) == "short"
    assert MASK.body(None, 100) == ""


@pytest.mark.parametrize("start", range(60, 140, 7))
def test_a_secret_across_the_cut_stays_hidden(start: int) -> None:
    body = b"a" * start + b" " + SECRET.encode() + b" ann@mail.example.com" * 100

    assert SECRET[:6] not in MASK.body(body, 100)
