"""Keys: sealed anew in batches, through a crash, until the old key may go."""

from dataclasses import replace

import pytest
from flask import current_app

from crm_admin import crashpoints
from crm_admin.crashpoints import Crashed
from crm_admin.errors import NeedsAttention
from crm_admin.security.secrets import new_key
from crm_admin.services import connections, keys, remote
from tests.services.engine.conftest import Desk, HubSpot


@pytest.fixture
def many(desk: Desk, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Five connections, two of them to a batch."""
    monkeypatch.setattr(keys, "BATCH", 2)
    for place in range(4):
        connections.create(
            person=desk.person,
            provider="hubspot",
            name=f"HubSpot {place}",
            environment="simulator",
            endpoint=hubspot.url,
            secrets={"access_token": f"pat-na1-demo-0000000{place}"},
            settings={},
        )
    return desk


def use_keys(monkeypatch: pytest.MonkeyPatch, *given: tuple[str, str]) -> None:
    settings = replace(current_app.config["CRM"], encryption_keys=given)
    monkeypatch.setitem(current_app.config, "CRM", settings)


def test_a_rotation_survives_a_kill_and_then_the_old_key_may_go(
    many: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = current_app.config["CRM"].encryption_keys[0]
    new = ("new", new_key())
    use_keys(monkeypatch, new, old)

    def crash(point: str) -> None:
        if point == "maintenance.key_rotation_half":
            raise Crashed(point)

    crashpoints.install(crash)
    with pytest.raises(Crashed):
        keys.rotate()
    crashpoints.install(None)
    half = {one.id: one.secrets for one in keys.uses()}

    rest = keys.rotate()
    again = keys.rotate()

    assert half == {"new": 2, old[0]: 3}
    assert (rest.changed, rest.kept, rest.shut) == (3, 2, ())
    assert (again.changed, again.kept) == (0, 5)
    use_keys(monkeypatch, new)
    assert [one.secrets for one in keys.uses()] == [5]
    assert many.sync("full").state == "succeeded"


def test_secrets_whose_key_is_gone_are_named_and_left_alone(
    many: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = many.rows("SELECT id, credentials FROM connection ORDER BY id")
    use_keys(monkeypatch, ("new", new_key()))

    done = keys.rotate()

    assert (done.changed, len(done.shut)) == (0, 5)
    assert many.rows("SELECT id, credentials FROM connection ORDER BY id") == before
    assert "pat-" not in str(done.shut)


def test_a_credential_copied_to_another_row_opens_nothing(many: Desk) -> None:
    many.change(
        "UPDATE connection SET credentials = (SELECT credentials FROM connection"
        " WHERE name = 'HubSpot 1') WHERE id = %s",
        many.connection_id,
    )
    row = many.rows("SELECT * FROM connection WHERE id = %s", many.connection_id)[0]

    with pytest.raises(NeedsAttention, match="cannot be read"), remote.opened(row):
        pass
