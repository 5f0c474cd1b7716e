"""HubSpot as a provider: the verbs of the contract over its CRM API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from crm_admin import clock
from crm_admin.errors import NeedsAttention
from crm_admin.outward.failures import NotSent
from crm_admin.outward.transport import Endpoint, Wiring
from crm_admin.providers.auth import bearer, transport_for
from crm_admin.providers.base import (
    Account,
    Ask,
    CheckLine,
    ConnectionConfig,
    Ends,
    NewField,
    Outcome,
    Page,
    RemotePerson,
    RemoteRecord,
    RemoteSchema,
    Wire,
    Write,
)
from crm_admin.providers.hubspot import money
from crm_admin.providers.hubspot.associating import ends_of
from crm_admin.providers.hubspot.calls import Calls, scope_sentence
from crm_admin.providers.hubspot.checking import check_lines, read_account
from crm_admin.providers.hubspot.counting import count_records
from crm_admin.providers.hubspot.owners import read_owners
from crm_admin.providers.hubspot.payloads import rows, schema_of, table, text
from crm_admin.providers.hubspot.reading import (
    changed_page,
    find_by_values,
    list_page,
    read_by_id,
    with_associations,
)
from crm_admin.providers.hubspot.refusals import limits_told, read_refusal
from crm_admin.providers.hubspot.spec import DATED, ENDPOINT, GROUPS, HOSTS, PATHS, SPEC
from crm_admin.providers.hubspot.writing import write_records

FIELD_EXISTS = 409


class HubSpot:
    """One account, for as long as somebody works with it."""

    spec = SPEC

    def __init__(self, config: ConnectionConfig, wiring: Wiring) -> None:
        token = config.secrets.get("access_token", "").strip()
        if not token and config.tokens is None:
            raise NeedsAttention("The connection has no access token. Enter one in its settings.")
        version = config.settings.get("api_version") or DATED
        if version not in PATHS:
            raise NeedsAttention(f"HubSpot has no API version {version!r} that we know.")
        endpoint = Endpoint(
            url=config.endpoint or ENDPOINT,
            hosts=HOSTS,
            headers={} if config.tokens else bearer(token),
            secrets=tuple(config.secrets.values()),
            limits_told=limits_told,
        )
        try:
            self._transport = transport_for(endpoint, wiring, config.tokens)
        except NotSent as refused:
            raise NeedsAttention(refused.sentence) from refused
        self._calls = Calls(self._transport, PATHS[version])
        self._marker = config.marker

    def check(self, objects: Sequence[str]) -> Iterator[CheckLine]:
        """Yield the check list line by line; nothing is written."""
        return check_lines(self._calls, objects)

    def account(self) -> Account:
        """Return the account the token belongs to."""
        return read_account(self._calls)

    def clock_offset(self) -> float:
        """Return HubSpot's clock minus ours in seconds, 0 before the first answer."""
        return self._transport.clock_offset

    def describe(self, name: str) -> RemoteSchema:
        """Return the properties of an object as the account has them now."""
        path = f"{self._calls.paths.properties}/{name}?archived=false"
        return money.described(schema_of(name, self._calls.get(path)))

    def people(self) -> tuple[RemotePerson, ...]:
        """Return the account's owners, those who left among them."""
        return read_owners(self._calls)

    def changes(self, ask: Ask, cursor: str | None = None) -> Page:
        """Return one page: of the list for everything or archives, else of what changed."""
        properties = money.asked(ask.object, ask.properties)
        page = self._page(replace(ask, properties=properties), cursor)
        return replace(page, records=money.composed(ask.object, ask.properties, page.records))

    def _page(self, ask: Ask, cursor: str | None) -> Page:
        if ask.since is None or ask.archived:
            return list_page(self._calls, ask, cursor)
        if ask.until is None:
            theirs = clock.now() + timedelta(seconds=self._transport.clock_offset)
            ask = replace(ask, until=theirs)
        return changed_page(self._calls, ask, cursor)

    def get(
        self,
        name: str,
        ids: Sequence[str],
        properties: Sequence[str],
        associations: Sequence[str] = (),
    ) -> tuple[RemoteRecord, ...]:
        """Return the living records of these ids; merged ones carry the id that was asked for."""
        records = read_by_id(self._calls, name, ids, money.asked(name, properties))
        records = money.composed(name, properties, records)
        return with_associations(self._calls, name, records, associations)

    def find(
        self,
        name: str,
        field: str,
        values: Sequence[str],
        properties: Sequence[str],
    ) -> tuple[RemoteRecord, ...]:
        """Return living records with one of the values, past the index where it is unique."""
        names = money.asked(name, properties)
        found = find_by_values(self._calls, name, field, values, names)
        return money.composed(name, properties, found)

    def associations(
        self, name: str, ids: Sequence[str], others: Sequence[str]
    ) -> Mapping[str, Ends]:
        """Return what records are associated with, a thousand to a call, past the index."""
        return ends_of(self._calls, name, ids, others)

    def write(self, name: str, writes: Sequence[Write]) -> tuple[Outcome, ...]:
        """Return how each of up to a hundred writes ended; none is repeated in here."""
        return write_records(self._calls, name, writes, marker=self._marker)

    def count(self, name: str, lines: Sequence[Mapping[str, Wire]]) -> int:
        """Return how many living records hold every line of a filter, by HubSpot's index."""
        return count_records(self._calls, name, lines)

    def create_field(self, name: str, new: NewField) -> None:
        """Make the property exist; one that is there already is fine."""
        path = f"{self._calls.paths.properties}/{name}"
        answer = self._calls.make(
            path,
            {
                "name": new.name,
                "label": new.label,
                "type": "string",
                "fieldType": "text",
                "groupName": GROUPS.get(name) or self._group_of(path),
                "hasUniqueValue": new.unique,
            },
        )
        if answer.status == 403:
            raise NeedsAttention(scope_sentence(answer.data))
        if not answer.ok and answer.status != FIELD_EXISTS:
            said = self._transport.mask(read_refusal(answer.status, answer.data).sentence)
            raise NeedsAttention(f"HubSpot did not create the property {new.name}: {said}")

    def _group_of(self, path: str) -> str:
        """A property needs a group, and an object's own properties show one that exists."""
        found = (table(raw) for raw in rows(table(self._calls.get(path)).get("results")))
        return next((group for raw in found if (group := text(raw.get("groupName")))), "")
