"""Consent, codes and tokens."""

import hashlib
from base64 import urlsafe_b64encode
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.simulators.client import Client

BACK = "http://127.0.0.1:9/callback"
CLIENT = {"client_id": "app", "client_secret": "hush"}
ASKED = {
    "client_id": "app",
    "redirect_uri": BACK,
    "scope": "oauth crm.objects.contacts.read",
    "state": "s&1",
}


def decide(hubspot: Client, decision: str = "allow", **asked: str) -> dict[str, str]:
    query = urlencode({**ASKED, **asked})
    answer = hubspot.post(f"/oauth/authorize?{query}", data={"decision": decision})
    assert answer.headers["Location"].startswith(BACK)
    found = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in found.items()}


def exchange(hubspot: Client, **form: str) -> tuple[int, dict[str, object]]:
    answer = hubspot.post("/oauth/2026-03/token", data={**CLIENT, **form})
    return answer.status_code, answer.json()


def connect(hubspot: Client) -> dict[str, object]:
    code = decide(hubspot)["code"]
    _, body = exchange(hubspot, grant_type="authorization_code", code=code, redirect_uri=BACK)
    return body


def test_the_consent_page_shows_who_asks_for_what(hubspot: Client) -> None:
    answer = hubspot.get(f"/oauth/authorize?{urlencode(ASKED)}")

    shown = BeautifulSoup(answer.text, "html.parser")
    assert "app" in shown.text
    assert "crm.objects.contacts.read" in shown.text
    assert [each["value"] for each in shown.find_all("button")] == ["allow", "deny"]


def test_consent_leads_to_a_token_with_just_these_scopes(hubspot: Client) -> None:
    body = connect(hubspot)

    with Client(hubspot.url, str(body["access_token"])) as app:
        read = app.get("/crm/v3/objects/contacts")
        written = app.post("/crm/v3/objects/contacts", {"properties": {"firstname": "A"}})
    assert body["expires_in"] == 1800
    assert body["scopes"] == ["oauth", "crm.objects.contacts.read"]
    assert (read.status_code, written.status_code) == (200, 403)
    assert "X-HubSpot-RateLimit-Daily" not in read.headers


def test_the_state_comes_back_and_a_refusal_says_so(hubspot: Client) -> None:
    assert decide(hubspot)["state"] == "s&1"
    assert decide(hubspot, "deny")["error"] == "access_denied"


def test_a_code_is_good_only_once(hubspot: Client) -> None:
    code = decide(hubspot)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}

    first, _ = exchange(hubspot, **form)
    second, body = exchange(hubspot, **form)

    assert (first, second) == (200, 400)
    assert body["status"] == "BAD_AUTH_CODE"


def test_a_code_needs_its_own_address_and_verifier(hubspot: Client) -> None:
    challenge = urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).decode().rstrip("=")
    form = {"grant_type": "authorization_code", "redirect_uri": BACK}

    wrong = decide(hubspot, code_challenge=challenge)["code"]
    right = decide(hubspot, code_challenge=challenge)["code"]
    moved = decide(hubspot)["code"]

    assert exchange(hubspot, **form, code=wrong, code_verifier="other")[0] == 400
    assert exchange(hubspot, **form, code=right, code_verifier="verifier")[0] == 200
    elsewhere = exchange(hubspot, **{**form, "redirect_uri": BACK + "2"}, code=moved)[1]
    assert elsewhere["status"] == "MISMATCH_REDIRECT_URI_AUTH_CODE"


def test_a_refresh_gives_a_new_access_token_until_it_is_revoked(hubspot: Client) -> None:
    refresh = str(connect(hubspot)["refresh_token"])
    form = {"grant_type": "refresh_token", "refresh_token": refresh}

    fresh, body = exchange(hubspot, **form)
    hubspot.post("/oauth/2026-03/token/revoke", data={**CLIENT, "token": refresh})
    refused, error = exchange(hubspot, **form)

    assert (fresh, refused) == (200, 400)
    assert body["refresh_token"] == refresh
    assert error["error"] == "invalid_grant"
    assert error["status"] == "BAD_REFRESH_TOKEN"


def test_an_access_token_dies_after_half_an_hour(hubspot: Client) -> None:
    token = str(connect(hubspot)["access_token"])
    active = hubspot.post("/oauth/2026-03/token/introspect", data={**CLIENT, "token": token}).json()

    hubspot.config(clock_offset=1801)

    dead = hubspot.post("/oauth/2026-03/token/introspect", data={**CLIENT, "token": token}).json()
    with Client(hubspot.url, token) as app:
        answer = app.get("/crm/v3/objects/contacts")
    assert active["active"] is True
    assert dead == {"active": False}
    assert answer.json()["category"] == "EXPIRED_AUTHENTICATION"


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"client_secret": "wrong"}, "BAD_CLIENT_SECRET"), ({"client_id": "other"}, "BAD_CLIENT_ID")],
)
def test_known_clients_must_prove_themselves(
    hubspot: Client, changed: dict[str, str], status: str
) -> None:
    hubspot.config(oauth_clients={"app": "hush"})
    code = decide(hubspot)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}

    _, body = exchange(hubspot, **{**form, **changed})

    assert body["status"] == status


def test_the_old_addresses_still_tell_about_a_token(hubspot: Client) -> None:
    body = connect(hubspot)

    info = hubspot.get(f"/oauth/v1/access-tokens/{body['access_token']}").json()
    gone = hubspot.call("DELETE", f"/oauth/v1/refresh-tokens/{body['refresh_token']}")

    assert info["hub_id"] == body["hub_id"]
    assert gone.status_code == 204
    assert hubspot.get(f"/oauth/v1/refresh-tokens/{body['refresh_token']}").status_code == 404


def test_a_consent_without_a_web_address_to_return_to_is_refused(hubspot: Client) -> None:
    query = urlencode({**ASKED, "redirect_uri": "javascript:alert(1)"})

    assert hubspot.get(f"/oauth/authorize?{query}").status_code == 400
