"""Matches records of the CRM that have no link: by our marker, by strong keys, else by likeness for
a person.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID
from zlib import crc32

from crm_admin.providers.base import RemoteRecord
from crm_admin.records.identity import GREY, SURE, Key, likeness
from crm_admin.records.kinds import KeyType
from crm_admin.services.engine.gather import (
    Candidate,
    Slice,
    Standing,
    Subject,
    load_ours,
    open_effects,
)
from crm_admin.services.engine.reads import Read
from crm_admin.services.engine.streams import RemoteObject, Stream
from crm_admin.services.engine.unlinked import Unlinked, unlinked_all
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, id_array, text_array
from crm_admin.sync.drafts import Pair
from crm_admin.sync.filters import in_words
from crm_admin.sync.newcomers import becomes_record

CANDIDATES_PER_KEY = 5
KEY_LOCKS = 512
KEY_LOCK_SPACE = 0x4B455953

# A weak key makes look-alikes, and a record that is already linked is nobody's: names that many
# records share would otherwise bring them all along. LIMIT keeps each look-up on its index.
KEYS = """
SELECT w.key_type, w.value, k.record_id, l.linked
  FROM unnest(%(types)s::text[], %(values)s::text[], %(strong)s::bool[])
       AS w (key_type, value, strong)
 CROSS JOIN LATERAL (
       SELECT record_id FROM record_key
        WHERE organization_id = %(org)s AND kind = %(kind)s
          AND record_key.key_type = w.key_type AND record_key.value = w.value
        LIMIT %(limit)s) AS k
  LEFT JOIN LATERAL (
       SELECT true AS linked FROM link
        WHERE NOT w.strong AND organization_id = %(org)s AND record_id = k.record_id
          AND stream_id = %(stream)s
        LIMIT 1) AS l ON true
"""


@dataclass(slots=True)
class _Known:
    """What the database holds about the keys of one stream's newcomers."""

    by_key: Mapping[tuple[str, str], Sequence[UUID]]
    taken: dict[UUID, str]
    fresh: dict[tuple[str, str], str] = field(default_factory=dict)


def match(
    cursor: Cursor,
    work: Work,
    read: Read,
    records: Sequence[RemoteRecord],
    found: Slice,
    *,
    apart: bool = False,
) -> None:
    """Add a subject for every record without link: a pair with its match, a newcomer, or a case.

    No candidate is ever taken because it came first: two candidates, or a likeness in the grey
    zone, go to a person, whose choices the read brings along. `apart` adds those that surely become
    records of ours to the slice's newcomers instead.
    """
    if not records:
        return
    prepared = read.prepared or unlinked_all(read.remote, records)
    groups: dict[UUID, list[Unlinked]] = defaultdict(list)
    for record in records:
        one = prepared.get(record.id)
        if one is None:
            found.subjects.append(_excluded(read.remote, record))
        elif not record.archived:
            groups[one.stream.id].append(one)
    for group in groups.values():
        for one, subject in _match_stream(cursor, work, group, read.choices, apart=apart):
            if subject is None:
                found.newcomers.append(one)
            else:
                found.subjects.append(subject)


def _excluded(remote: RemoteObject, record: RemoteRecord) -> Subject:
    stream = remote.streams[-1]
    words = in_words(stream.facts.filter)
    return Subject(
        stream, Pair(None, record), Standing.EXCLUDED, reason=f"Left out by the filter {words}."
    )


def _match_stream(
    cursor: Cursor,
    work: Work,
    group: Sequence[Unlinked],
    choices: Mapping[str, str],
    *,
    apart: bool,
) -> Iterator[tuple[Unlinked, Subject | None]]:
    """Yield each record with its subject, without one where it is kept apart."""
    stream = group[0].stream
    if not work.staged:
        _lock_keys(cursor, work, group)
    known = _known(cursor, work, stream, group, _chosen(group, choices))
    marked = _marked(cursor, work, stream, group)
    picks = [(one, _pick(one, known, marked, choices)) for one in group]
    look_alikes = _look_alikes(
        cursor, work, stream, known, [(one, pick) for one, pick in picks if pick.review]
    )
    wanted = {pick.record_id for _, pick in picks if pick.record_id}
    wanted |= {pick.record_id for pick in look_alikes.values() if pick.record_id}
    ours = load_ours(cursor, work.connection_id, wanted)
    blocked = open_effects(cursor, work, list(wanted))
    used: set[UUID] = set()
    for one, first in picks:
        pick = look_alikes.get(one.record.id, first)
        if apart and pick is NOBODY and becomes_record(stream.facts, one.made):
            yield one, None
        else:
            yield one, _subject(work, one, pick, ours, used, blocked)


