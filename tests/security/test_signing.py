"""Signed tokens hold for one purpose and one time."""

import pytest

from crm_admin.security.signing import BadSignature, Signer, digest, is_same, new_token

SIGNER = Signer("a long secret of the installation", "csrf")


def test_a_signed_text_comes_back() -> None:
    token = SIGNER.sign("session-1|ü", now=1000.0)

    assert SIGNER.unsign(token, max_age_seconds=60, now=1059.0) == "session-1|ü"


@pytest.mark.parametrize("now", [1061.0, 900.0], ids=["too old", "from the future"])
def test_a_token_has_its_time(now: float) -> None:
    token = SIGNER.sign("session-1", now=1000.0)

    with pytest.raises(BadSignature, match="old"):
        SIGNER.unsign(token, max_age_seconds=60, now=now)


@pytest.mark.parametrize(
    "other",
    [
        Signer("a long secret of the installation", "share"),
        Signer("another secret", "csrf"),
    ],
    ids=["purpose", "key"],
)
def test_a_token_of_another_purpose_or_key_fails(other: Signer) -> None:
    with pytest.raises(BadSignature):
        SIGNER.unsign(other.sign("session-1"), max_age_seconds=60)


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "a", "a.1.", "\u00e9.1.x"])
def test_nonsense_fails(token: str) -> None:
    with pytest.raises(BadSignature):
        SIGNER.unsign(token, max_age_seconds=60)


def test_a_changed_text_fails() -> None:
    token = SIGNER.sign("session-1", now=1000.0)

    with pytest.raises(BadSignature):
        SIGNER.unsign("x" + token[1:], max_age_seconds=60, now=1000.0)


def test_tokens_are_long_random_and_stored_as_a_hash() -> None:
    one, other = new_token("crm_"), new_token("crm_")

    assert one.startswith("crm_")
    assert one != other
    assert len(one) >= 4 + 43
    assert digest(one) != digest(other)
    assert one not in digest(one)
    assert is_same(digest(one), digest(one).encode())
