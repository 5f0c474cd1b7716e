"""Opens the way to a connection's CRM: secrets in clear only here, calls counted and logged, limits
shared.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, Final
from uuid import UUID

from crm_admin.errors import BadInput, RetryLater
from crm_admin.outward.failures import NotSent
from crm_admin.outward.guard import Rules, Target, check_addresses, parse_endpoint, resolve
from crm_admin.outward.protocols import Rank, RateBudget
from crm_admin.outward.transport import Wiring
from crm_admin.providers import registry
from crm_admin.providers.base import ConnectionConfig, Provider
from crm_admin.services import oauth_tokens
from crm_admin.services.budget import breaker_of, budget_of
from crm_admin.services.sealing import credentials_of
from crm_admin.services.sql import Row, transaction
from crm_admin.services.wiring import Calls, Capped, private_networks

__all__ = ["Calls", "Opened", "check_endpoint", "open_connection", "opened", "private_networks"]

RESOLVE_SECONDS: Final = 2.0

SPENT_TODAY = """
SELECT count(*) AS n, extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC')
       + interval '1 day' - now() AT TIME ZONE 'UTC') AS left_seconds
  FROM api_call WHERE connection_id = %s AND at >= date_trunc('day', now() AT TIME ZONE 'UTC')
       AT TIME ZONE 'UTC'
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """A client for one connection, and its calls."""

    provider: Provider
    calls: Calls


def open_connection(
    row: Row, *, run_id: UUID | None, rank: int, secrets: Mapping[str, str] | None = None
) -> Opened:
    """Return a client for a connection row, with `secrets` in place of the stored ones where given.

    NeedsAttention when its credentials cannot be read; RetryLater when bulk work has used up the
    connection's calls of the day. Call it outside of any transaction.
    """
    who = Rank.PEOPLE if rank == 0 else Rank.BULK
    limits = row["limits"] or {}
    if who is Rank.BULK:
        _keep_daily_budget(row, limits)
    calls = Calls(row["id"], run_id, who)
    signed_in = secrets is None and oauth_tokens.is_signed_in(row)
    config = ConnectionConfig(
        endpoint=row["endpoint"] or registry.spec_of(row["provider"]).endpoint,
        secrets=_secrets(row) if secrets is None else secrets,
        settings=row["settings"] or {},
        marker=row["marker"] == "present",
        tokens=oauth_tokens.of(row, calls) if signed_in else None,
    )
    wiring = Wiring(
        private_networks=private_networks(),
        budget=_budget(row, limits),
        breaker=breaker_of(row["id"]),
        log=calls,
        rank=who,
    )
    provider = registry.open_provider(row["provider"], config, wiring)
    batch = limits.get("batch")
    if isinstance(batch, int) and 0 < batch < provider.spec.batch_write:
        provider.spec = replace(provider.spec, batch_write=batch)
    return Opened(provider, calls)


@contextmanager
def opened(
    row: Row, *, rank: int = 0, secrets: Mapping[str, str] | None = None
) -> Iterator[Opened]:
    """A client for a connection outside of any run; its calls are in the log at the end."""
    found = open_connection(row, run_id=None, rank=rank, secrets=secrets)
    try:
        yield found
    finally:
        found.calls.flush()


def _secrets(row: Row) -> dict[str, str]:
    return credentials_of(row["organization_id"], row["id"]).opened(row["credentials"])


def _budget(row: Row, limits: Mapping[str, Any]) -> RateBudget:
    allowed = (limits.get("calls") or {}).get("")
    budget = budget_of(row)
    return Capped(budget, float(allowed[0]), float(allowed[1])) if allowed else budget


def _keep_daily_budget(row: Row, limits: Mapping[str, object]) -> None:
    """People may go on; runs and schedules wait until the day (UTC) is over."""
    daily = limits.get("daily_calls")
    if not isinstance(daily, int) or daily <= 0:
        return
    with transaction() as cursor:
        spent = cursor.execute(SPENT_TODAY, (row["id"],)).fetchone()
    if spent is not None and spent["n"] >= daily:
        raise RetryLater(
            max(60.0, float(spent["left_seconds"])),
            f"{row['name']} may make {daily:,} calls a day and has made {spent['n']:,} today."
            " Work goes on after midnight UTC; raise the limit in its settings to go on now.",
        )


def check_endpoint(endpoint: str, provider: str) -> None:
    """Raise BadInput when the address guard would refuse an endpoint: another host than the CRM's
    own must lie in the networks of PRIVATE_ENDPOINTS. "" stands for a provider not chosen yet.
    """
    hosts = registry.spec_of(provider).hosts if provider else ()
    rules = Rules(hosts=hosts, private=private_networks())
    try:
        target = parse_endpoint(endpoint, rules)
        if target.exempt_only:
            check_addresses(target, _addresses(target), rules)
    except NotSent as refused:
        raise BadInput("endpoint", refused.sentence) from refused


def _addresses(target: Target) -> Sequence[str]:
    try:
        return [str(ip_address(target.host))]
    except ValueError:
        return resolve(target.host, target.port, RESOLVE_SECONDS)
