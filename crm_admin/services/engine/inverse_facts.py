"""What taking an operation back is decided from, and what it leads to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.providers.base import RemoteRecord
from crm_admin.sync.drafts import Ours, StreamFacts
from crm_admin.sync.states import OperationAction, Side

Fields = Mapping[str, list[Json]]
"""By name [before, after, reason, rule]."""


class Verdict(StrEnum):
    BACK = "back"  # goes back, all of it or the fields that did not move
    STAYS = "stays"  # moved since, or nothing can bring it back
    ALREADY = "already"  # is as it was before


@dataclass(frozen=True, slots=True)
class Did:
    """An operation that was done, with the bases of its link as they stand now."""

    operation_id: UUID
    side: Side
    action: OperationAction
    fields: Fields
    done_at: datetime
    bases: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    reason_code: str = ""
    label: str = ""
    record_id: UUID | None = None
    link_id: UUID | None = None
    stream_id: UUID | None = None
    remote_object: str = ""
    remote_id: str | None = None
    base_ours: Mapping[str, Json] = field(default_factory=dict)
    base_theirs: Mapping[str, Json] = field(default_factory=dict)
    declined: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Both sides as they stand, and who takes back: edits of `runs` are not edits since."""

    crm: str
    actor: str
    run_id: UUID
    runs: frozenset[str]
    facts: StreamFacts | None
    ours: Ours | None
    theirs: RemoteRecord | None


@dataclass(frozen=True, slots=True)
class LinkBack:
    """What a link holds once its operation is taken back; `cleared` are rules that decline nothing
    any more.
    """

    base_ours: Mapping[str, Json] = field(default_factory=dict)
    base_theirs: Mapping[str, Json] = field(default_factory=dict)
    declined: Mapping[str, Json] = field(default_factory=dict)
    cleared: tuple[str, ...] = ()
    status: str | None = None

    def as_json(self) -> dict[str, Json]:
        """Return the shape an effect carries until its write is known to have happened."""
        return {
            "base_ours": dict(self.base_ours),
            "base_theirs": dict(self.base_theirs),
            "declined": dict(self.declined),
            "cleared": list(self.cleared),
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Back:
    """What one operation leads to. `reason` says why some or all of it stays.

    `changes` and `references` go to our record, `properties` and `associations` to theirs; `bases`
    are those that a later undo of this one puts back. `remade` is a record that has to be made
    there anew.
    """

    did: Did
    verdict: Verdict
    reason: str = ""
    action: OperationAction = OperationAction.SKIP
    code: str = "undo"
    fields: Fields = field(default_factory=dict)
    changes: Mapping[str, Json] = field(default_factory=dict)
    references: Mapping[str, str | None] = field(default_factory=dict)
    properties: Mapping[str, Json] = field(default_factory=dict)
    associations: Mapping[str, Json] = field(default_factory=dict)
    link: LinkBack | None = None
    bases: Mapping[str, Json] = field(default_factory=dict)
    remade: bool = False
