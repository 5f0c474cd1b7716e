"""Encryption keys of the installation: what is sealed with which, and everything sealed anew under
the current one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import current_app

from crm_admin import tenancy
from crm_admin.crashpoints import crashpoint
from crm_admin.errors import CrmAdminError
from crm_admin.security.secrets import KeyRing, SecretError, key_id_of
from crm_admin.services import organizations
from crm_admin.services.sealing import Box, ring
from crm_admin.services.sql import Cursor, Row, dumps, transaction

BATCH: Final = 50


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column that holds sealed secrets by field, with the id its rows are bound to."""

    table: str
    column: str
    id: str = "id"
    prefix: str = ""
    bound_to: str = ""

    def box(self, organization_id: UUID, row_id: UUID) -> Box:
        """Return the box of one row."""
        return Box(organization_id, self.bound_to or self.table, row_id, self.prefix)


COLUMNS: Final = (
    Sealed("connection", "credentials"),
    Sealed("oauth_token", "secrets", "connection_id"),
    Sealed("oauth_token", "previous", "connection_id", "previous."),
    Sealed("webhook_subscription", "secrets"),
    Sealed("outgoing_webhook", "secrets"),
)
"""Every place where secrets are kept; a state of a sign-in lives ten minutes and is left out."""

NEXT: Final = """
SELECT {id} AS id, {column} AS sealed FROM {table}
 WHERE {column} <> '{{}}' AND {id} > %s ORDER BY {id} LIMIT %s FOR UPDATE
"""

STORE: Final = "UPDATE {table} SET {column} = %s WHERE {id} = %s"


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many secrets were sealed anew, how many were already, and which cannot be opened."""

    changed: int
    kept: int
    shut: tuple[str, ...]


def rotate() -> Rotated:
    """Seal every stored secret under the current key, a batch of rows per transaction.

    Called again after a crash it does what is left; called twice it changes nothing. Secrets whose
    key is not in the settings stay as they are and are named.
    """
    keys = ring()
    changed = kept = 0
    shut: list[str] = []
    for organization_id in organizations.all_ids():
        with tenancy.acting_for(organization_id):
            for column in COLUMNS:
                for done in _column(keys, organization_id, column):
                    changed += done.changed
                    kept += done.kept
                    shut += done.shut
    return Rotated(changed, kept, tuple(shut))


def _column(keys: KeyRing, organization_id: UUID, column: Sealed) -> Iterator[Rotated]:
    after = UUID(int=0)
    while True:
        with transaction() as cursor:
            rows = _next(cursor, column, after)
            done = [_row(cursor, keys, organization_id, column, row) for row in rows]
        if not rows:
            return
        crashpoint("maintenance.key_rotation_half")
        after = rows[-1]["id"]
        yield from done


def _next(cursor: Cursor, column: Sealed, after: UUID) -> list[Row]:
    # The names come from the list above, never from outside.
    query = NEXT.format(id=column.id, column=column.column, table=column.table)
    return cursor.execute(query, (after, BATCH)).fetchall()


def _row(cursor: Cursor, keys: KeyRing, organization_id: UUID, column: Sealed, row: Row) -> Rotated:
    box = column.box(organization_id, row["id"])
    sealed: Mapping[str, str] = row["sealed"]
    try:
        fresh = {field: keys.rotated(text, box.place(field)) for field, text in sealed.items()}
    except SecretError as error:
        return Rotated(0, 0, (f"{column.table} {row['id']}: {error}",))
    changed = {field: text for field, text in fresh.items() if text is not None}
    if changed:
        query = STORE.format(table=column.table, column=column.column, id=column.id)
        cursor.execute(query, (dumps({**sealed, **changed}), row["id"]))
    return Rotated(len(changed), len(fresh) - len(changed), ())


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key and how many secrets need it; one that nobody needs may leave the settings."""

    id: str
    secrets: int
    is_current: bool
    is_known: bool


def uses() -> list[KeyUse]:
    """Return the keys of the settings and those that stored secrets name, with what needs them."""
    keys = ring()
    counts: Counter[str] = Counter()
    for organization_id in organizations.all_ids():
        with tenancy.acting_for(organization_id), transaction() as cursor:
            for column in COLUMNS:
                counts.update(_key_ids(cursor, column))
    known = [key_id for key_id, _ in current_app.config["CRM"].encryption_keys]
    names = [*known, *sorted(set(counts) - set(known))]
    return [KeyUse(name, counts[name], name == keys.current, name in known) for name in names]


def _key_ids(cursor: Cursor, column: Sealed) -> Iterator[str]:
    after = UUID(int=0)
    while rows := _next(cursor, column, after):
        for row in rows:
            for text in row["sealed"].values():
                try:
                    yield key_id_of(text)
                except SecretError as error:
                    raise CrmAdminError(f"{column.table} {row['id']}: {error}") from error
        after = rows[-1]["id"]
