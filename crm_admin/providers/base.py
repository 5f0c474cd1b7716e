"""The contract between the engine and a CRM: its facts, its calls and the shapes that cross.

A wire value is what JSON of the CRM holds. Ids are text. Absent, null and "" stay three different
values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from crm_admin.jsontypes import Json

Wire = Json


class Former(NamedTuple):
    """An id a record had before; of another object when the CRM converted it (a lead, say)."""

    object: str
    id: str


@dataclass(frozen=True, slots=True)
class Ends:
    """The ids a record is associated with, per other object; see RemoteRecord for their order."""

    ids: Mapping[str, tuple[str, ...]]
    primaries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteRecord:
    """One record as the CRM returned it. `asked_id` differs from `id` when the CRM merged the asked
    one away.

    `associations` holds, per other object that was asked for, the ids with the primary first, else
    in one fixed order; `primaries` names the objects whose first id the CRM itself calls the
    primary. `former` are ids under which the record was known before a merge or conversion there.
    """

    id: str
    properties: Mapping[str, Wire]
    updated_at: datetime | None
    archived: bool = False
    asked_id: str | None = None
    associations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    primaries: tuple[str, ...] = ()
    created_at: datetime | None = None
    former: tuple[Former, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """What to read of one object: everything when `since` is None, else what changed in [since,
    until].

    `until` is on the CRM's clock. `archived` asks for archived records instead of living ones.
    """

    object: str
    properties: tuple[str, ...]
    associations: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Records and the opaque cursor of the next page; no cursor means the pass is complete.

    `total` is how many records the whole pass has, where the CRM tells it with the first page.
    """

    records: tuple[RemoteRecord, ...]
    cursor: str | None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteOption:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class RemoteField:
    """A described field; `type` is a value of records.kinds.FieldType."""

    name: str
    label: str
    type: str
    options: tuple[RemoteOption, ...] = ()
    read_only: bool = False
    required: bool = False
    unique: bool = False
    custom: bool = False


@dataclass(frozen=True, slots=True)
class RemoteSchema:
    object: str
    fields: tuple[RemoteField, ...]


@dataclass(frozen=True, slots=True)
class RemotePerson:
    """Somebody who may own records there; one who left is not `active` and may still own some."""

    id: str
    email: str
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class NewField:
    """A text field to create in the CRM (our key marker)."""

    name: str
    label: str
    unique: bool


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Association:
    """References of one record to records of another object: ids to add and ids to take away.

    With `leads` the first added one becomes the primary one, where the CRM knows such.
    """

    object: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """One write. `trace` is unique in its call and comes back in the outcome.

    A create with a `marker` must be repeatable without making a second record (upsert by the marker
    field).
    """

    trace: str
    action: Action
    id: str | None = None
    marker: str | None = None
    properties: Mapping[str, Wire] = field(default_factory=dict)
    associations: tuple[Association, ...] = ()


