"""What processes of ours are told: the person's own settings first, ours where they are silent."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crm_admin.launcher.places import Places

# what `var/run.json` carries over to other commands; everything else they have of their own
OURS: Final = frozenset(
    {
        "CRON_SECRET",
        "DATABASE_OWNER_URL",
        "DATABASE_SYSTEM_URL",
        "DATABASE_URL",
        "DEMO",
        "DEMO_PASSWORD",
        "ENCRYPTION_KEYS",
        "HUBSPOT_SIMULATOR_CLIENT_ID",
        "HUBSPOT_SIMULATOR_CLIENT_SECRET",
        "PRIVATE_ENDPOINTS",
        "PUBLIC_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "SIMULATOR_URL",
        "STORAGE_URL",
    }
)
LOOPBACK: Final = "127.0.0.0/8,::1/128"


def given(checkout: Path) -> dict[str, str]:
    """Return the environment together with `.env`, whose lines the environment overrides."""
    return {**_lines(checkout / ".env"), **os.environ}


def complete(
    base: Mapping[str, str], *, places: Places, secrets: Mapping[str, str], port: int
) -> dict[str, str]:
    """Return `base` with every setting that our own commands can fill."""
    defaults = {
        "STORAGE_URL": f"file://{places.var / 'files'}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": secrets["secret_key"],
        "ENCRYPTION_KEYS": secrets["encryption_keys"],
        "CRON_SECRET": secrets["cron_secret"],
        "DEMO_PASSWORD": secrets["demo_password"],
        "PRIVATE_ENDPOINTS": LOOPBACK,
    }
    ours = {"FLASK_APP": "wsgi", "PYTHONUNBUFFERED": "1", "CRM_COMMAND": "bin/crm"}
    return {**defaults, **{name: value for name, value in base.items() if value}, **ours}


def _lines(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found
