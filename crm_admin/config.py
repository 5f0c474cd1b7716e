"""The only reader of the environment: every setting once, all problems reported at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from crm_admin.errors import ConfigError
from crm_admin.settings import Reader

PROVIDER_PREFIXES: Final = (
    "CRM_API_",
    "FRESHSALES_",
    "HUBSPOT_",
    "PIPEDRIVE_",
    "SALESFLARE_",
    "SALESFORCE_",
    "TREADSOFT_",
    "ZOHO_",
)


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, typed; `.env.example` explains each in a line."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    storage_url: str = field(repr=False)
    public_url: str
    secret_key: str = field(repr=False)
    encryption_keys: tuple[tuple[str, str], ...] = field(repr=False)
    database_owner_url: str | None = field(default=None, repr=False)
    database_system_url: str | None = field(default=None, repr=False)
    mail_url: str | None = field(default=None, repr=False)
    cron_secret: str | None = field(default=None, repr=False)
    private_endpoints: tuple[str, ...] = ()
    trusted_proxies: int = 0
    demo: bool = False
    demo_password: str | None = field(default=None, repr=False)
    simulator_url: str | None = None
    crm_enabled: bool = True
    debug: bool = False
    lease_seconds: float = 120
    settle_seconds: float = 90
    reconcile_seconds: float = 30
    import_batch_size: int = 10_000
    max_import_file_size: int = 200 * 1024 * 1024
    max_concurrent_imports: int = 1
    import_timeout_ms: int = 3_600_000
    database_pool_size: int = 8
    crashpoints: str = ""
    command: str = "flask crm"
    provider_defaults: Mapping[str, str] = field(default_factory=dict, repr=False)


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Return the settings in `environ` or else the process's own; ConfigError lists problems."""
    read = Reader(os.environ if environ is None else environ)
    config = Config(
        database_url=read.required("DATABASE_URL"),
        redis_url=read.required("REDIS_URL"),
        storage_url=read.required("STORAGE_URL"),
        public_url=read.required("PUBLIC_URL").rstrip("/"),
        secret_key=read.secret("SECRET_KEY"),
        encryption_keys=read.keys("ENCRYPTION_KEYS"),
        database_owner_url=read.text("DATABASE_OWNER_URL"),
        database_system_url=read.text("DATABASE_SYSTEM_URL"),
        mail_url=read.text("MAIL_URL"),
        cron_secret=read.text("CRON_SECRET"),
        private_endpoints=read.networks("PRIVATE_ENDPOINTS"),
        trusted_proxies=read.whole("TRUSTED_PROXIES", 0, 0, 10),
        demo=read.flag("DEMO", default=False),
        demo_password=read.text("DEMO_PASSWORD"),
        simulator_url=read.text("SIMULATOR_URL"),
        crm_enabled=read.flag("CRM_ENABLED", default=True),
        debug=read.flag("DEBUG", default=False),
        lease_seconds=read.seconds("LEASE_SECONDS", 120),
        settle_seconds=read.seconds("SETTLE_SECONDS", 90),
        reconcile_seconds=read.seconds("RECONCILE_SECONDS", 30),
        import_batch_size=read.whole("IMPORT_BATCH_SIZE", 10_000, 100, 50_000),
        max_import_file_size=read.whole("MAX_IMPORT_FILE_SIZE", 200 * 1024 * 1024, 1, 2**40),
        max_concurrent_imports=read.whole("MAX_CONCURRENT_IMPORTS", 1, 1, 1000),
        import_timeout_ms=read.whole("IMPORT_TIMEOUT_MS", 3_600_000, 1000, 2**31),
        database_pool_size=read.whole("DATABASE_POOL_SIZE", 8, 1, 200),
        crashpoints=read.text("CRASHPOINTS") or "",
        command=read.text("CRM_COMMAND") or "flask crm",
        provider_defaults=MappingProxyType(read.starting_with(PROVIDER_PREFIXES)),
    )
    problems = [*read.problems, *_contradictions(config)]
    if problems:
        raise ConfigError(tuple(problems))
    return config


def is_loopback(url: str) -> bool:
    """Tell whether a URL stays on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _contradictions(config: Config) -> list[str]:
    if not config.public_url:
        return []
    scheme, loopback = urlsplit(config.public_url).scheme, is_loopback(config.public_url)
    found = []
    if scheme != "https" and not (scheme == "http" and loopback):
        found.append(f"PUBLIC_URL is {config.public_url}: use https:// except on this machine.")
    if config.debug and not loopback:
        found.append("DEBUG shows internals to everyone: remove it, or serve this machine only.")
    if config.crashpoints and not loopback:
        found.append("CRASHPOINTS kills processes on purpose: remove it outside of tests.")
    return found
