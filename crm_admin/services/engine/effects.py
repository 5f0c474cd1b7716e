"""Open writes to a CRM: planned here, sent by push, settled when their outcome is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, dumps


@dataclass(frozen=True, slots=True)
class NewEffect:
    """A write to plan; `sent` is our value per rule and `version` our record's, for the bases and
    the outbox.
    """

    operation_id: UUID
    stream_id: UUID | None
    record_id: UUID | None
    link_id: UUID | None
    remote_object: str
    remote_id: str | None
    action: str
    marker: str | None
    properties: Mapping[str, Json]
    associations: Mapping[str, Json]
    sent: Mapping[str, Json]
    version: int
    restore: Mapping[str, Json] | None = None


def write_effects(cursor: Cursor, work: Work, effects: Sequence[NewEffect]) -> None:
    """Insert effects as planned; nothing is sent before the caller's transaction has committed."""
    if not effects:
        return
    cursor.executemany(
        "INSERT INTO effect (organization_id, id, connection_id, stream_id, run_id, operation_id,"
        " run_at, record_id,"
        " link_id, remote_object, remote_id, action, marker, fields, associations, expected,"
        " state, attempts,"
        " created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,"
        " 'planned', 0, now())",
        [
            (
                work.organization_id,
                new_id(),
                work.connection_id,
                effect.stream_id,
                work.run_id,
                effect.operation_id,
                work.run_at,
                effect.record_id,
                effect.link_id,
                effect.remote_object,
                effect.remote_id,
                effect.action,
                effect.marker,
                dumps(effect.properties),
                dumps(effect.associations),
                dumps({"sent": effect.sent, "version": effect.version, "restore": effect.restore}),
            )
            for effect in effects
        ],
    )
