"""What a decision is made of: the two sides it looked at and the writes it would make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from crm_admin.errors import present
from crm_admin.jsontypes import Json
from crm_admin.mapping.rules import FieldRule, FirstAgreement
from crm_admin.providers.base import RemoteRecord
from crm_admin.records.kinds import RecordKind
from crm_admin.sync.merge import Declined, RuleFacts
from crm_admin.sync.states import Creates, LinkStatus, OperationAction, Side, StreamDirection

PARKED = "remote:"
"""Prefix of a reference of ours whose target is known only by its id in the CRM."""


@dataclass(frozen=True, slots=True)
class RuleUse:
    """A rule ready to run: its facts for the merge and its two translations."""

    rule: FieldRule
    facts: RuleFacts
    from_crm: Callable[[Json], Json]
    to_crm: Callable[[Json], Json]


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a decision needs of a stream; `decisions` are a person's first-agreement choices by
    rule.

    `primary` says that this stream's connection is the kind's primary; `primary_connection` names
    that one.
    """

    stream_id: UUID
    remote_object: str
    kind: RecordKind
    direction: StreamDirection
    creates: Creates
    version: int
    rules: tuple[RuleUse, ...]
    filter: tuple[Mapping[str, Json], ...] = ()
    primary: bool = False
    primary_connection: str = ""
    decisions: Mapping[str, FirstAgreement] = field(default_factory=dict)

    @property
    def sends(self) -> bool:
        if self.direction is StreamDirection.TO_PRIMARY:
            return self.primary
        return self.direction in {StreamDirection.BOTH, StreamDirection.TO_CRM}

    @property
    def takes(self) -> bool:
        return self.direction in {StreamDirection.BOTH, StreamDirection.FROM_CRM}


@dataclass(frozen=True, slots=True)
class Ours:
    """A record of ours. `references` holds per field the target's id, or PARKED plus an id in the
    CRM.
    """

    record_id: UUID
    version: int
    data: Mapping[str, Json]
    title: str
    created_at: datetime
    origin: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    references: Mapping[str, str | None] = field(default_factory=dict)
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """A link with its bases, by rule id; `conflicts` are the rules with an open conflict.

    `remote_updated_at` is the stamp of theirs that we know, `remote_read_at` the one of our last
    read where a write of ours has moved it since. `mapping_version` is of the last agreement.
    """

    link_id: UUID
    stream_id: UUID
    status: LinkStatus
    base_ours: Mapping[str, Json]
    base_theirs: Mapping[str, Json]
    declined: Mapping[str, Declined]
    ours_version: int
    remote_id: str | None
    remote_updated_at: datetime | None
    error: str | None = None
    conflicts: frozenset[str] = frozenset()
    remote_read_at: datetime | None = None
    mapping_version: int | None = None


@dataclass(frozen=True, slots=True)
class References:
    """Which record a remote id is linked to, and the other way round, for one slice."""

    record_of: Mapping[tuple[str, str], str]
    remote_of: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of one subject. A pair without link but with both sides was matched by
    `matched_by`.
    """

    ours: Ours | None
    theirs: RemoteRecord | None
    link: Linked | None = None
    matched_by: str = ""
    theirs_clock_offset: float = 0.0

    @property
    def here(self) -> Ours:
        """Our side of a pair that has one."""
        return present(self.ours)

    @property
    def there(self) -> RemoteRecord:
        """Their side of a pair that has one."""
        return present(self.theirs)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """One operation to be: `fields` is {name: [before, after, reason, rule]}, `inputs` what the
    merge saw by rule.

    `withheld` waits for the guard at the end of the pass.
    """

    side: Side
    action: OperationAction
    fields: Mapping[str, list[Json]] = field(default_factory=dict)
    inputs: Mapping[str, Json] = field(default_factory=dict)
    reason_code: str = ""
    reason: str = ""
    error_field: str | None = None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class ConflictDraft:
    """A collision: open, or already settled by policy with the losing value kept."""

    rule_id: str
    field: str
    base: Json
    ours: Json
    theirs: Json
    settled: bool


@dataclass(slots=True)
class Decided:
    """Everything one pair leads to. Bases are by rule id.

    `take` and `references` are new values of ours; `send` and `associate` go to the CRM, and once
    that
    succeeded `sent` (rule → our value) and the values the CRM returned become the new bases. While
    `rewriting`, the link was last agreed on under an older mapping.
    """

    pair: Pair
    drafts: list[Draft] = field(default_factory=list)
    take: dict[str, Json] = field(default_factory=dict)
    references: dict[str, str | None] = field(default_factory=dict)
    send: dict[str, Json] = field(default_factory=dict)
    associate: dict[str, str | None] = field(default_factory=dict)
    base_ours: dict[str, Json] = field(default_factory=dict)
    base_theirs: dict[str, Json] = field(default_factory=dict)
    sent: dict[str, Json] = field(default_factory=dict)
    conflicts: list[ConflictDraft] = field(default_factory=list)
    closed_conflicts: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    parked: bool = False
    asked: int = 0
    rewriting: bool = False

    @property
    def creates_ours(self) -> bool:
        return any(d.action is OperationAction.CREATE and d.side is Side.OURS for d in self.drafts)

    @property
    def creates_theirs(self) -> bool:
        return any(
            d.action is OperationAction.CREATE and d.side is Side.THEIRS for d in self.drafts
        )

    @property
    def writes(self) -> bool:
        """Whether anything is written to either side."""
        return bool(self.take or self.references or self.send or self.associate)
