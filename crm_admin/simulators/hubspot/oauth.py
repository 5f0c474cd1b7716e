"""HubSpot's OAuth: the consent page, codes, refresh tokens, and access tokens that live half an
hour.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit

from crm_admin.simulators.clock import Clock, iso
from crm_admin.simulators.hubspot.settings import ALL_SCOPES, DEMO_PORTAL, Settings, Token
from crm_admin.simulators.page import TEMPLATES
from crm_admin.simulators.wire import Answer, Request, json_answer, redirect_to

LIFE_SECONDS: Final = 1800
CODE_LIFE_MS: Final = 60_000
USER_ID: Final = 7001
TOKEN_PATH: Final = re.compile(r"/oauth/(?:v1|v3|\d{4}-\d\d)/token(?P<verb>/introspect|/revoke)?")
OLD_PATH: Final = re.compile(r"/oauth/v1/(?P<kind>access|refresh)-tokens/(?P<token>[^/]+)")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person allowed one application."""

    client_id: str
    scopes: tuple[str, ...]
    portal: int = DEMO_PORTAL


@dataclass(frozen=True, slots=True)
class Code:
    grant: Grant
    redirect_uri: str
    challenge: str
    expires_at: int


class OAuthError(Exception):
    """A refused token call; `status` is HubSpot's own word."""

    def __init__(self, error: str, status: str, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.status = status

    def answer(self) -> Answer:
        body = {
            "error": self.error,
            "error_description": str(self),
            "status": self.status,
            "message": str(self),
        }
        return json_answer(body, 400)


@dataclass(slots=True)
class OAuth:
    """`remember` is told of every new refresh token, so that a restart can know it again."""

    settings: Settings
    clock: Clock
    remember: Callable[[str, Grant], None]
    grants: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)

    def handle(self, request: Request) -> Answer:
        try:
            return self._dispatch(request)
        except OAuthError as error:
            return error.answer()

    def _dispatch(self, request: Request) -> Answer:
        if request.path == "/oauth/authorize":
            return self._authorize(request)
        match = TOKEN_PATH.fullmatch(request.path)
        if match is not None and request.method == "POST":
            verbs = {"/introspect": self._introspect, "/revoke": self._revoke}
            return verbs.get(match["verb"], self._token)(request.form())
        old = OLD_PATH.fullmatch(request.path)
        if old is not None and old["kind"] == "refresh" and request.method == "DELETE":
            self.grants.pop(old["token"], None)
            return Answer(status=204)
        if old is not None and request.method == "GET":
            return self._old_info(old["kind"], old["token"])
        return json_answer({"status": "error", "message": "resource not found"}, 404)

    def _authorize(self, request: Request) -> Answer:
        asked = {name: values[0] for name, values in request.query.items()}
        target = urlsplit(asked.get("redirect_uri", ""))
        if (
            target.scheme not in ("http", "https")
            or not target.netloc
            or not asked.get("client_id")
        ):
            return Answer(400, b"client_id and redirect_uri are needed", "text/plain")
        if request.method == "POST":
            return self._decide(asked, request.form())
        wanted = f"{asked.get('scope', '')} {asked.get('optional_scope', '')}".split()
        page = TEMPLATES.get_template("consent.html").render(
            base=f"{request.root}/_sim",
            action=f"{request.root}/oauth/authorize?{request.query_string}",
            client_id=asked["client_id"],
            scopes=wanted,
            host=target.netloc,
            portal=DEMO_PORTAL,
        )
        # A browser holds the redirect that follows a form against the same rule as the form.
        allowed = f"'self' {target.scheme}://{target.netloc}"
        policy = (
            f"default-src 'none'; style-src 'self'; form-action {allowed}; frame-ancestors 'none'"
        )
        headers = [("Content-Security-Policy", policy)]
        return Answer(200, page.encode(), "text/html; charset=utf-8", headers)

    def _decide(self, asked: Mapping[str, str], form: Mapping[str, str]) -> Answer:
        back = {"state": asked["state"]} if "state" in asked else {}
        if form.get("decision") == "allow":
            scopes = f"{asked.get('scope', '')} {asked.get('optional_scope', '')}".split()
            known = tuple(scope for scope in scopes if scope in ALL_SCOPES)
            code = secrets.token_urlsafe(24)
            self.codes[code] = Code(
                Grant(asked["client_id"], known),
                asked["redirect_uri"],
                asked.get("code_challenge", ""),
                self.clock.now_ms() + CODE_LIFE_MS,
            )
            back = {"code": code, **back}
        else:
            text = "The user declined to grant access."
            back = {"error": "access_denied", "error_description": text, **back}
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        return redirect_to(f"{asked['redirect_uri']}{joint}{urlencode(back)}", 302)

    def _token(self, form: Mapping[str, str]) -> Answer:
        self._check_client(form)
        kind = form.get("grant_type")
        if kind == "authorization_code":
            refresh = secrets.token_hex(16)
            grant = self._spend_code(form)
            self.grants[refresh] = grant
            self.remember(refresh, grant)
        elif kind == "refresh_token":
            refresh = form.get("refresh_token", "")
            found = self.grants.get(refresh)
            if found is None or found.client_id != form.get("client_id"):
                text = "refresh token is invalid, expired or revoked"
                raise OAuthError("invalid_grant", "BAD_REFRESH_TOKEN", text)
            grant = found
        else:
            raise OAuthError("unsupported_grant_type", "BAD_GRANT_TYPE", "unsupported grant type")
        return self._issue(refresh, grant)

    def _issue(self, refresh: str, grant: Grant) -> Answer:
        access = f"CN{secrets.token_urlsafe(40)}"
        expires_at = self.clock.now_ms() + LIFE_SECONDS * 1000
        scopes = frozenset(grant.scopes)
        self.settings.tokens[access] = Token(grant.portal, scopes, expires_at, oauth=True)
        body = {
            "token_type": "bearer",
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": LIFE_SECONDS,
            "token_use": "access_token",
            "hub_id": grant.portal,
            "user_id": USER_ID,
            "scopes": list(grant.scopes),
        }
        return json_answer(body)

    def _spend_code(self, form: Mapping[str, str]) -> Grant:
        """A code is good once, soon, for the same address, and for who knows the verifier."""
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or code.expires_at < self.clock.now_ms():
            raise OAuthError("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code")
        if code.redirect_uri != form.get("redirect_uri"):
            status = "MISMATCH_REDIRECT_URI_AUTH_CODE"
            raise OAuthError("invalid_grant", status, "redirect uri does not match the auth code")
        if code.grant.client_id != form.get("client_id"):
            raise OAuthError(
                "invalid_grant", "BAD_CLIENT_ID", "client id does not match the auth code"
            )
        if code.challenge and not _proves(form.get("code_verifier", ""), code.challenge):
            raise OAuthError("invalid_grant", "BAD_AUTH_CODE", "code verifier does not match")
        return code.grant

    def _check_client(self, form: Mapping[str, str]) -> None:
        known = self.settings.oauth_clients
        client = form.get("client_id", "")
        if not client or (known and client not in known):
            raise OAuthError("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id")
        if known and known[client] != form.get("client_secret"):
            raise OAuthError(
                "invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret"
            )

    def _introspect(self, form: Mapping[str, str]) -> Answer:
        self._check_client(form)
        token = self.settings.tokens.get(form.get("token", ""))
        now = self.clock.now_ms()
        if token is None or token.revoked or token.expires_at is None or token.expires_at <= now:
            return json_answer({"active": False})
        return json_answer(self._facts(token, form.get("client_id", "")))

    def _revoke(self, form: Mapping[str, str]) -> Answer:
        self._check_client(form)
        text = form.get("token", "")
        self.grants.pop(text, None)
        self.settings.tokens.pop(text, None)
        return Answer(status=204)

    def _old_info(self, kind: str, text: str) -> Answer:
        if kind == "refresh":
            grant = self.grants.get(text)
            found = Token(grant.portal, frozenset(grant.scopes), oauth=True) if grant else None
        else:
            found = self.settings.tokens.get(text)
        if found is None:
            return json_answer({"status": "error", "message": "token not found"}, 404)
        return json_answer({"token": text, **self._facts(found, "")})

    def _facts(self, token: Token, client_id: str) -> dict[str, object]:
        expires_at = token.expires_at or self.clock.now_ms()
        return {
            "active": True,
            "token_use": "access_token",
            "token_type": "bearer",
            "hub_id": token.portal,
            "hub_domain": "demo.test",
            "user": "mia.brandt@demo.test",
            "user_id": USER_ID,
            "client_id": client_id,
            "scopes": sorted(token.scopes),
            "expires_in": (expires_at - self.clock.now_ms()) // 1000,
            "expires_at": iso(expires_at),
        }


def _proves(verifier: str, challenge: str) -> bool:
    made = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest(made, challenge)
