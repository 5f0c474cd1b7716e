"""Brings both sides of a slice together: links, records, references, conflicts, and matches for
what is not linked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from crm_admin.errors import present
from crm_admin.jsontypes import Json
from crm_admin.providers.base import RemoteRecord
from crm_admin.records.identity import Key
from crm_admin.records.values import is_blank
from crm_admin.services.engine.known import links_of_remotes, names_of, pick
from crm_admin.services.engine.look_ups import look_up
from crm_admin.services.engine.streams import RemoteObject, Stream
from crm_admin.services.engine.unlinked import Unlinked
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, id_array
from crm_admin.sync.drafts import PARKED, Linked, Ours, Pair, References
from crm_admin.sync.filters import matches
from crm_admin.sync.merge import Declined
from crm_admin.sync.newcomers import Newcomer
from crm_admin.sync.states import LinkStatus, Side


class Standing(StrEnum):
    """How a subject may be treated."""

    PAIR = "pair"  # decide it
    EXCLUDED = "excluded"  # left out by the filter, or unlinked and nobody's
    REVIEW = "review"  # look-alikes for a person
    TWIN = "twin"  # the CRM holds two records of one of ours
    BLOCKED = "blocked"  # a write to it is still open
    CLOSED = "closed"  # detached, gone or deleted here: neither taken nor sent


@dataclass(frozen=True, slots=True)
class Candidate:
    record_id: UUID
    title: str
    score: float
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Subject:
    """One pair of a slice and how it stands; `newcomer` and `keys` of a record without link were
    made to match it.
    """

    stream: Stream
    pair: Pair
    standing: Standing = Standing.PAIR
    candidates: tuple[Candidate, ...] = ()
    reason: str = ""
    newcomer: Newcomer | None = None
    keys: tuple[Key, ...] | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """A record that the CRM knows by more ids than one: the link that stays, and those that met
    it.
    """

    link: Row
    record: RemoteRecord
    lost: Sequence[Row] = ()


@dataclass(slots=True)
class Slice:
    """The subjects of one slice, with the id look-ups that its references need.

    `newcomers` become records of ours without further decision; only a pass that writes at once
    has them apart from the subjects.
    """

    subjects: list[Subject] = field(default_factory=list)
    newcomers: list[Unlinked] = field(default_factory=list)
    references: References = field(default_factory=lambda: References({}, {}))
    merged: list[Merged] = field(default_factory=list)
    seen_again: list[UUID] = field(default_factory=list)


RECORDS = """
SELECT id, version, data, title, created_at, origin, deleted_at, merged_into FROM record
 WHERE id = ANY(%s::uuid[])
"""


# Most slices meet neither: one look spares sending a thousand ids.
ANY_CONFLICT = "SELECT 1 FROM conflict WHERE state = 'open' LIMIT 1"
NO_IDS = id_array(())


def load_ours(cursor: Cursor, connection_id: UUID, record_ids: Iterable[UUID]) -> dict[UUID, Ours]:
    """Return records with their references; those parked on this connection keep the id they have
    in the CRM.
    """
    ids = id_array(record_ids)
    if ids == NO_IDS:
        return {}
    references: dict[UUID, dict[str, str | None]] = {}
    for row in cursor.execute(
        "SELECT record_id, field, target_id, remote_id FROM reference"
        " WHERE record_id = ANY(%s::uuid[])"
        " AND (target_id IS NOT NULL OR connection_id = %s) ORDER BY position DESC",
        (ids, connection_id),
    ).fetchall():
        value = str(row["target_id"]) if row["target_id"] else f"{PARKED}{row['remote_id']}"
        references.setdefault(row["record_id"], {})[row["field"]] = value
    return {
        row["id"]: Ours(
            record_id=row["id"],
            version=row["version"],
            data=row["data"],
            title=row["title"] or "",
            created_at=row["created_at"],
            origin=row["origin"] or {},
            references=references.get(row["id"], {}),
            deleted=row["deleted_at"] is not None or row["merged_into"] is not None,
        )
        for row in cursor.execute(RECORDS, (ids,)).fetchall()
    }


def linked_from(row: Row, conflicts: frozenset[str]) -> Linked:
    """Return a link row as the merge sees it."""
    return Linked(
        link_id=row["id"],
        stream_id=row["stream_id"],
        status=LinkStatus(row["status"]),
        base_ours=row["base_ours"] or {},
        base_theirs=row["base_theirs"] or {},
        declined={
            rule: Declined(Side(entry["side"]), entry["hash"])
            for rule, entry in (row["declined"] or {}).items()
        },
        ours_version=row["ours_version"] or 0,
        remote_id=row["remote_id"],
        remote_updated_at=row["remote_updated_at"],
        error=row["error"],
        conflicts=conflicts,
        remote_read_at=row["remote_read_at"],
        mapping_version=row["mapping_version"],
    )


def open_conflicts(cursor: Cursor, link_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    """Return, per link, the rules with an open conflict."""
    found: dict[UUID, set[str]] = {}
    if link_ids and cursor.execute(ANY_CONFLICT).fetchone():
        for row in cursor.execute(
            "SELECT link_id, rule_id FROM conflict"
            " WHERE link_id = ANY(%s::uuid[]) AND state = 'open'",
            (id_array(link_ids),),
        ).fetchall():
            found.setdefault(row["link_id"], set()).add(row["rule_id"])
    return {link: frozenset(rules) for link, rules in found.items()}


BUSY = """
SELECT record_id FROM effect WHERE connection_id = %(connection)s AND record_id =
ANY(%(ids)s::uuid[])
 UNION
