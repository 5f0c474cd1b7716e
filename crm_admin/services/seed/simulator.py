"""Fills the simulated HubSpot through its own controls, over HTTP like everything else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from flask import current_app

from crm_admin.errors import Unavailable
from crm_admin.jsontypes import Json
from crm_admin.outward.calls import Request
from crm_admin.outward.failures import CallFailed
from crm_admin.outward.transport import Endpoint, Transport, Wiring
from crm_admin.services.remote import private_networks
from crm_admin.services.seed.theirs import Item

PROVIDER: Final = "hubspot"
TOKEN: Final = "pat-na1-demo-00000000-0000-4000-8000-000000000001"  # noqa: S105  # of no real account


@dataclass(frozen=True, slots=True)
class Hint:
    """What a person types to connect the simulated HubSpot."""

    provider: str
    environment: str
    endpoint: str
    token: str


def hint() -> Hint | None:
    """Return what the connection page offers beside its form; None where no simulators run."""
    simulator_url = current_app.config["CRM"].simulator_url
    if not simulator_url:
        return None
    return Hint(PROVIDER, "simulator", endpoint(simulator_url), TOKEN)


def endpoint(simulator_url: str) -> str:
    """Return the address of the simulated HubSpot, as a connection takes it."""
    return f"{simulator_url.rstrip('/')}/{PROVIDER}"


def load(simulator_url: str, records: Mapping[str, Sequence[Item]]) -> dict[str, int]:
    """Put the records into an empty simulator; return how many of each object.

    A simulator that holds any record is left as it is. Unavailable when it does not answer.
    """
    transport = _transport(simulator_url)
    try:
        if any(_ask(transport, f"/_sim/records?object={name}&limit=1") for name in records):
            return {}
        body = {name: [item.as_json() for item in items] for name, items in records.items()}
        _send(transport, Request("POST", "/_sim/load", orjson.dumps(body)))
    finally:
        transport.close()
    return {name: len(items) for name, items in records.items()}


def reset(simulator_url: str) -> None:
    """Empty the simulator, so that the next load fills it anew."""
    transport = _transport(simulator_url)
    try:
        _send(transport, Request("POST", "/_sim/reset", b"{}"))
    finally:
        transport.close()


def _transport(simulator_url: str) -> Transport:
    wiring = Wiring(private_networks=private_networks())
    return Transport(Endpoint(endpoint(simulator_url)), wiring)


def _ask(transport: Transport, path: str) -> bool:
    answer = _send(transport, Request("GET", path))
    return isinstance(answer, dict) and bool(answer.get("total"))


def _send(transport: Transport, request: Request) -> Json:
    try:
        answer = transport.send(request)
    except CallFailed as failure:
        raise Unavailable(
            f"The simulated HubSpot cannot be filled: {failure.sentence} Check SIMULATOR_URL,"
            " and that the simulators run (`flask crm simulate`)."
        ) from failure
    if not answer.ok:
        raise Unavailable(f"The simulated HubSpot refused {request.path} with {answer.status}.")
    return answer.data
