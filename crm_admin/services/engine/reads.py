"""What was read for one slice, before it is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.streams import RemoteObject, Stream
from crm_admin.services.engine.unlinked import Unlinked


@dataclass(slots=True)
class Read:
    """Records of one remote object, and ours that are to be looked at beside them.

    `choices` are decisions of a person, {remote id: record id or "new"}. `prepared` holds what was
    translated ahead, by remote id, of these very records.
    """

    remote: RemoteObject
    records: Sequence[RemoteRecord] = ()
    stream: Stream | None = None
    record_ids: Sequence[UUID] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    prepared: Mapping[str, Unlinked] = field(default_factory=dict)