class Ending(StrEnum):
    """How a write ended, by what the caller does next (RELIABILITY.md, section 3)."""

    DONE = "done"
    REJECTED = "rejected"  # surely no effect; sentence and perhaps field say why
    LATER = "later"  # surely no effect; try again, after `after_seconds` where given
    UNKNOWN = "unknown"  # may have happened
    GONE = "gone"  # the record, or its object, is not there (404, 410)
    EXISTS = (
        "exists"  # another record holds the unique key; `existing_id` names it where the CRM does
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one write; `record` is what the CRM returned, in full or only with what was
    written.
    """

    trace: str
    ending: Ending
    record: RemoteRecord | None = None
    created: bool = False
    field: str | None = None
    code: str = ""
    sentence: str = ""
    existing_id: str | None = None
    after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line of the check list: `ok` None means it could not be tried because an earlier line
    failed.
    """

    name: str
    label: str
    ok: bool | None
    sentence: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    environment: str
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """A remote object: how it is called, which kind of ours it usually is, which field carries its
    modified stamp.

    `type_id` is how addresses of its records name the object, where that differs. `former_field` is
    asked for with every record, so that its former ids are known.
    """

    name: str
    label: str
    plural: str
    kind: str
    modified_field: str
    title_fields: tuple[str, ...]
    unique_fields: tuple[str, ...] = ()
    associations: tuple[str, ...] = ()
    type_id: str = ""
    former_field: str = ""


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """One field of the connection form."""

    name: str
    label: str
    secret: bool = False
    required: bool = False
    order: int = 0
    help: str = ""


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """What is known about a CRM without asking it. `record_url` takes {account}, {object_type} and
    {id}; `hosts` are patterns of its own hosts, none for any.
    """

    name: str
    label: str
    endpoint: str
    settings: tuple[SettingSpec, ...]
    objects: tuple[ObjectSpec, ...]
    marker_field: str
    upsert_key: bool
    page_size: int
    batch_read: int
    batch_write: int
    index_lag_seconds: float
    overlap_seconds: float
    record_url: str = ""
    docs_url: str = ""
    hosts: tuple[str, ...] = ()

    def object(self, name: str) -> ObjectSpec:
        """Return the object of that name; KeyError when the CRM has none."""
        for spec in self.objects:
            if spec.name == name:
                return spec
        raise KeyError(name)


class Tokens(Protocol):
    """The token of a connection while a client works; several processes share one sign-in."""

    def current(self) -> str:
        """Return a token that is good for some minutes. RetryLater, NeedsAttention as usual."""

    def renewed(self, refused: str) -> str:
        """Return another token than the one the CRM refused; NeedsAttention when there is none."""

    def worked(self, token: str) -> None:
        """Note that the CRM accepted a token: what came before it is not needed any more."""


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """What a client needs to reach one account; `secrets` are in clear and live only as long as the
    client.
    """

    endpoint: str
    secrets: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    marker: bool = False  # the marker field exists in the account, so creates are repeatable
    tokens: Tokens | None = None  # a sign-in that is renewed, in place of a token among the secrets


class Provider(Protocol):
    """The verbs of a CRM. Each ends in a value or in an error of errors.py that says what to do
    next.

    RetryLater: nothing happened, come back. NeedsAttention: credentials or scopes; a person must
    act.
    ProviderBroken: nonsense or no answer to a read. Writes never raise for a single record: see
    Outcome.
    """

    spec: ProviderSpec

    def check(self, objects: Sequence[str]) -> Iterator[CheckLine]:
        """Yield the check list line by line: address, credentials, account, scopes, fields, write,
        clock.
        """

    def account(self) -> Account:
        """Return the account the credentials belong to."""

    def clock_offset(self) -> float:
        """Return their clock minus ours in seconds, from the last answer's Date header; 0 before
        the first.
        """

    def describe(self, name: str) -> RemoteSchema:
        """Return the fields of an object as the account has them now."""

    def people(self) -> tuple[RemotePerson, ...]:
        """Return everybody who may own records; NeedsAttention when the right to is missing."""

    def changes(self, ask: Ask, cursor: str | None = None) -> Page:
        """Return one page of a pass; a repeated cursor or a page without results key raises
        ProviderBroken.
        """

    def get(
        self,
        name: str,
        ids: Sequence[str],
        properties: Sequence[str],
        associations: Sequence[str] = (),
    ) -> tuple[RemoteRecord, ...]:
        """Return the living records of these ids in any order, any number of ids; unknown ones are
        left out.
        """

    def find(
        self, name: str, field: str, values: Sequence[str], properties: Sequence[str]
    ) -> tuple[RemoteRecord, ...]:
        """Return living records whose unique field has one of the values, read past the search
        index where possible.
        """

    def associations(
        self, name: str, ids: Sequence[str], others: Sequence[str]
    ) -> Mapping[str, Ends]:
        """Return what records are associated with, many per call, unknown ones without any; fields
        and stamps are not read.
        """

    def write(self, name: str, writes: Sequence[Write]) -> tuple[Outcome, ...]:
        """Do up to `spec.batch_write` writes of one action and return one outcome for each, in the
        order given.
        """

    def create_field(self, name: str, new: NewField) -> None:
        """Make the field exist (an existing one is fine); NeedsAttention when the right to do so is
        missing.
        """


@runtime_checkable
class Counts(Protocol):
    """What a client can do beside that whose CRM counts without reading."""

    def count(self, name: str, lines: Sequence[Mapping[str, Wire]]) -> int:
        """Return how many living records of an object hold every line of a stream's filter."""