@dataclass(frozen=True, slots=True)
class _Pick:
    record_id: UUID | None = None
    reason: str = ""
    review: tuple[UUID, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    twin: bool = False


NOBODY = _Pick()
"""Nobody's match: a record that is new here."""


def _subject(
    work: Work,
    one: Unlinked,
    pick: _Pick,
    ours: Mapping[UUID, object],
    used: set[UUID],
    blocked: frozenset[UUID],
) -> Subject:
    offset = work.provider.clock_offset()
    record = ours.get(pick.record_id) if pick.record_id else None
    pair = Pair(record, one.record, matched_by=pick.reason, theirs_clock_offset=offset)  # type: ignore[arg-type]
    if pick.twin:
        return Subject(one.stream, Pair(None, one.record), Standing.TWIN, reason=pick.reason)
    if pick.record_id and pick.record_id in used:
        reason = f"{pick.reason} Another record there has it too, and only one can be paired."
        return Subject(one.stream, Pair(None, one.record), Standing.TWIN, reason=reason)
    if pick.candidates:
        return Subject(
            one.stream, Pair(None, one.record), Standing.REVIEW, pick.candidates, pick.reason
        )
    if pick.record_id and pick.record_id in blocked:
        return Subject(one.stream, pair, Standing.BLOCKED)
    if pick.record_id:
        used.add(pick.record_id)
    return Subject(one.stream, pair, Standing.PAIR, newcomer=one.made, keys=one.keys)


def _lock_keys(cursor: Cursor, work: Work, group: Sequence[Unlinked]) -> None:
    """Whoever creates records with the same strong keys waits here and then sees what was created.

    Keys share KEY_LOCKS locks, taken in order, so that a large slice stays within the server's lock
    table.
    """
    begun = {kind: crc32(f"{work.organization_id}:{kind}:".encode()) for kind in KeyType}
    strong = [key for one in group for key in one.keys if key.strong]
    numbers = {crc32(key.value.encode(), begun[key.type]) % KEY_LOCKS for key in strong}
    cursor.execute(
        "SELECT pg_advisory_xact_lock(%s, n) FROM unnest(%s::int[]) AS n",
        (KEY_LOCK_SPACE, f"{{{','.join(map(str, sorted(numbers)))}}}"),
    )


def _chosen(group: Sequence[Unlinked], choices: Mapping[str, str]) -> set[UUID]:
    picked = {choices.get(one.record.id, "new") for one in group}
    return {UUID(choice) for choice in picked if choice != "new"}


def _known(
    cursor: Cursor, work: Work, stream: Stream, group: Sequence[Unlinked], chosen: set[UUID]
) -> _Known:
    by_key = _by_key(cursor, work, stream, group)
    ids = list({record_id for found in by_key.values() for record_id in found} | chosen)
    taken: dict[UUID, str] = {}
    if ids:
        for row in cursor.execute(
            "SELECT record_id, remote_id FROM link"
            " WHERE stream_id = %s AND record_id = ANY(%s::uuid[])",
            (stream.id, id_array(ids)),
        ).fetchall():
            taken[row["record_id"]] = row["remote_id"] or ""
        _leave_deleted(cursor, by_key, [one for one in ids if one not in taken])
    return _Known(by_key, taken)


def _by_key(
    cursor: Cursor, work: Work, stream: Stream, group: Sequence[Unlinked]
) -> dict[tuple[str, str], list[UUID]]:
    """Return who has the same keys, of weak ones only records without link.

    A weak key whose first records are all linked brings nobody, and is not looked up again while
    this worker has the run: newer records with the same name come behind those.
    """
    strong = {(key.type, key.value) for one in group for key in one.keys if key.strong}
    crowded = work.crowded[stream.id]
    weak = {(key.type, key.value) for one in group for key in one.keys if not key.strong}
    pairs = sorted(strong | (weak - crowded))
    found: dict[tuple[str, str], list[UUID]] = defaultdict(list)
    linked: Counter[tuple[str, str]] = Counter()
    if not pairs:
        return found
    named = {
        "types": text_array(kind for kind, _ in pairs),
        "values": text_array(value for _, value in pairs),
        "strong": text_array("t" if pair in strong else "f" for pair in pairs),
        "stream": stream.id,
        "org": work.organization_id,
        "kind": stream.facts.kind.name,
        "limit": CANDIDATES_PER_KEY,
    }
    # Prepared, it would keep the plan of the first, small tables while a pull fills them.
    for row in cursor.execute(KEYS, named, prepare=False).fetchall():
        pair = (row["key_type"], row["value"])
        if row["linked"]:
            linked[pair] += 1
        else:
            found[pair].append(row["record_id"])
    crowded |= {pair for pair, count in linked.items() if count == CANDIDATES_PER_KEY}
    return found


def _leave_deleted(
    cursor: Cursor, by_key: dict[tuple[str, str], list[UUID]], ids: Sequence[UUID]
) -> None:
    """A deleted record is nobody's match; one that was linked still keeps its twin from being made
    anew.
    """
    rows = cursor.execute(
        "SELECT id FROM record WHERE id = ANY(%s) AND deleted_at IS NOT NULL", (list(ids),)
    ).fetchall()
    gone = {row["id"] for row in rows}
    if gone:
        for found in by_key.values():
            found[:] = [one for one in found if one not in gone]


def _marked(
    cursor: Cursor, work: Work, stream: Stream, group: Sequence[Unlinked]
) -> dict[str, UUID]:
    """Return the records that the marker in their record names, where such a record of ours
    exists.
    """
    name = work.provider.spec.marker_field
    wanted: dict[UUID, str] = {}
    for one in group:
        marker = one.record.properties.get(name)
        if marker:
            with suppress(ValueError):
                wanted[UUID(str(marker))] = one.record.id
    if not wanted:
        return {}
    rows = cursor.execute(
        "SELECT r.id FROM record r WHERE r.id = ANY(%s) AND r.kind = %s AND r.deleted_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM link l WHERE l.record_id = r.id AND l.stream_id = %s"
        " AND l.organization_id = r.organization_id AND l.remote_id IS NOT NULL)",
        (list(wanted), stream.facts.kind.name, stream.id),
    ).fetchall()
    return {wanted[row["id"]]: row["id"] for row in rows}


def _pick(
    one: Unlinked, known: _Known, marked: Mapping[str, UUID], choices: Mapping[str, str]
) -> _Pick:
    choice = choices.get(one.record.id)
    if choice == "new":
        return _newcomer(one, known, insist=True)
    if choice:
        return _as_chosen(UUID(choice), known)
    if one.record.id in marked:
        return _Pick(marked[one.record.id], "It carries the id of this record.")
    if not any((key.type, key.value) in known.by_key for key in one.keys):
        return _newcomer(one, known)
    return _by_strong_key(one, known) or _by_weak_key(one, known) or _newcomer(one, known)


def _as_chosen(record_id: UUID, known: _Known) -> _Pick:
    if record_id in known.taken:
        return _Pick(twin=True, reason="Its record was paired with another one there meanwhile.")
    return _Pick(record_id, "A person chose this record.")


def _by_strong_key(one: Unlinked, known: _Known) -> _Pick | None:
    free: dict[UUID, Key] = {}
    for key in one.keys:
        if key.strong:
            for record_id in known.by_key.get((key.type, key.value), ()):
                if record_id in known.taken:
                    return _twin(key, known.taken[record_id])
                free.setdefault(record_id, key)
    if len(free) == 1:
        record_id, key = next(iter(free.items()))
        return _Pick(record_id, f"Same {key.type.value}: {key.value}.")
    if free:
        return _Pick(review=tuple(free), reason=f"{len(free)} records have the same key.")
    return None


def _by_weak_key(one: Unlinked, known: _Known) -> _Pick | None:
    weak = {
        record_id
        for key in one.keys
        if not key.strong
        for record_id in known.by_key.get((key.type, key.value), ())
        if record_id not in known.taken
    }
    return _Pick(review=tuple(weak)) if weak else None


def _twin(key: Key, remote_id: str) -> _Pick:
    where = f"record {remote_id}" if remote_id else "another record"
    return _Pick(
        twin=True,
        reason=f"Has the same {key.type.value} as {where} there, which is already linked.",
    )


def _newcomer(one: Unlinked, known: _Known, *, insist: bool = False) -> _Pick:
    """Two newcomers of one pass with the same strong key are one person: only the first is
    created.
    """
    for key in one.keys:
        if key.strong:
            other = known.fresh.setdefault((key.type, key.value), one.record.id)
            if other != one.record.id and not insist:
                return _twin(key, other)
    return NOBODY


def _look_alikes(
    cursor: Cursor,
    work: Work,
    stream: Stream,
    known: _Known,
    picks: Sequence[tuple[Unlinked, _Pick]],
) -> dict[str, _Pick]:
    if not picks:
        return {}
    ours = load_ours(
        cursor, work.connection_id, {record_id for _, pick in picks for record_id in pick.review}
    )
    decided: dict[str, _Pick] = {}
    for one, pick in picks:
        candidates = []
        for record_id in pick.review:
            record = ours.get(record_id)
            if record is None or record.deleted:
                continue
            like = likeness(stream.facts.kind, record.data, one.made.data)
            reasons = tuple(str(reason[2]) for reason in like.reasons)
            candidates.append(Candidate(record_id, record.title, like.score, reasons))
        judged = _judge(sorted(candidates, key=lambda c: -c.score), by_key=bool(pick.reason))
        decided[one.record.id] = (
            judged if judged.record_id or judged.candidates else _newcomer(one, known)
        )
    return decided


def _judge(candidates: Sequence[Candidate], *, by_key: bool) -> _Pick:
    if by_key:
        return _Pick(
            candidates=tuple(candidates), reason=f"{len(candidates)} records have the same key."
        )
    likely = [candidate for candidate in candidates if candidate.score >= GREY]
    if len(likely) == 1 and likely[0].score >= SURE:
        return _Pick(likely[0].record_id, " ".join(likely[0].reasons))
    if likely:
        return _Pick(
            candidates=tuple(likely),
            reason=f"{len(likely)} may be the same, {likely[0].score * 100:.0f} % alike at best.",
        )
    return _Pick()
