import base64

import pytest

from crm_admin import config
from crm_admin.errors import ConfigError

KEY = base64.b64encode(bytes(range(32))).decode()
ENOUGH = {
    "DATABASE_URL": "postgresql+psycopg://crm_login@/crm_admin",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "STORAGE_URL": "file:///srv/files",
    "PUBLIC_URL": "https://crm.example",
    "SECRET_KEY": "0f8fad5bd9cb469fa16570867728950e71a9c2d4",
    "ENCRYPTION_KEYS": f"2:{KEY}",
}


def problems_of(**changes):
    with pytest.raises(ConfigError) as caught:
        config.load({**ENOUGH, **changes})
    return caught.value.problems


def test_everything_missing_is_said_at_once():
    with pytest.raises(ConfigError) as caught:
        config.load({})

    assert [line.partition(" ")[0] for line in caught.value.problems] == list(ENOUGH)


def test_the_defaults_are_those_of_the_documentation():
    loaded = config.load(ENOUGH)

    assert (loaded.lease_seconds, loaded.settle_seconds, loaded.reconcile_seconds) == (120, 90, 30)
    assert (loaded.crm_enabled, loaded.demo, loaded.debug) == (True, False, False)
    assert loaded.private_endpoints == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "http://crm.example"),
        ("PUBLIC_URL", "ftp://127.0.0.1"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
        ("SECRET_KEY", "a" * 64),
        ("ENCRYPTION_KEYS", "1:c2hvcnQ="),
        ("ENCRYPTION_KEYS", f"1:{base64.b64encode(bytes(32)).decode()}"),
        ("ENCRYPTION_KEYS", f"1:{KEY},1:{KEY}"),
        ("ENCRYPTION_KEYS", "no key at all"),
        ("PRIVATE_ENDPOINTS", "10.1.2.3/8"),
        ("TRUSTED_PROXIES", "-1"),
        ("LEASE_SECONDS", "0"),
        ("LEASE_SECONDS", "soon"),
        ("CRM_ENABLED", "maybe"),
        ("DEBUG", "true"),
        ("CRASHPOINTS", "run.claimed:1:kill"),
        ("IMPORT_BATCH_SIZE", "99"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name, value):
    (problem,) = problems_of(**{name: value})

    assert problem.startswith(name)


def test_debug_is_allowed_on_this_machine():
    loaded = config.load({**ENOUGH, "PUBLIC_URL": "http://127.0.0.1:8000/", "DEBUG": "1"})

    assert (loaded.debug, loaded.public_url) == (True, "http://127.0.0.1:8000")


def test_the_first_key_is_the_current_one():
    loaded = config.load({**ENOUGH, "ENCRYPTION_KEYS": f"new:{KEY}, old:{KEY}"})

    assert loaded.encryption_keys == (("new", KEY), ("old", KEY))


def test_secrets_do_not_show_when_settings_are_printed():
    shown = repr(
        config.load({**ENOUGH, "DEMO_PASSWORD": "canary-one", "CRON_SECRET": "canary-two"})
    )

    assert not [text for text in (ENOUGH["SECRET_KEY"], KEY, "canary") if text in shown]


def test_customary_names_of_providers_are_kept():
    loaded = config.load({**ENOUGH, "HUBSPOT_CLIENT_ID": "id", "CRM_API_KEY": "key", "OTHER": "x"})

    assert dict(loaded.provider_defaults) == {"CRM_API_KEY": "key", "HUBSPOT_CLIENT_ID": "id"}
