"""Writes the demo organisation's records, all of them in the caller's one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from crm_admin.ids import new_id
from crm_admin.packs.registry import kinds
from crm_admin.services.record_store import NewRecord, insert_records
from crm_admin.services.seed.made import Made, World
from crm_admin.services.sql import Cursor

ONE_SEED = 0x44454D4F
"""The transaction lock that keeps two seeds apart."""


def write_world(
    cursor: Cursor, organization_id: UUID, world: World, people: Sequence[UUID]
) -> dict[str, int]:
    """Insert the records into an organisation that has none; return how many of each kind.

    An organisation with any record, even a deleted one, is left as it is. Of two seeds at once the
    second finds the records of the first.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (ONE_SEED,))
    if cursor.execute("SELECT 1 FROM record LIMIT 1").fetchone():
        return {}
    ids = {kind: [new_id() for _ in made] for kind, made in world.by_kind.items()}
    for kind, made in world.by_kind.items():
        insert_records(cursor, organization_id, list(_rows(kind, made, ids, people)))
    return {kind: len(made) for kind, made in world.by_kind.items()}


def _rows(
    kind: str, made: Sequence[Made], ids: Mapping[str, Sequence[UUID]], people: Sequence[UUID]
) -> Iterator[NewRecord]:
    declared = kinds()[kind]
    for record_id, one in zip(ids[kind], made, strict=True):
        owner = {} if one.owner is None else {"owner": str(people[one.owner])}
        references = {
            name: str(ids[declared.field(name).target][place])
            for name, place in one.references.items()
        }
        yield NewRecord(record_id, declared, {**one.data, **owner}, references, one.external_id)
