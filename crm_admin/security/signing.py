"""Signed short-lived tokens and constant-time comparison."""

import base64
import binascii
import hashlib
import hmac
import secrets
import time

SEPARATOR = "."
TOKEN_BYTES = 32


class BadSignature(Exception):
    """A token was changed, made for another purpose, or is too old."""


def new_token(prefix: str = "") -> str:
    """Return 256 random bits in text, after a prefix that tells what it is."""
    return prefix + secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """Return what is stored instead of a token; tokens are random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_same(one: str | bytes, other: str | bytes) -> bool:
    """Compare in a time that does not depend on where they differ."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


class Signer:
    """Signs texts under a key derived per purpose, so that a token of one use fails in another."""

    def __init__(self, secret_key: str, purpose: str) -> None:
        self._key = hmac.digest(secret_key.encode(), b"purpose:" + purpose.encode(), "sha256")

    def sign(self, text: str, *, now: float | None = None) -> str:
        """Return text, time and signature as one URL-safe token; the text stays readable."""
        stamp = int(time.time() if now is None else now)
        payload = f"{_encode(text.encode())}{SEPARATOR}{stamp}"
        return f"{payload}{SEPARATOR}{self._mac(payload)}"

    def unsign(self, token: str, *, max_age_seconds: float, now: float | None = None) -> str:
        """Return the signed text; BadSignature when it is not ours, too old or from the future."""
        payload, _, mac = token.rpartition(SEPARATOR)
        if not payload or not is_same(mac, self._mac(payload)):
            raise BadSignature("The signature does not fit.")
        body, _, stamp = payload.partition(SEPARATOR)
        age = (time.time() if now is None else now) - int(stamp)
        if not -60 <= age <= max_age_seconds:
            raise BadSignature("The token is too old.")
        return _decode(body).decode()

    def _mac(self, payload: str) -> str:
        return _encode(hmac.digest(self._key, payload.encode(), "sha256"))


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadSignature("The token is damaged.") from error