SELECT o.record_id FROM operation o
  JOIN sync_run p ON p.organization_id = o.organization_id AND p.id = o.run_id
 WHERE o.record_id = ANY(%(ids)s::uuid[]) AND o.state = 'planned' AND p.connection_id =
 %(connection)s
   AND p.state = 'planned' AND p.reason_code = 'guard'
"""


def open_effects(cursor: Cursor, work: Work, record_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return the records with a write to this connection still open, or held back for a person.

    Nothing newer is sent before it is settled, or released.
    """
    if not record_ids or cursor.execute(ANY_BUSY, (work.connection_id,) * 2).fetchone() is None:
        return frozenset()
    named = {"connection": work.connection_id, "ids": id_array(record_ids)}
    return frozenset(row["record_id"] for row in cursor.execute(BUSY, named).fetchall())


ANY_BUSY = """
SELECT 1 FROM effect WHERE connection_id = %s
 UNION ALL
SELECT 1 FROM sync_run WHERE connection_id = %s AND state = 'planned' AND reason_code = 'guard'
 LIMIT 1
"""


def gather_linked(
    cursor: Cursor, work: Work, remote: RemoteObject, records: Sequence[RemoteRecord]
) -> tuple[Slice, list[RemoteRecord]]:
    """Return the slice of the records that have a link, and the records that have none yet."""
    found = Slice()
    names = [one for record in records for one in names_of(record, remote.name)]
    links = links_of_remotes(cursor, work, remote.name, names)
    ours = load_ours(cursor, work.connection_id, {row["record_id"] for row in links.values()})
    conflicts = open_conflicts(cursor, [row["id"] for row in links.values()])
    blocked = open_effects(cursor, work, list(ours))
    unlinked: list[RemoteRecord] = []
    for record in records:
        row, lost = pick(links, record, remote.name)
        stream = work.stream(row["stream_id"], row["record_id"]) if row else None
        if row is None:
            unlinked.append(record)
        elif stream is not None:
            if _has_moved(row, record, lost, links):
                found.merged.append(Merged(row, record, lost))
            link = linked_from(row, conflicts.get(row["id"], frozenset()))
            subject = Subject(stream, _pair(work, ours.get(row["record_id"]), record, link))
            subject.standing = _standing(subject, blocked)
            if row["status"] in GONE and _is_stale(work, row, record):
                subject.standing, subject.reason = Standing.CLOSED, "stale"
            if row["missing_at"] is not None:
                found.seen_again.append(row["id"])
            found.subjects.append(subject)
    found.references = look_up(cursor, work, remote, records, ours.values())
    return found, unlinked


def _has_moved(
    row: Row, record: RemoteRecord, lost: Sequence[Row], links: Mapping[str, Row]
) -> bool:
    """Whether a record has an id that does not lead to its link yet."""
    if row["remote_id"] != record.id or lost:
        return True
    known = (links.get(one.id) for one in record.former)
    return any(one is None or one["id"] != row["id"] for one in known)


def _pair(work: Work, ours: Ours | None, theirs: RemoteRecord | None, link: Linked | None) -> Pair:
    return Pair(ours, theirs, link, theirs_clock_offset=work.provider.clock_offset())


TAKEN_UP = {LinkStatus.LINKED, LinkStatus.REMOTE_GONE, LinkStatus.LOCAL_GONE}
"""A link of a record that is there again on both sides is one again, with the bases it had."""

GONE = {LinkStatus.REMOTE_GONE.value}


def _is_stale(work: Work, row: Row, record: RemoteRecord) -> bool:
    """A search may still show what is archived. A record that was restored carries a later stamp;
    lists and reads by id are never late.
    """
    known, stamp = row["remote_updated_at"], record.updated_at
    return work.mode == "delta" and known is not None and stamp is not None and stamp <= known


def _standing(subject: Subject, blocked: frozenset[UUID]) -> Standing:
    pair = subject.pair
    link = present(pair.link)
    if pair.ours is None or pair.ours.deleted:
        return Standing.CLOSED
    if link.status not in TAKEN_UP:
        return Standing.CLOSED
    if pair.ours.record_id in blocked:
        return Standing.BLOCKED
    if not matches(subject.stream.facts.filter, pair.there.properties):
        return Standing.EXCLUDED
    return Standing.PAIR


def title_of(data: Mapping[str, Json], stream: Stream) -> str:
    """Return the title a new record would have."""
    parts = (data.get(name) for name in stream.facts.kind.promoted.title)
    return " ".join(str(part) for part in parts if not is_blank(part))
