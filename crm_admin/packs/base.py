"""What a pack declares: kinds, fields it adds to kinds of others, first mappings, and its words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crm_admin.jsontypes import Json
from crm_admin.mapping.rules import FieldRule, FirstAgreement, Policy
from crm_admin.records.kinds import Field, RecordKind


@dataclass(frozen=True, slots=True)
class DefaultMapping:
    """The first mapping of a stream. `position` orders the streams of a connection: parents come
    first, and the narrower of two streams on one object before the wider. `optional` rules join
    only where the account has their field; of several for one field of ours the first that fits.
    """

    provider: str
    remote_object: str
    kind: str
    position: int
    rules: tuple[FieldRule, ...]
    filter: tuple[Mapping[str, Json], ...] = ()
    policy: Policy = Policy.NEWEST_WINS
    first_agreement: FirstAgreement = FirstAgreement.ASK
    optional: tuple[FieldRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """One vertical. `wording` holds sentences of pages by name, where the pack says things its own
    way.
    """

    name: str
    label: str
    kinds: tuple[RecordKind, ...] = ()
    extensions: Mapping[str, tuple[Field, ...]] = field(default_factory=dict)
    mappings: tuple[DefaultMapping, ...] = ()
    wording: Mapping[str, str] = field(default_factory=dict)
