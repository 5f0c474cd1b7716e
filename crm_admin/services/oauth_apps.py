"""Our applications at CRMs: whose client id and secret a connection signs in with."""

from urllib.parse import urlsplit

from flask import current_app

from crm_admin.config import Config
from crm_admin.providers.auth import App, SignIn
from crm_admin.providers.registry import ENTRIES, sign_in_of, spec_of
from crm_admin.services.sealing import credentials_of
from crm_admin.services.sql import Row

SIMULATED = "SIMULATOR_"
CALLBACKS = ("/api/crm/oauth/{provider}/callback", "/api/crm/connect/callback")


def app_of(row: Row) -> App | None:
    """Return the application of a connection: its own, else the installation's; None without any.

    An id whose secret is gone is no application. The installation's secret goes to the vendor's own
    address and nowhere else; a simulator has an application of its own.
    """
    settings = row["settings"] or {}
    own_id = str(settings.get("client_id") or "")
    if own_id:
        sealed = {
            field: text
            for field, text in (row["credentials"] or {}).items()
            if field == "client_secret"
        }
        box = credentials_of(row["organization_id"], row["id"])
        secret = box.opened(sealed).get("client_secret", "")
        if secret:
            return App(own_id, secret)
    return installed_app(row["provider"], row["endpoint"] or "")


def installed_app(provider: str, endpoint: str) -> App | None:
    """Return the application that the settings of this installation name for an endpoint."""
    sign_in = sign_in_of(provider)
    if sign_in is None:
        return None
    simulated = "" if sign_in.is_own(endpoint or spec_of(provider).endpoint) else SIMULATED
    defaults = current_app.config["CRM"].provider_defaults
    prefix = f"{provider.upper()}_{simulated}"
    client_id = defaults.get(f"{prefix}CLIENT_ID", "")
    secret = defaults.get(f"{prefix}CLIENT_SECRET", "")
    return App(client_id, secret) if client_id and secret else None


def callback_url(provider: str) -> str:
    """Return where a CRM sends people back to: made of PUBLIC_URL, never of what a request says.

    HUBSPOT_REDIRECT_URI and its like choose another of our own addresses.
    """
    settings: Config = current_app.config["CRM"]
    ours = [settings.public_url + path.format(provider=provider) for path in CALLBACKS]
    wanted = settings.provider_defaults.get(f"{provider.upper()}_REDIRECT_URI", "")
    return wanted if wanted in ours else ours[0]


def consent_origin(provider: str, endpoint: str) -> str:
    """Return the origin of a provider's consent page, for the content policy of pages that lead
    there; nothing where people do not sign in.
    """
    sign_in = sign_in_of(provider) if provider in ENTRIES else None
    if sign_in is None:
        return ""
    parts = urlsplit(sign_in.page(endpoint or spec_of(provider).endpoint))
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else ""


def required(provider: str) -> SignIn:
    """Return how people sign in to a provider that was checked to know OAuth."""
    found = sign_in_of(provider)
    if found is None:
        raise LookupError(f"{provider} knows no sign-in by OAuth.")
    return found


def names_of_settings(provider: str) -> str:
    """Return the names of the settings that hold the application, for sentences."""
    prefix = provider.upper()
    return f"{prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET"
