"""Records of the CRM without a link, translated once for matching and for creating."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from crm_admin.ids import new_id_text
from crm_admin.providers.base import RemoteRecord
from crm_admin.records.identity import Key, keys_of
from crm_admin.records.values import promoted
from crm_admin.services.engine.streams import RemoteObject, Stream
from crm_admin.services.sql import cell, dumps, json_cell
from crm_admin.sync.columns import translate_all
from crm_admin.sync.filters import matches
from crm_admin.sync.newcomers import Newcomer, becomes_record


@dataclass(frozen=True, slots=True)
class Ready:
    """A record to be and its link as COPY takes them: the cells of their common row, and a row per
    key.
    """

    record_id: str
    cells: str
    keys: str


@dataclass(slots=True)
class Unlinked:
    """A record of the CRM, the stream it would belong to, and what it would be here.

    `ready` holds its rows where there was time to make them and no reference waits for a look-up.
    """

    record: RemoteRecord
    stream: Stream
    made: Newcomer
    keys: tuple[Key, ...]
    ready: Ready | None = None


def unlinked_all(remote: RemoteObject, records: Sequence[RemoteRecord]) -> dict[str, Unlinked]:
    """Return by id what records would be, each in the first stream whose filter it passes; those
    that pass none are left out.
    """
    groups: dict[UUID, list[RemoteRecord]] = defaultdict(list)
    streams = {stream.id: stream for stream in remote.streams}
    for record in records:
        for stream in remote.streams:
            lines = stream.facts.filter
            if not lines or matches(lines, record.properties):
                groups[stream.id].append(record)
                break
    found: dict[str, Unlinked] = {}
    for stream_id, group in groups.items():
        stream = streams[stream_id]
        kind, made = stream.facts.kind, translate_all(group, stream.facts.rules)
        for record, one in zip(group, made, strict=True):
            found[record.id] = Unlinked(record, stream, one, keys_of(kind, one.data))
    return found


def make_ready(unlinked: Sequence[Unlinked]) -> None:
    """Make the rows of those that could become records now, where no reference waits for a
    look-up.
    """
    for one in unlinked:
        if not one.made.targets and becomes_record(one.stream.facts, one.made):
            one.ready = ready_of(one)


def ready_of(one: Unlinked) -> Ready:
    """Return the rows of a record to be, under an id of its own."""
    made, record = one.made, one.record
    plain = promoted(one.stream.facts.kind, made.data)
    record_id = new_id_text()
    cells = (
        record_id,
        new_id_text(),
        cell(record.id),
        cell(record.updated_at),
        cell(" ".join([text for _, text in made.failures]) or None),
        json_cell(orjson.dumps(made.data).decode()),
        json_cell(dumps(made.base_ours)),
        json_cell(dumps(made.base_theirs)),
        cell(plain.title),
        cell(plain.status),
        cell(plain.owner_id),
        cell(plain.amount),
        cell(plain.due_on),
    )
    keys = [
        f"{record_id}\t{key.type}\t{cell(key.value)}\t{'t' if key.strong else 'f'}\n"
        for key in one.keys
    ]
    return Ready(record_id, "\t".join(cells) + "\n", "".join(keys))
