"""Records of the CRM without a link, translated once for matching and for creating."""

from dataclasses import dataclass

from crm_admin.providers.base import RemoteRecord
from crm_admin.records.identity import Key, keys_of
from crm_admin.services.engine.streams import RemoteObject, Stream
from crm_admin.sync.filters import matches
from crm_admin.sync.newcomers import Newcomer, translate


@dataclass(slots=True)
class Unlinked:
    """A record of the CRM, the stream it would belong to, and what it would be here."""

    record: RemoteRecord
    stream: Stream
    made: Newcomer
    keys: tuple[Key, ...]


def unlinked_of(remote: RemoteObject, record: RemoteRecord) -> Unlinked | None:
    """Return what a record would be in the first stream whose filter it passes; None in none."""
    for stream in remote.streams:
        if matches(stream.facts.filter, record.properties):
            made = translate(record, stream.facts.rules)
            return Unlinked(record, stream, made, keys_of(stream.facts.kind, made.data))
    return None
