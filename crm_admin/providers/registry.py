"""The providers there are: one line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crm_admin.outward.transport import Wiring
from crm_admin.providers.auth import SignIn
from crm_admin.providers.base import ConnectionConfig, Provider, ProviderSpec
from crm_admin.providers.hubspot import client as hubspot
from crm_admin.providers.hubspot import spec as hubspot_spec
from crm_admin.providers.hubspot.oauth import HubSpotSignIn


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider's facts, its limits (calls per seconds by bucket), how to open an account, and how
    people sign in to it where it knows OAuth.
    """

    spec: ProviderSpec
    limits: Mapping[str, tuple[int, float]]
    open: Callable[[ConnectionConfig, Wiring], Provider]
    sign_in: SignIn | None = None


ENTRIES: Mapping[str, Entry] = {
    entry.spec.name: entry
    for entry in (Entry(hubspot_spec.SPEC, hubspot_spec.LIMITS, hubspot.HubSpot, HubSpotSignIn()),)
}


def specs() -> tuple[ProviderSpec, ...]:
    """Return what is known of every provider, in the order people choose from."""
    return tuple(entry.spec for entry in ENTRIES.values())


def spec_of(name: str) -> ProviderSpec:
    """Return the facts of a provider; KeyError when there is none of that name."""
    return ENTRIES[name].spec


def limits_of(name: str) -> Mapping[str, tuple[int, float]]:
    """Return the limits a budget starts from; what answers tell goes before them."""
    return ENTRIES[name].limits


def sign_in_of(name: str) -> SignIn | None:
    """Return how people sign in to a provider by OAuth; None where only keys are known."""
    return ENTRIES[name].sign_in


def open_provider(name: str, config: ConnectionConfig, wiring: Wiring) -> Provider:
    """Return a client of one account; nothing is called yet.

    NeedsAttention when the credentials or the address cannot be used at all.
    """
    return ENTRIES[name].open(config, wiring)
