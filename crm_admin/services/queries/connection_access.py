"""How a connection proves who it is, as its page shows it: never a secret, only how it ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.providers.auth import Use
from crm_admin.providers.registry import sign_in_of, spec_of
from crm_admin.services import oauth_apps
from crm_admin.services.oauth_scopes import uses_of_all
from crm_admin.services.oauth_tokens import SIGNED_IN
from crm_admin.services.queries.sql import Row, first, rows

CONNECTION = """
SELECT c.id, c.organization_id, c.provider, c.name, c.endpoint, c.environment, c.settings,
       c.credentials, c.credential_hints, c.secrets_set, c.account, c.health,
       t.scopes, t.expires_at, t.signed_in_at, t.renewed_at, t.error, t.refusals,
       u.name AS signed_in_by
  FROM connection c
  LEFT JOIN oauth_token t ON t.organization_id = c.organization_id AND t.connection_id = c.id
  LEFT JOIN app_user u ON u.id = t.signed_in_by
 WHERE c.id = :connection
"""

USES = """
SELECT remote_object, bool_or(direction <> 'from_crm') AS writes FROM stream
 WHERE connection_id = :connection AND enabled GROUP BY remote_object ORDER BY min(position)
"""

TWINS = """
SELECT id, name FROM connection
 WHERE provider = :provider AND account ->> 'id' = :account AND id <> :connection ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential that is set: when, by whom, and its last characters where they give nothing
    away.
    """

    name: str
    label: str
    ends_in: str
    set_at: datetime | None
    set_by: str


@dataclass(frozen=True, slots=True)
class Scope:
    """A right: whether what is synced needs it, and whether the CRM granted it."""

    name: str
    needed: bool
    granted: bool


@dataclass(frozen=True, slots=True)
class Access:
    signed_in: bool
    offers_sign_in: bool
    has_app: bool
    own_client_id: str
    callback_url: str
    settings_names: str
    secrets: Sequence[Secret]
    scopes: Sequence[Scope]
    expires_at: datetime | None
    signed_in_at: datetime | None
    signed_in_by: str
    renewed_at: datetime | None
    error: str
    ended: bool
    twins: Sequence[tuple[UUID, str]]

    @property
    def missing(self) -> Sequence[str]:
        return [scope.name for scope in self.scopes if scope.needed and not scope.granted]


def access(connection_id: UUID) -> Access:
    """Return how a connection proves who it is; unknown and foreign ids are not found."""
    row = first(CONNECTION, connection=connection_id)
    if row is None:
        raise NotFound("This connection is not there.")
    settings = row["settings"] or {}
    signed_in = settings.get("sign_in") == SIGNED_IN
    offers = sign_in_of(row["provider"]) is not None
    return Access(
        signed_in=signed_in,
        offers_sign_in=offers,
        has_app=offers and _has_app(row),
        own_client_id=str(settings.get("client_id") or ""),
        callback_url=oauth_apps.callback_url(row["provider"]),
        settings_names=oauth_apps.names_of_settings(row["provider"]),
        secrets=_secrets(row),
        scopes=_scopes(row) if signed_in else (),
        expires_at=row["expires_at"] if signed_in else None,
        signed_in_at=row["signed_in_at"] if signed_in else None,
        signed_in_by=row["signed_in_by"] or "",
        renewed_at=row["renewed_at"],
        error=row["error"] or "",
        ended=bool(signed_in and row["health"] == "needs_reconnect"),
        twins=twins(connection_id, row["provider"], row["account"]),
    )


def twins(
    connection_id: UUID, provider: str, account: Mapping[str, Any] | None
) -> tuple[tuple[UUID, str], ...]:
    """Return the other connections to the same account."""
    number = str((account or {}).get("id") or "")
    if not number:
        return ()
    found = rows(TWINS, provider=provider, account=number, connection=connection_id)
    return tuple((row["id"], row["name"]) for row in found)


def _has_app(row: Row) -> bool:
    if (row["settings"] or {}).get("client_id") and "client_secret" in (row["credentials"] or {}):
        return True
    return oauth_apps.installed_app(row["provider"], row["endpoint"] or "") is not None


def _secrets(row: Row) -> tuple[Secret, ...]:
    labels = {item.name: item.label for item in spec_of(row["provider"]).settings}
    hints, when = row["credential_hints"] or {}, row["secrets_set"] or {}
    return tuple(
        Secret(
            name,
            labels.get(name, name.replace("_", " ").capitalize()),
            str(hints.get(name) or ""),
            _moment((when.get(name) or {}).get("at")),
            str((when.get(name) or {}).get("by") or ""),
        )
        for name in sorted(row["credentials"] or {})
    )


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def _scopes(row: Row) -> tuple[Scope, ...]:
    sign_in = oauth_apps.required(row["provider"])
    chosen = rows(USES, connection=row["id"])
    uses = [Use(one["remote_object"], one["writes"]) for one in chosen]
    needed = sign_in.scopes(uses or uses_of_all(row["provider"]))
    granted = set(row["scopes"] or ())
    more = sorted(granted - set(needed))
    return tuple(Scope(name, name in needed, name in granted) for name in (*needed, *more))
