"""Reads the people of an account who may own records."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from crm_admin.errors import ProviderBroken
from crm_admin.jsontypes import Json
from crm_admin.providers.base import RemotePerson
from crm_admin.providers.hubspot.calls import Calls
from crm_admin.providers.hubspot.payloads import next_of, results_of, table, text

PAGE = 100
MOST_PAGES = 200


def read_owners(calls: Calls) -> tuple[RemotePerson, ...]:
    """Return every owner with an e-mail address; one who left counts as not active."""
    return tuple(
        person
        for archived in ("false", "true")
        for raw in _all(calls, archived)
        if (person := _person(raw, active=archived == "false")).id and person.email
    )


def _all(calls: Calls, archived: str) -> Iterator[Mapping[str, Json]]:
    after: str | None = None
    for _ in range(MOST_PAGES):
        query = {"limit": str(PAGE), "archived": archived, **({"after": after} if after else {})}
        data = calls.get(f"{calls.paths.owners}?{urlencode(query)}")
        yield from map(table, results_of(data))
        following = next_of(data)
        if following is None:
            return
        if following == after:
            raise ProviderBroken("HubSpot sent the same page of owners twice.")
        after = following


def _person(raw: Mapping[str, Json], *, active: bool) -> RemotePerson:
    name = f"{text(raw.get('firstName'))} {text(raw.get('lastName'))}".strip()
    return RemotePerson(text(raw.get("id")), text(raw.get("email")), name, active)
