"""The tabs of a connection without JavaScript: sign in, filter, limit, time, and part from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask

from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from crm_admin.services import connections
from crm_admin.services.seed import simulator
from crm_admin.services.seed.simulator import Hint
from crm_admin.services.streams import default_choices
from crm_admin.simulators.server import start_in_thread
from tests.browsing import Browser, Seen
from tests.demo_rows import HOSTILE, World, acting, empty_world
from tests.services.engine.conftest import HubSpot
from tests.services.engine.oauth_desk import CLIENT, consent

NEW = "/admin/crm/settings/new"
TOKEN = "pat-na1-demo-canary-91c0de"


@pytest.fixture
def hubspot() -> Iterator[HubSpot]:
    with start_in_thread("hubspot") as running:
        crm = HubSpot(running)
        crm.post("/_sim/config", {"index_lag": 0})
        crm.add("contacts", email="ana@example.test", lastname="Silva", city="Porto")
        crm.add("contacts", email="ben@example.test", lastname="Ode", city="Lyon")
        yield crm


@dataclass
class Place:
    """A connection of an admin, and the browser that looks at it."""

    app: Flask
    world: World
    browser: Browser
    id: UUID

    @property
    def url(self) -> str:
        return f"/admin/crm/settings/{self.id}"

    def page(self, tab: str = "") -> Seen:
        return self.browser.get(f"{self.url}{tab}")

    def send(self, tab: str, action: str, **values: object) -> Seen:
        return self.browser.send(self.page(tab).form(f"{self.url}{action}"), **values)

    def value(self, statement: str) -> object:
        with acting(self.app, self.world):
            return db.session.execute(db.text(statement)).scalar_one_or_none()


def _settled(app: Flask, world: World, connection_id: UUID) -> None:
    """What a worker does with a check that a page asked for."""
    with acting(app, world):
        connections.check(world.organization, connection_id)


@pytest.fixture
def place(app: Flask, hubspot: HubSpot) -> Place:
    world = empty_world(app)
    person = world.person(Role.ADMIN)
    with acting(app, world):
        connection_id = connections.create(
            person=person,
            provider="hubspot",
            name="HubSpot EU",
            environment="simulator",
            endpoint=hubspot.url,
            secrets={"access_token": TOKEN},
            settings={},
        )
        connections.choose_streams(
            person=person,
            connection_id=connection_id,
            choices=default_choices("hubspot", ["contacts", "deals"]),
        )
    _settled(app, world, connection_id)
    return Place(app, world, Browser(app, person), connection_id)


def come_back(place: Place, leaving: Seen) -> Seen:
    """Decide at the CRM and follow the way back, as a browser would."""
    there = consent(leaving.response.headers["Location"])
    path = urlsplit(
        f"/api/crm/oauth/hubspot/callback?{'&'.join('='.join(p) for p in there.items())}"
    )
    return place.browser.follow(path.geturl())


def leave(place: Place, form_page: str = "/credentials") -> Seen:
    form = place.page(form_page).form("/api/crm/oauth/hubspot/start")
    return place.browser.send(form, follow=False)


def test_a_person_signs_in_and_sees_their_rights_and_never_a_secret(
    place: Place, hubspot: HubSpot
) -> None:
    hubspot.post("/_sim/config", {"oauth_clients": {CLIENT["client_id"]: CLIENT["client_secret"]}})
    asked = place.send("/credentials", "/application", **CLIENT)
    assert "Saved the application" in asked.text

    seen = come_back(place, leave(place))
    _settled(place.app, place.world, place.id)
    tab = place.page("/credentials")

    assert "Signed in to HubSpot EU." in seen.text
    assert "the sign-in renews itself" in tab.sentence
    rights = {
        row.th.get_text(): row.find_all("td")[1].get_text() for row in tab.soup.select("tbody tr")
    }
    assert rights["crm.objects.contacts.write"] == "yes"
    assert "missing" not in str(rights)
    html = tab.response.get_data(as_text=True)
    assert not [one for one in (TOKEN, CLIENT["client_secret"]) if one in html]
    assert place.value("SELECT credentials ? 'access_token' FROM connection") is False


def test_the_policy_names_the_consent_page_only_where_a_form_leads_there(place: Place) -> None:
    policies = {
        tab: place.page(tab).response.headers["Content-Security-Policy"]
        for tab in ("", "/credentials", "/danger")
    }

    origin = place.value("SELECT split_part(endpoint, '/', 3) FROM connection")
    assert f"form-action 'self' http://{origin};" in policies["/credentials"]
    assert "form-action 'self';" in policies[""]
    assert "form-action 'self';" in policies["/danger"]


def test_a_host_header_changes_nothing_about_the_way_back(place: Place) -> None:
    place.send("/credentials", "/application", **CLIENT)
    form = place.page("/credentials").form("/api/crm/oauth/hubspot/start")
    data = {field["name"]: field["value"] for field in form.select("input")}

    answer = place.browser.client.post(
        "/api/crm/oauth/hubspot/start",
        data=data,
        headers={"Sec-Fetch-Site": "same-origin", "X-Forwarded-Host": "evil.example"},
    )

    public = place.app.config["CRM"].public_url.replace(":", "%3A").replace("/", "%2F")
    assert f"redirect_uri={public}%2Fapi%2Fcrm%2Foauth%2Fhubspot%2Fcallback" in answer.location
    assert "evil" not in answer.location


def test_another_browser_cannot_finish_a_sign_in(place: Place) -> None:
    place.send("/credentials", "/application", **CLIENT)
    there = consent(leave(place).response.headers["Location"])
    other = Browser(place.app, place.world.person(Role.ADMIN))

    seen = other.follow(
        f"/api/crm/oauth/hubspot/callback?state={there['state']}&code={there['code']}"
    )

    assert "began in another browser" in seen.text
    assert place.value("SELECT count(*) FROM oauth_token") == 0


def test_one_press_connects_the_simulator(
    app: Flask, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    known = {
        "HUBSPOT_SIMULATOR_CLIENT_ID": "demo",
        "HUBSPOT_SIMULATOR_CLIENT_SECRET": "demo-secret",
    }
    monkeypatch.setitem(app.config, "CRM", replace(app.config["CRM"], provider_defaults=known))
    monkeypatch.setattr(simulator, "hint", lambda: Hint("hubspot", "simulator", hubspot.url, TOKEN))
    world = empty_world(app)
    browser = Browser(app, world.person(Role.ADMIN))

    form = browser.get(f"{NEW}?provider=hubspot").form(f"{NEW}/simulator")
    left = browser.send(form, follow=False)
    again = browser.send(form, follow=False)
    place = Place(app, world, browser, UUID(int=0))
    seen = come_back(place, again)

    assert left.response.status_code == again.response.status_code == 303
    assert seen.status == 200
    assert "Signed in to HubSpot demo." in seen.text
    assert place.value("SELECT count(*) FROM connection") == 1


def test_a_key_is_replaced_only_by_one_that_works(place: Place) -> None:
    before = place.value("SELECT credentials::text FROM connection")

    refused = place.send("/credentials", "/secret", **{"setting-access_token": "not-accepted"})
    kept = place.value("SELECT credentials::text FROM connection")
    done = place.send("/credentials", "/secret", **{"setting-access_token": f"{TOKEN}-2"})

    assert refused.status == 422
    assert refused.title.startswith("Error:")
    assert "The present one stays" in refused.text
    assert "not-accepted" not in refused.response.get_data(as_text=True)
    assert kept == before
    assert "Replaced the key" in done.text
    assert place.value("SELECT credentials::text FROM connection") != before


def stream_url(place: Place, kind: str = "contact") -> str:
    found = place.value(f"SELECT id FROM stream WHERE kind = '{kind}'")
    return f"/objects/{found}"


def test_a_filter_is_counted_checked_and_kept(place: Place) -> None:
    tab = stream_url(place)
    typed = {"property-0": "city", "operator-0": "EQ", "value-0": "Porto"}

    counted = place.browser.get(
        f"{place.url}{tab}/_count?property-0=city&operator-0=EQ&value-0=Porto"
    )
    wrong = place.send(tab, tab, **{**typed, "property-0": "lifecyclestage", "value-0": HOSTILE})
    kept = place.send(tab, tab, **typed)

    assert "Would include 1 of 2 records" in counted.text
    assert wrong.status == 422
    assert "is no value of lifecyclestage" in wrong.text
    assert "Saved the filter" in kept.text
    assert place.value("SELECT filter FROM stream WHERE kind = 'contact'") == [
        {"property": "city", "operator": "EQ", "value": "Porto"}
    ]
    assert place.value("SELECT full_due FROM stream WHERE kind = 'contact'") is True


def test_povs_stand_before_deals_and_fields_are_read_anew(place: Place) -> None:
    page = place.page("/objects")
    place.send("/objects", "/fields")

    kinds = [row.find_all("td")[1].get_text() for row in page.soup.select("tbody tr")]
    assert kinds.index("POVs") < kinds.index("Deals")
    assert place.value("SELECT count(*) FROM remote_schema") == 2


def test_limits_are_kept_and_never_off_without_the_name(place: Place) -> None:
    wrong = place.send("/limits", "/limits", deletes_percent="many")
    off = place.send("/limits", "/limits", deletes_percent="100")
    kept = place.send("/limits", "/limits", deletes_percent="2", batch="50", daily_calls="5 000")
    named = place.send("/limits", "/limits", deletes_percent="100", typed="HubSpot EU")

    assert (wrong.status, off.status) == (422, 422)
    assert "Enter a whole number from 0 to 100" in wrong.text
    assert "Type HubSpot EU exactly" in off.text
    assert "Saved the limits" in kept.text
    assert "Saved the limits" in named.text
    limits = place.value("SELECT limits FROM connection")
    assert (limits["deletes_share"], limits["batch"], limits["daily_calls"]) == (1.0, 50, 5000)


def test_it_syncs_when_it_was_told_and_rests_at_night(place: Place) -> None:
    wrong = place.send("/auto-sync", "/auto-sync", quiet="1", quiet_from="25:00")
    kept = place.send(
        "/auto-sync",
        "/auto-sync",
        minutes="60",
        quiet="1",
        quiet_from="22:00",
        quiet_until="06:00",
        quiet_zone="Europe/Paris",
    )
    heard = place.send("/auto-sync", "/notifications", **{"sync_failed-mail": "1"})

    assert wrong.status == 422
    assert "Enter a time like 22:00." in wrong.text
    assert "Saved when it syncs" in kept.text
    assert place.value("SELECT settings->'quiet_hours'->>'until' FROM connection") == "06:00"
    assert place.value("SELECT every_seconds FROM schedule WHERE job = 'delta-sync'") == 3600
    assert "Saved what you hear of" in heard.text
    assert place.value("SELECT count(*) FROM notification_rule WHERE channel = 'mail'") == 1


def test_a_field_says_what_is_wrong_in_the_words_of_its_form(place: Place) -> None:
    live = place.browser.get(f"{place.url}/_check/deletes_percent?deletes_percent=many")
    fine = place.browser.get(f"{place.url}/_check/name?name=HubSpot EU")
    taken = place.browser.get("/admin/crm/settings/_check/name?name=hubspot eu")
    unknown = place.browser.get(f"{place.url}/_check/credentials?credentials=x")

    assert "Enter a whole number from 0 to 100." in live.text
    assert live.soup.input["aria-invalid"] == "true"
    assert fine.soup.input.get("aria-invalid") is None
    assert "already a connection called" in taken.text
    assert unknown.status == 404


def test_a_connection_is_renamed_and_moves_only_to_the_same_account(
    place: Place, free_port: int
) -> None:
    nowhere = f"http://127.0.0.1:{free_port}"
    refused = place.send("", "/general", endpoint=nowhere)
    renamed = place.send("", "/general", name=f"HubSpot {HOSTILE}")
    form = place.page().form(f"{place.url}/general")
    place.send("", "/general", name="HubSpot Nord")
    stale = place.browser.send(form, name="HubSpot Süd")

    assert refused.status == 422
    assert "The former address stays." in refused.text
    assert renamed.status == 200
    assert "<script>alert" not in renamed.response.get_data(as_text=True)
    assert stale.status == 409
    assert place.value("SELECT name FROM connection") == "HubSpot Nord"


def test_parting_says_what_goes_and_wants_the_name(place: Place) -> None:
    page = place.page("/danger")
    refused = place.send("/danger", "/delete", typed="HubSpot")
    disconnected = place.send("/danger", "/disconnect")
    gone = place.send("/danger", "/delete", typed="HubSpot EU")

    assert "Nothing here deletes a record" in page.sentence
    assert refused.status == 422
    assert "is not connected" in disconnected.sentence
    assert "Deleted HubSpot EU. No record was touched." in gone.text
    assert place.value("SELECT count(*) FROM connection") == 0


def test_a_draft_survives_leaving_and_ends_with_the_check_of_its_answers(
    app: Flask, hubspot: HubSpot
) -> None:
    world = empty_world(app)
    browser = Browser(app, world.person(Role.ADMIN))
    form = browser.get(f"{NEW}?provider=hubspot").form(NEW)
    token = {"setting-access_token": TOKEN}
    added = browser.send(
        form, name="HubSpot EU", environment="simulator", endpoint=hubspot.url, **token
    )
    url = added.response.request.path
    place = Place(app, world, browser, UUID(url.rpartition("/")[2]))
    _settled(app, world, place.id)

    listed = browser.get("/admin/crm/settings")
    review = place.send("/objects", "/objects")
    finished = browser.send(review.form(f"{url}/finish"))

    assert "set-up not finished" in listed.text
    assert review.response.request.path == f"{url}/review"
    assert "Check your answers" in review.sentence
    assert "The set-up is complete." in finished.text
    assert "set-up not finished" not in browser.get("/admin/crm/settings").text


def test_a_second_connection_to_the_same_account_is_warned_about(
    place: Place, hubspot: HubSpot
) -> None:
    with acting(place.app, place.world):
        twin = connections.create(
            person=place.world.person(Role.ADMIN),
            provider="hubspot",
            name="HubSpot again",
            environment="simulator",
            endpoint=hubspot.url,
            secrets={"access_token": TOKEN},
            settings={},
        )
    _settled(place.app, place.world, twin)

    seen = place.browser.get(f"/admin/crm/settings/{twin}")

    assert "The same account is also connected as HubSpot EU" in seen.text
