"""How a value of a conflict crosses to the other side: the stream's own rule, as the next sync will
apply it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import RuleFailed
from crm_admin.packs.registry import kinds
from crm_admin.records.kinds import Field, FieldType
from crm_admin.records.values import is_blank
from crm_admin.services.engine.streams import load_streams
from crm_admin.services.sql import Cursor
from crm_admin.sync.combining import combine
from crm_admin.sync.drafts import RuleUse
from crm_admin.sync.facts import Waiting


@dataclass(frozen=True, slots=True)
class Crossed:
    """A value as the other side will hold it, or the sentence that says why it cannot cross."""

    value: Json
    error: str = ""


Uses = dict[tuple[UUID, str], RuleUse]


def load_uses(cursor: Cursor, connection_ids: Sequence[UUID]) -> Uses:
    """Return the published rules of connections by stream and rule id."""
    return {
        (stream.id, use.rule.id): use
        for connection_id in dict.fromkeys(connection_ids)
        for remote_object in load_streams(cursor, connection_id, {})
        for stream in remote_object.streams
        for use in stream.facts.rules
    }


def to_ours(use: RuleUse | None, theirs: Json) -> Crossed:
    """Return their value in our spelling."""
    if use is None or use.rule.association:
        return Crossed(theirs)
    try:
        return Crossed(use.from_crm(theirs))
    except RuleFailed as failed:
        return Crossed(None, str(failed))


def to_theirs(use: RuleUse | None, ours: Json) -> Crossed:
    """Return our value in their spelling."""
    if use is None or use.rule.association:
        return Crossed(ours)
    try:
        return Crossed(use.to_crm(ours))
    except RuleFailed as failed:
        return Crossed(None, str(failed))
    except Waiting:
        return Crossed(None, "It waits for another record to be linked first.")


def field_of(kind: str, name: str) -> Field | None:
    """Return a field of a kind, None when either is gone."""
    found = kinds().get(kind)
    return next((field for field in found.fields if field.name == name), None) if found else None


def combined(
    field: Field | None, use: RuleUse | None, base: Json, ours: Json, theirs: Json
) -> Json:
    """Return the value proposed for both sides, None where there is none to propose."""
    if field is None or field.type is FieldType.REFERENCE:
        return None
    crossed = to_ours(use, theirs)
    if crossed.error or is_blank(crossed.value):
        return None
    return combine(field, base, ours, crossed.value)
