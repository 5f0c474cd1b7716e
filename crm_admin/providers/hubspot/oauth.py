"""HubSpot's OAuth: the consent page, codes and refresh tokens, and which scopes we ask for."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

from crm_admin.errors import NeedsAttention, ProviderBroken, RetryLater
from crm_admin.jsontypes import Json
from crm_admin.outward.calls import Answer, Request
from crm_admin.outward.failures import CallFailed
from crm_admin.outward.transport import Endpoint, Transport, Wiring
from crm_admin.providers.auth import App, Grant, GrantRefused, Use
from crm_admin.providers.hubspot.calls import PERSON_ACTS
from crm_admin.providers.hubspot.payloads import table, text
from crm_admin.providers.hubspot.refusals import wait_seconds
from crm_admin.providers.hubspot.spec import ENDPOINT, HOSTS, schema_scope_of, scope_of

CONSENT_PAGE = "https://app.hubspot.com/oauth/authorize"
TOKEN_PATH = "/oauth/2026-03/token"  # noqa: S105 -- an address, not a token
REVOKE_PATH = f"{TOKEN_PATH}/revoke"
UNREACHABLE_SECONDS = 30.0
SHORTEST_LIFE_SECONDS = 60.0
ALWAYS = ("oauth", "crm.objects.owners.read")
GRANT_REFUSED = "invalid_grant"


class HubSpotSignIn:
    """All parameters go into the form body; nothing of a sign-in stands in an address of ours."""

    def is_own(self, endpoint: str) -> bool:
        """Say whether an endpoint is HubSpot's own."""
        host = (urlsplit(endpoint or ENDPOINT).hostname or "").lower()
        return host == "api.hubapi.com" or host.endswith(".hubapi.com")

    def page(self, endpoint: str) -> str:
        """Return the consent page: HubSpot's application for HubSpot, else below the endpoint."""
        if self.is_own(endpoint):
            return CONSENT_PAGE
        return f"{endpoint.rstrip('/')}/oauth/authorize"

    def scopes(self, uses: Sequence[Use]) -> tuple[str, ...]:
        """Return what these uses need: records, their properties, and our key on them."""
        wanted = list(ALWAYS)
        for use in uses:
            wanted += [scope_of(use.object, write=False), schema_scope_of(use.object, write=False)]
            if use.writes:
                wanted.append(scope_of(use.object, write=True))
                wanted.append(schema_scope_of(use.object, write=True))
        return tuple(dict.fromkeys(wanted))

    def missing(self, uses: Sequence[Use], granted: Sequence[str]) -> tuple[str, ...]:
        """Return the needed scopes that were not granted."""
        held = set(granted)
        return tuple(scope for scope in self.scopes(uses) if scope not in held)

    def exchange(self, endpoint: str, app: App, wiring: Wiring, code: Mapping[str, str]) -> Grant:
        """Return what a code is worth."""
        return self._ask(endpoint, app, wiring, {"grant_type": "authorization_code", **code})

    def renew(self, endpoint: str, app: App, wiring: Wiring, refresh_token: str) -> Grant:
        """Return a fresh pair; HubSpot usually gives the same refresh token again."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._ask(endpoint, app, wiring, form)

    def revoke(self, endpoint: str, app: App, wiring: Wiring, refresh_token: str) -> None:
        """Tell HubSpot that the sign-in is over."""
        form = {"token": refresh_token, "token_type_hint": "refresh_token"}
        _send(endpoint, app, wiring, REVOKE_PATH, form)

    def _ask(self, endpoint: str, app: App, wiring: Wiring, form: Mapping[str, str]) -> Grant:
        answer = _send(endpoint, app, wiring, TOKEN_PATH, form)
        if answer.ok:
            return _grant(answer.data, form.get("refresh_token", ""))
        if answer.status == 429:
            raise RetryLater(wait_seconds(answer))
        if answer.status >= 500:
            raise RetryLater(
                UNREACHABLE_SECONDS, f"HubSpot's sign-in answers {answer.status} just now."
            )
        raise _refusal(answer)


def _send(endpoint: str, app: App, wiring: Wiring, path: str, form: Mapping[str, str]) -> Answer:
    body = {**form, "client_id": app.client_id, "client_secret": app.client_secret}
    place = Endpoint(
        url=endpoint or ENDPOINT,
        hosts=HOSTS,
        secrets=(app.client_secret, *(form.get(name, "") for name in SECRET_FIELDS)),
    )
    request = Request(
        "POST", path, urlencode(body).encode(), content_type="application/x-www-form-urlencoded"
    )
    try:
        transport = Transport(place, wiring)
        try:
            return transport.send(request)
        finally:
            transport.close()
    except CallFailed as failure:
        if failure.reason in PERSON_ACTS:
            raise NeedsAttention(failure.sentence) from failure
        raise RetryLater(UNREACHABLE_SECONDS, failure.sentence) from failure


SECRET_FIELDS = ("code", "code_verifier", "refresh_token", "token")


def _grant(data: Json, former: str) -> Grant:
    found = table(data)
    access = text(found.get("access_token"))
    life = found.get("expires_in")
    if not access or not isinstance(life, int | float) or isinstance(life, bool):
        raise ProviderBroken("HubSpot's sign-in answered without a token.")
    scopes = found.get("scopes")
    return Grant(
        access_token=access,
        refresh_token=text(found.get("refresh_token")) or former,
        life_seconds=max(float(life), SHORTEST_LIFE_SECONDS),
        scopes=tuple(text(one) for one in scopes) if isinstance(scopes, list) else (),
        account=text(found.get("hub_id")),
    )


def _refusal(answer: Answer) -> Exception:
    data = table(answer.data) if isinstance(answer.data, dict) else {}
    if text(data.get("error")) == GRANT_REFUSED:
        return GrantRefused("HubSpot does not know this sign-in any more.")
    status = text(data.get("status")) or str(answer.status)
    if status in {"BAD_CLIENT_ID", "BAD_CLIENT_SECRET"}:
        return NeedsAttention(
            "HubSpot does not accept CRM Admin's application: its client id or secret is not the"
            " one HubSpot knows. Correct it and connect again."
        )
    return NeedsAttention(f"HubSpot refused the sign-in ({status[:60]}). Connect again.")
