"""Secrets open only where they were put, under a key of the ring."""

import base64

import pytest

from crm_admin.security.secrets import (
    BadKey,
    KeyRing,
    Place,
    SecretError,
    hint_of,
    key_id_of,
    new_key,
)

HERE = Place("org-1", "connection", "row-1", "access_token")
ELSEWHERE = [
    pytest.param(Place("org-2", "connection", "row-1", "access_token"), id="organisation"),
    pytest.param(Place("org-1", "user", "row-1", "access_token"), id="table"),
    pytest.param(Place("org-1", "connection", "row-2", "access_token"), id="row"),
    pytest.param(Place("org-1", "connection", "row-1", "refresh_token"), id="field"),
]


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.from_keys([("k1", new_key())])


def test_a_secret_opens_where_it_was_put(ring: KeyRing) -> None:
    stored = ring.encrypt("pat-na1-ü", HERE)

    assert ring.decrypt(stored, HERE) == "pat-na1-ü"
    assert "pat-na1" not in stored
    assert key_id_of(stored) == "k1"


@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_secret_copied_to_another_place_does_not_open(ring: KeyRing, place: Place) -> None:
    stored = ring.encrypt("token", HERE)

    with pytest.raises(SecretError, match="another place"):
        ring.decrypt(stored, place)


def test_places_that_only_look_alike_are_told_apart(ring: KeyRing) -> None:
    stored = ring.encrypt("token", Place("a|b", "c", "d", "e"))

    with pytest.raises(SecretError):
        ring.decrypt(stored, Place("a", "b|c", "d", "e"))


def test_the_same_secret_is_never_sealed_alike(ring: KeyRing) -> None:
    assert ring.encrypt("token", HERE) != ring.encrypt("token", HERE)


def test_a_changed_letter_is_noticed(ring: KeyRing) -> None:
    head, key, body = ring.encrypt("token", HERE).split(".")
    raw = bytearray(base64.urlsafe_b64decode(body))
    raw[-1] ^= 1
    changed = base64.urlsafe_b64encode(raw).decode()

    with pytest.raises(SecretError, match="changed"):
        ring.decrypt(f"{head}.{key}.{changed}", HERE)


@pytest.mark.parametrize("stored", ["", "token", "v1.k1", "v2.k1.AAAA", "v1.k1.*", "v1.k1."])
def test_what_is_no_stored_secret_is_refused(ring: KeyRing, stored: str) -> None:
    with pytest.raises(SecretError):
        ring.decrypt(stored, HERE)


def test_rotation_moves_a_secret_to_the_current_key_and_then_leaves_it() -> None:
    old, new = ("old", new_key()), ("new", new_key())
    stored = KeyRing.from_keys([old]).encrypt("token", HERE)
    both = KeyRing.from_keys([new, old])

    rotated = both.rotated(stored, HERE)

    assert rotated is not None
    assert both.rotated(rotated, HERE) is None
    assert KeyRing.from_keys([new]).decrypt(rotated, HERE) == "token"


def test_a_key_that_was_taken_away_is_named() -> None:
    stored = KeyRing.from_keys([("old", new_key())]).encrypt("token", HERE)

    with pytest.raises(SecretError, match="old"):
        KeyRing.from_keys([("new", new_key())]).decrypt(stored, HERE)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([], id="none"),
        pytest.param([("k", "not base64!")], id="no base64"),
        pytest.param([("k", base64.b64encode(b"short").decode())], id="short"),
        pytest.param([("k", base64.b64encode(bytes(32)).decode())], id="zeros"),
        pytest.param([("k", base64.b64encode(b"changeme" * 4).decode())], id="placeholder"),
        pytest.param([("k.1", new_key())], id="id with the separator"),
        pytest.param([("k", new_key()), ("k", new_key())], id="id twice"),
    ],
)
def test_unusable_keys_are_refused(keys: list[tuple[str, str]]) -> None:
    with pytest.raises(BadKey):
        KeyRing.from_keys(keys)


def test_a_ring_shows_no_keys() -> None:
    key = new_key()

    assert key not in repr(KeyRing.from_keys([("k1", key)]))


@pytest.mark.parametrize(("secret", "hint"), [("pat-na1-0123456789", "6789"), ("short", "")])
def test_a_hint_shows_the_end_of_long_secrets_only(secret: str, hint: str) -> None:
    assert hint_of(secret) == hint
