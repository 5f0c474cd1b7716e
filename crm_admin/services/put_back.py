"""Takes one change of the time line back, as an edit like any other: it is noted, sent, and can be
taken back itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_admin.errors import BadInput, NotFound
from crm_admin.jsontypes import Json
from crm_admin.packs.registry import kinds
from crm_admin.records.values import same
from crm_admin.services import record_scope, records
from crm_admin.services.access import Person
from crm_admin.services.engine.gather import load_ours
from crm_admin.services.sql import transaction


@dataclass(frozen=True, slots=True)
class PutBack:
    """The labels of the fields that have their old value again, and of those that stayed."""

    back: Sequence[str]
    stayed: Sequence[str]


ENTRY = """
SELECT o.fields, o.actor, r.kind, r.version FROM operation o
  JOIN record r ON r.organization_id = o.organization_id AND r.id = o.record_id
 WHERE o.record_id = %s AND o.id = %s AND o.side = 'ours' AND o.action = 'update'
   AND o.state = 'done' AND r.deleted_at IS NULL
"""


def put_back(*, person: Person, record_id: UUID, operation_id: UUID) -> PutBack:
    """Give the fields of one change of ours the value they had before it.

    A field that was changed again since stays and is named. BadInput when none is left to put back.
    """
    with transaction() as cursor:
        record_scope.require_record(cursor, person, record_id)
        row = cursor.execute(ENTRY, (record_id, operation_id)).fetchone()
        if row is None:
            raise NotFound("This change is not in the time line any more.")
        ours = load_ours(cursor, records.NO_CONNECTION, [record_id])[record_id]
    kind = kinds()[row["kind"]]
    known = {field.name: field.label for field in kind.fields}
    held: Mapping[str, Json] = {**ours.data, **ours.references}
    changes: dict[str, Json] = {}
    for name, values in row["fields"].items():
        if name in known and same(held.get(name), values[1]):
            changes[name] = values[0]
    stayed = [known.get(name, name) for name in row["fields"] if name not in changes]
    if not changes:
        raise BadInput("", "It was changed again since, so nothing was put back.")
    who = row["actor"] or "a sync"
    records.save(
        person=person,
        record_id=record_id,
        changes=changes,
        seen_version=row["version"],
        reason=f"Took back a change made by {who}.",
    )
    return PutBack([known[name] for name in changes], stayed)
