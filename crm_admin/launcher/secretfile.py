"""Passwords and keys of this checkout: made once, kept in `var/` for its owner only."""

import base64
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from crm_admin.launcher.places import write_private


def _key() -> str:
    return "1:" + base64.b64encode(secrets.token_bytes(32)).decode()


def _token() -> str:
    return secrets.token_hex(24)


def _sayable() -> str:
    """Four groups of letters that are not mistaken for each other, no letter twice."""
    letters = secrets.SystemRandom().sample("abcdefghjkmnpqrstuvwxyz", 16)
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))


def _name() -> str:
    return secrets.token_hex(4)


MAKERS: Final[dict[str, Callable[[], str]]] = {
    "installation": _name,
    "secret_key": _token,
    "encryption_keys": _key,
    "superuser_password": _token,
    "login_password": _token,
    "valkey_password": _token,
    "cron_secret": _token,
    "demo_password": _sayable,
    "simulator_client": _token,
}


def load(var: Path) -> dict[str, str]:
    """Return every secret by name; those missing are made and kept."""
    path = var / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = {name: make() for name, make in MAKERS.items() if name not in known}
    if missing:
        known |= missing
        write_private(path, json.dumps(known, indent=2) + "\n")
    return known
