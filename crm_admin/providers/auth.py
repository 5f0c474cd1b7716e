"""How a client proves who it is: bearer headers, sign-ins by OAuth, and tokens that are renewed."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import urlencode

from crm_admin.errors import NeedsAttention
from crm_admin.outward.calls import Answer, Request
from crm_admin.outward.journal import Journal
from crm_admin.outward.masking import Masker
from crm_admin.outward.transport import Endpoint, Transport, Wiring
from crm_admin.outward.wire import Deadlines
from crm_admin.providers.base import Tokens


@dataclass(frozen=True, slots=True)
class App:
    """Our application as a CRM knows it."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a CRM gave out for a sign-in; `account` is empty where the answer does not name it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    life_seconds: float
    scopes: tuple[str, ...] = ()
    account: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """What is done with an object of the CRM; scopes follow from it."""

    object: str
    writes: bool


class GrantRefused(Exception):
    """The CRM refuses a code or a refresh token: it is used up, revoked or expired."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class SignIn(Protocol):
    """OAuth of one provider. RetryLater: no answer now. NeedsAttention: the application itself is
    refused. GrantRefused: this code or refresh token is.
    """

    def is_own(self, endpoint: str) -> bool:
        """Say whether an endpoint is the vendor's own, so that our application's secret may go
        there.
        """

    def page(self, endpoint: str) -> str:
        """Return the address of the consent page without its query."""

    def scopes(self, uses: Sequence[Use]) -> tuple[str, ...]:
        """Return the scopes these uses need, in a fixed order."""

    def missing(self, uses: Sequence[Use], granted: Sequence[str]) -> tuple[str, ...]:
        """Return the needed scopes that were not granted."""

    def exchange(self, endpoint: str, app: App, wiring: Wiring, code: Mapping[str, str]) -> Grant:
        """Return what a code is worth; `code` holds code, redirect_uri and code_verifier."""

    def renew(self, endpoint: str, app: App, wiring: Wiring, refresh_token: str) -> Grant:
        """Return a fresh pair; the refresh token of the answer replaces the one given."""

    def revoke(self, endpoint: str, app: App, wiring: Wiring, refresh_token: str) -> None:
        """Tell the CRM that the sign-in is over; what it answers changes nothing for us."""


def bearer(token: str) -> Mapping[str, str]:
    """Return the header of a bearer token; a token that could not stand in a header is refused."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise NeedsAttention("The access token holds characters no token has. Copy it again.")
    return {"Authorization": f"Bearer {token}"}


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge (S256) of a verifier."""
    hashed = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def consent_url(page: str, app: App, asked: Mapping[str, str]) -> str:
    """Return the consent page with what is asked: scope, redirect_uri, state, code_challenge."""
    query = {
        "client_id": app.client_id,
        "response_type": "code",
        **asked,
        "code_challenge_method": "S256",
    }
    return f"{page}?{urlencode(query)}"


class RenewingTransport(Transport):
    """Sends with the connection's present token; one that is refused is renewed once and the call
    is sent again, which is safe because a call with a refused token has no effect.
    """

    def __init__(self, endpoint: Endpoint, wiring: Wiring, tokens: Tokens) -> None:
        super().__init__(endpoint, wiring)
        self._tokens = tokens
        self._log = wiring.log
        self._secrets = endpoint.secrets
        self._accepted = ""

    def send(self, request: Request, deadlines: Deadlines | None = None) -> Answer:
        """Return the answer of one call, as Transport does."""
        token = self._tokens.current()
        answer = self._send_with(token, request, deadlines)
        if answer.status == 401:
            token = self._tokens.renewed(token)
            answer = self._send_with(token, request, deadlines)
        if answer.status != 401 and token != self._accepted:
            self._tokens.worked(token)
            self._accepted = token
        return answer

    def _send_with(self, token: str, request: Request, deadlines: Deadlines | None) -> Answer:
        if token not in self._secrets:
            # What is logged must not show a token that came after the start either.
            self._secrets = (*self._secrets, token)
            self._mask = Masker(self._secrets)
            self._journal = Journal(self._log, self._mask)
        headers = {**request.headers, **bearer(token)}
        return super().send(replace(request, headers=headers), deadlines)


def transport_for(endpoint: Endpoint, wiring: Wiring, tokens: Tokens | None) -> Transport:
    """Return the way to an endpoint: with a token that is renewed, or with the endpoint's own."""
    return (
        Transport(endpoint, wiring)
        if tokens is None
        else RenewingTransport(endpoint, wiring, tokens)
    )
