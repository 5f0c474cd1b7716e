"""Credentials of a connection: replaced only by ones that were tried, and of the same account."""

from collections.abc import Mapping
from uuid import UUID

from crm_admin import clock
from crm_admin.errors import BadInput, CrmAdminError, NeedsAttention
from crm_admin.providers.registry import spec_of
from crm_admin.security.secrets import hint_of
from crm_admin.services import attention, audit, remote
from crm_admin.services.access import Person
from crm_admin.services.connections_check import other_account
from crm_admin.services.connections_removal import revoke
from crm_admin.services.connections_rows import locked, read
from crm_admin.services.oauth_tokens import is_signed_in
from crm_admin.services.sealing import credentials_of
from crm_admin.services.sql import Row, dumps, transaction

STORE = """
UPDATE connection SET credentials = %(sealed)s, credential_hints = %(hints)s,
       secrets_set = %(set)s, settings = %(settings)s, health = 'ok', health_reason = NULL,
       account = account || %(account)s::jsonb, updated_at = now(), version = version + 1
 WHERE id = %(id)s
"""
KEEPS = "The present one stays."


def rotate_secret(*, person: Person, connection_id: UUID, secrets: Mapping[str, str]) -> None:
    """Replace credentials by ones that were tried at the CRM; an empty value keeps what is there.

    BadInput when the CRM refuses them, does not answer, or says they are another account's.
    """
    with transaction() as cursor:
        row = read(cursor, connection_id)
    given = _given(row, secrets)
    account = _try(row, given)
    if is_signed_in(row):
        revoke(row)
    place = credentials_of(person.organization_id, connection_id)
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        set_now = {"at": clock.now().isoformat(), "by": person.name}
        settings = {name: value for name, value in row["settings"].items() if name != "sign_in"}
        cursor.execute(
            STORE,
            {
                "sealed": dumps({**row["credentials"], **place.seal(given)}),
                "hints": dumps(
                    {**row["credential_hints"], **{f: hint_of(v) for f, v in given.items()}}
                ),
                "set": dumps({**row["secrets_set"], **dict.fromkeys(given, set_now)}),
                "settings": dumps(settings),
                "account": dumps({"id": account} if account else {}),
                "id": connection_id,
            },
        )
        cursor.execute("DELETE FROM oauth_token WHERE connection_id = %s", (connection_id,))
        attention.settle_item(cursor, kind="reconnect", subject=str(connection_id))
        audit.write(
            cursor,
            person,
            "connection.rotate",
            "connection",
            connection_id,
            after={"fields": sorted(given)},
        )


def _given(row: Row, secrets: Mapping[str, str]) -> dict[str, str]:
    names = [item.name for item in spec_of(row["provider"]).settings if item.secret]
    given = {field: secrets[field].strip() for field in names if secrets.get(field, "").strip()}
    if not given:
        raise BadInput(names[0] if names else "secret", f"Enter the new one. {KEEPS}")
    return given


def _try(row: Row, given: Mapping[str, str]) -> str:
    """The account that these credentials lead to."""
    field = next(iter(given))
    label = spec_of(row["provider"]).label
    held = credentials_of(row["organization_id"], row["id"])
    try:
        stored = held.opened(row["credentials"])
    except NeedsAttention:
        stored = {}
    try:
        with remote.opened(row, secrets={**stored, **given}) as opened:
            account = opened.provider.account()
    except NeedsAttention as error:
        raise BadInput(field, f"{error.sentence} {KEEPS}") from error
    except CrmAdminError as error:
        raise BadInput(
            field, f"{label} could not be asked whether it is good: {error.sentence} {KEEPS}"
        ) from error
    other = other_account(row, account.id)
    if other:
        raise BadInput(field, f"{other} {KEEPS} To change over, reset the links under Danger.")
    return account.id


def set_app(*, person: Person, connection_id: UUID, client_id: str, client_secret: str) -> None:
    """Keep an application of the connection's own for its sign-in; no client id takes it away.

    The next sign-in uses it. BadInput when the secret is missing.
    """
    name, secret = client_id.strip(), client_secret.strip()
    place = credentials_of(person.organization_id, connection_id)
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        held = {k: v for k, v in row["credentials"].items() if k != "client_secret"}
        hints = {k: v for k, v in row["credential_hints"].items() if k != "client_secret"}
        settings = {k: v for k, v in row["settings"].items() if k != "client_id"}
        same = name == row["settings"].get("client_id") and "client_secret" in row["credentials"]
        if name and not secret and not same:
            raise BadInput("client_secret", "Enter the client secret that belongs to this id.")
        if name:
            settings["client_id"] = name
            held["client_secret"] = (
                place.seal({"client_secret": secret})["client_secret"]
                if secret
                else row["credentials"]["client_secret"]
            )
            hints["client_secret"] = (
                hint_of(secret) if secret else row["credential_hints"].get("client_secret", "")
            )
        cursor.execute(
            "UPDATE connection SET credentials = %s, credential_hints = %s, settings = %s,"
            " updated_at = now(), version = version + 1 WHERE id = %s",
            (dumps(held), dumps(hints), dumps(settings), connection_id),
        )
        audit.write(
            cursor,
            person,
            "connection.application",
            "connection",
            connection_id,
            before={"client_id": row["settings"].get("client_id")},
            after={"client_id": name or None},
        )
