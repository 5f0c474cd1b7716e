"""Opens the way to a connection's CRM: secrets in clear only here, calls counted and logged, limits
shared.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from uuid import UUID

from flask import current_app

from crm_admin.errors import BadInput, NeedsAttention
from crm_admin.ids import new_id
from crm_admin.outward.failures import NotSent
from crm_admin.outward.guard import Network, Rules, parse_endpoint
from crm_admin.outward.protocols import CallEntry, Rank
from crm_admin.outward.transport import Wiring
from crm_admin.providers import registry
from crm_admin.providers.base import ConnectionConfig, Provider
from crm_admin.security.secrets import KeyRing, Place, SecretError
from crm_admin.services.budget import breaker_of, budget_of
from crm_admin.services.sql import Row, transaction

INSERT = """
INSERT INTO api_call (organization_id, at, id, connection_id, run_id, method, path, status, ms,
       request_id, sent_bytes, received_bytes, request_body, answer_body, error, rank)
SELECT organization_id, now(), %s, id, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
  FROM connection WHERE id = %s
"""


class Calls:
    """Counts the calls of one opened connection and keeps them for the log until they are written
    together.
    """

    def __init__(self, connection_id: UUID, run_id: UUID | None, rank: Rank) -> None:
        self._connection_id = connection_id
        self._run_id = run_id
        self._rank = rank
        self._written = self._taken = 0
        self._entries: list[CallEntry] = []

    def record(self, entry: CallEntry) -> None:
        """Keep the entry until the next flush."""
        self._entries.append(entry)

    def take(self) -> int:
        """Return the calls since the last take."""
        made = self._written + len(self._entries)
        count, self._taken = made - self._taken, made
        return count

    def flush(self) -> None:
        """Write the kept entries in a transaction of their own; call it outside the work's."""
        entries = self._entries[:]
        if not entries:
            return
        with transaction() as cursor:
            cursor.executemany(INSERT, [self._row(entry) for entry in entries])
        del self._entries[: len(entries)]
        self._written += len(entries)

    def _row(self, entry: CallEntry) -> tuple[object, ...]:
        return (
            new_id(),
            self._run_id,
            entry.method,
            entry.path,
            entry.status,
            round(entry.milliseconds),
            entry.request_id,
            len(entry.request_body),
            len(entry.answer_body),
            entry.request_body.replace("\0", ""),
            entry.answer_body.replace("\0", ""),
            entry.failure or None,
            self._rank.value,
            self._connection_id,
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A client for one connection, and its calls."""

    provider: Provider
    calls: Calls


def open_connection(row: Row, *, run_id: UUID | None, rank: int) -> Opened:
    """Return a client for a connection row; NeedsAttention when its credentials cannot be read."""
    who = Rank.PEOPLE if rank == 0 else Rank.BULK
    calls = Calls(row["id"], run_id, who)
    config = ConnectionConfig(
        endpoint=row["endpoint"] or registry.spec_of(row["provider"]).endpoint,
        secrets=_secrets(row),
        settings=row["settings"] or {},
        marker=row["marker"] == "present",
    )
    wiring = Wiring(
        private_networks=private_networks(),
        budget=budget_of(row),
        breaker=breaker_of(row["id"]),
        log=calls,
        rank=who,
    )
    return Opened(registry.open_provider(row["provider"], config, wiring), calls)


@contextmanager
def opened(row: Row, *, rank: int = 0) -> Iterator[Opened]:
    """A client for a connection outside of any run; its calls are in the log at the end."""
    found = open_connection(row, run_id=None, rank=rank)
    try:
        yield found
    finally:
        found.calls.flush()


def _secrets(row: Row) -> dict[str, str]:
    keys = KeyRing.from_keys(current_app.config["CRM"].encryption_keys)
    organization_id, connection_id = str(row["organization_id"]), str(row["id"])
    try:
        return {
            field: keys.decrypt(value, Place(organization_id, "connection", connection_id, field))
            for field, value in (row["credentials"] or {}).items()
        }
    except SecretError as error:
        raise NeedsAttention(
            "The stored credentials cannot be read with the present keys. Enter them again."
        ) from error


def private_networks() -> tuple[Network, ...]:
    """Return the networks that may be reached although they are private: simulators on this
    machine.
    """
    return tuple(ip_network(text) for text in current_app.config["CRM"].private_endpoints)


def check_endpoint(endpoint: str) -> None:
    """Raise BadInput when the address guard would refuse an endpoint."""
    try:
        parse_endpoint(endpoint, Rules(hosts=(), private=private_networks()))
    except NotSent as refused:
        raise BadInput("endpoint", refused.sentence) from refused
