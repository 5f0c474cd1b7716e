"""Turns the outcomes of writes into operations, links, bases and, where the outcome is known,
closed effects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from flask import current_app

from crm_admin.crashpoints import crashpoint
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.mapping.rules import Direction
from crm_admin.providers.base import Ending, Outcome, RemoteRecord
from crm_admin.services.engine.links import (
    LinkChange,
    NewLink,
    change_links,
    insert_links,
    mark_missing,
    wake_waiting,
)
from crm_admin.services.engine.streams import Stream
from crm_admin.services.engine.tallies import WORDS, count_writes
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, dumps

MAX_ATTEMPTS = 3
RETRY_FAILED_SECONDS = 3600

Subject = tuple[Row, UUID | None, str | None]
"""An effect, its link and its id in the CRM."""


@dataclass(slots=True)
class _Settled:
    """What a batch of outcomes writes, collected per table."""

    done: list[tuple[Row, Outcome]] = field(default_factory=list)
    failed: list[tuple[Row, Outcome]] = field(default_factory=list)
    later: list[tuple[Row, Outcome]] = field(default_factory=list)
    unknown: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)


def apply_outcomes(
    cursor: Cursor, work: Work, rows: Sequence[Row], outcomes: Sequence[Outcome]
) -> None:
    """Write what became of each effect in the caller's transaction; an effect without outcome is
    unknown.
    """
    by_trace = {outcome.trace: outcome for outcome in outcomes}
    settled = _Settled()
    for row in rows:
        _sort(settled, *_without_ends(row, by_trace.get(str(row["id"]))))
    close_done(cursor, work, settled.done)
    crashpoint("batch.half_of_results_applied")
    close_failed(cursor, work, settled.failed)
    mark_missing(cursor, [row["link_id"] for row in settled.gone if row["link_id"]])
    _postpone(cursor, settled.later)
    make_unknown(cursor, [row["id"] for row in settled.unknown])


def _without_ends(row: Row, outcome: Outcome | None) -> tuple[Row, Outcome | None]:
    """A record that was made, but whose associations were refused, is there all the same: it is
    linked, and knows of no associations yet.
    """
    if outcome is None or outcome.record is None or row["action"] != "create":
        return row, outcome
    if outcome.ending not in {Ending.REJECTED, Ending.GONE, Ending.EXISTS}:
        return row, outcome
    return {**row, "associations": {}, "refused": outcome.sentence}, replace(
        outcome, ending=Ending.DONE
    )


def _sort(settled: _Settled, row: Row, outcome: Outcome | None) -> None:
    if outcome is None or outcome.ending is Ending.UNKNOWN:
        settled.unknown.append(row)
    elif outcome.ending is Ending.DONE:
        settled.done.append((row, outcome))
    elif outcome.ending is Ending.LATER:
        settled.later.append((row, outcome))
    elif outcome.ending is Ending.GONE and row["action"] == "delete":
        settled.done.append((row, outcome))
    else:
        if outcome.ending is Ending.GONE:
            settled.gone.append(row)
        settled.failed.append((row, outcome))


def make_unknown(cursor: Cursor, effect_ids: Sequence[UUID]) -> None:
    """Mark effects whose outcome is not known; they are settled by looking, after the settle
    time.
    """
    if effect_ids:
        cursor.execute(
            "UPDATE effect SET state = 'unknown', not_before = coalesce(sent_at, now()) +"
            " make_interval(secs => %s)"
            " WHERE id = ANY(%s)",
            (current_app.config["CRM"].settle_seconds, list(effect_ids)),
        )


def _postpone(cursor: Cursor, later: Sequence[tuple[Row, Outcome]]) -> None:
    if later:
        cursor.execute(
            "UPDATE effect e SET state = 'planned', attempts = e.attempts - 1, error = v.error,"
            " not_before = now() + make_interval(secs => v.seconds)"
            " FROM unnest(%s::uuid[], %s::float8[], %s::text[]) AS v (id, seconds, error) WHERE"
            " e.id = v.id",
            (
                [row["id"] for row, _ in later],
                [outcome.after_seconds or 1.0 for _, outcome in later],
                [outcome.sentence for _, outcome in later],
            ),
        )


def close_done(cursor: Cursor, work: Work, done: Sequence[tuple[Row, Outcome]]) -> None:
    """Close effects that happened: operation done, link with new bases, outbox row gone if it is
    still that version.
    """
    if not done:
        return
    new_links: list[NewLink] = []
    changes: list[LinkChange] = []
    subjects: list[Subject] = []
    for row, outcome in done:
        link_id, remote_id = row["link_id"], row["remote_id"]
        stream = work.stream(row["stream_id"], row["record_id"]) if row["stream_id"] else None
        if row["action"] == "create" and stream is not None and outcome.record is not None:
            link = _new_link(row, outcome.record, stream)
            new_links.append(link)
            link_id, remote_id = link.link_id, link.remote_id
        elif row["action"] == "update" and stream is not None and link_id is not None:
            changes.append(_link_change(row, outcome.record, stream))
        subjects.append((row, link_id, remote_id))
    written = [(row, name) for row, _ in done for name in (WORDS[row["action"]], "writes_theirs")]
    count_writes(cursor, work, written)
    _release_links(cursor, new_links)
    insert_links(cursor, work, new_links)
    change_links(cursor, changes)
    _restore_links(cursor, done)
    _close_operations(cursor, subjects)
    _drain(cursor, done)
    # the other end of a reference may have been linked while this record's own write was open
    linked = [link.record_id for link in new_links]
    wake_waiting(cursor, work, linked + [row["record_id"] for row, _ in done if row["record_id"]])
    _read_again(cursor, work, new_links)
    cursor.execute("DELETE FROM effect WHERE id = ANY(%s)", ([row["id"] for row, _ in done],))


def _read_again(cursor: Cursor, work: Work, links: Sequence[NewLink]) -> None:
    """What only the CRM knows of a new record, its id for one, is taken before the run ends."""
    for link in links:
        stream = work.stream(link.stream_id)
        rules = stream.facts.rules if stream else ()
        if any(use.rule.direction is Direction.FROM_CRM for use in rules):
            want_remote(cursor, work, link.remote_object, link.remote_id)


def _release_links(cursor: Cursor, links: Sequence[NewLink]) -> None:
    """A record matched or created meanwhile under the same ids keeps its first link; ours then is a
    second finder.
    """
    if links:
        cursor.execute(
            "DELETE FROM link l USING unnest(%s::uuid[], %s::uuid[]) AS v (stream_id, record_id)"
            " WHERE l.stream_id = v.stream_id AND l.record_id = v.record_id AND l.remote_id IS"
            " NULL",
            ([link.stream_id for link in links], [link.record_id for link in links]),
        )


def bases_after(
    stream: Stream,
    sent: Mapping[str, Json],
    fields: Mapping[str, Json],
    associations: Mapping[str, Json],
    record: RemoteRecord | None,
) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return (base_ours, base_theirs) of what was sent: theirs as the CRM returned it, else as it
    was sent.
    """
    theirs: dict[str, Json] = {}
    for use in stream.facts.rules:
        if use.rule.id not in sent:
            continue
        other = use.rule.association
        if other:
            change = associations.get(other)
            theirs[use.rule.id] = _end_after(change) if isinstance(change, Mapping) else None
        else:
            name = use.rule.theirs
            returned = record.properties if record is not None else {}
            # What was not sent began blank there, whatever has become of it since.
            told = name in fields and name in returned
            theirs[use.rule.id] = returned[name] if told else fields.get(name)
    return {rule: value for rule, value in sent.items() if rule in theirs}, theirs


def _end_after(change: Mapping[str, Json]) -> Json:
    """The id a reference has there after its change: another one may be left."""
    return change.get("add") or change.get("left")


def _new_link(row: Row, record: RemoteRecord, stream: Stream) -> NewLink:
    expected = row["expected"] or {}
    sent = expected.get("sent", {})
    if "refused" in row:
        ends = {use.rule.id for use in stream.facts.rules if use.rule.association}
        sent = {rule: value for rule, value in sent.items() if rule not in ends}
    ours, theirs = bases_after(stream, sent, row["fields"], row["associations"], record)
    return NewLink(
        new_id(),
        stream.id,
        row["record_id"],
        row["remote_object"],
        record.id,
        ours,
        theirs,
        stream.facts.version,
        record.updated_at,
        ours_version=expected.get("version", 1),
        error=row.get("refused"),
    )


def _link_change(row: Row, record: RemoteRecord | None, stream: Stream) -> LinkChange:
    expected = row["expected"] or {}
    ours, theirs = bases_after(
        stream, expected.get("sent", {}), row["fields"], row["associations"], record
    )
    return LinkChange(
        row["link_id"],
        ours,
        theirs,
        expected.get("version", 1),
        record.updated_at if record else None,
        stream.facts.version,
        None,
        None,
        wrote=True,
    )


def _restore_links(cursor: Cursor, done: Sequence[tuple[Row, Outcome]]) -> None:
    """An undone write puts back what the link held before it, as its plan says."""
    for row, _ in done:
        restore = (row["expected"] or {}).get("restore")
        if restore and row["link_id"]:
            cursor.execute(
                "UPDATE link SET base_ours = base_ours || %s, base_theirs = base_theirs || %s,"
                " declined = (declined - %s::text[]) || %s, status = coalesce(%s, status),"
                " updated_at = now() WHERE id = %s",
                (
                    dumps(restore.get("base_ours", {})),
                    dumps(restore.get("base_theirs", {})),
                    restore.get("cleared", []),
                    dumps(restore.get("declined", {})),
                    restore.get("status"),
                    row["link_id"],
                ),
            )


CLOSE = """
UPDATE operation o SET state = 'done', done_at = now(), attempts = o.attempts + 1, error = NULL,
       link_id = coalesce(v.link_id, o.link_id), remote_id = coalesce(v.remote_id, o.remote_id)
  FROM unnest(%s::uuid[], %s::timestamptz[], %s::uuid[], %s::text[])
       AS v (id, run_at, link_id, remote_id)
 WHERE o.id = v.id AND o.run_at = v.run_at
"""


def _close_operations(cursor: Cursor, subjects: Sequence[Subject]) -> None:
    """Close the operations of effects; link and id in the CRM are known now."""
    cursor.execute(
        CLOSE,
        (
            [row["operation_id"] for row, _, _ in subjects],
            [row["run_at"] for row, _, _ in subjects],
            [link_id for _, link_id, _ in subjects],
            [remote_id for _, _, remote_id in subjects],
        ),
    )


def _drain(cursor: Cursor, done: Sequence[tuple[Row, Outcome]]) -> None:
    cursor.execute(
        "DELETE FROM outbox o USING unnest(%s::uuid[], %s::uuid[], %s::int[]) AS v (stream_id,"
        " record_id, version)"
        " WHERE o.stream_id = v.stream_id AND o.record_id = v.record_id AND o.version <= v.version",
        (
            [row["stream_id"] for row, _ in done],
            [row["record_id"] for row, _ in done],
            [(row["expected"] or {}).get("version", 0) for row, _ in done],
        ),
    )


FAIL = """
UPDATE operation o SET state = 'failed', done_at = now(), attempts = o.attempts + 1,
       error = v.error, error_code = v.code, error_field = v.field
  FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::text[], %s::text[])
       AS v (id, run_at, error, code, field)
 WHERE o.id = v.id AND o.run_at = v.run_at
"""


def close_failed(cursor: Cursor, work: Work, failed: Sequence[tuple[Row, Outcome]]) -> None:
    """Close effects that surely had no effect: the operation says why, the record is tried again
    later.

    After MAX_ATTEMPTS it stays in quarantine until its values change or a person retries.
    """
    if not failed:
        return
    cursor.execute(
        FAIL,
        (
            [row["operation_id"] for row, _ in failed],
            [row["run_at"] for row, _ in failed],
            [outcome.sentence for _, outcome in failed],
            [outcome.code for _, outcome in failed],
            [outcome.field for _, outcome in failed],
        ),
    )
    cursor.execute(
        "INSERT INTO outbox (organization_id, stream_id, record_id, version, rank, not_before,"
        " attempts, error,"
        " created_at) SELECT %s, stream_id, record_id, version, 1, now() + make_interval(secs =>"
        " %s), 1, error, now()"
        " FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::text[]) AS v (stream_id, record_id,"
        " version, error)"
        " WHERE stream_id IS NOT NULL AND record_id IS NOT NULL"
        " ON CONFLICT (organization_id, stream_id, record_id) DO UPDATE SET attempts ="
        " outbox.attempts + 1,"
        " error = excluded.error, not_before = CASE WHEN outbox.attempts + 1 >= %s THEN"
        " 'infinity'::timestamptz"
        " ELSE excluded.not_before END WHERE outbox.version <= excluded.version",
        (
            work.organization_id,
            RETRY_FAILED_SECONDS,
            [row["stream_id"] for row, _ in failed],
            [row["record_id"] for row, _ in failed],
            [(row["expected"] or {}).get("version", 1) for row, _ in failed],
            [outcome.sentence for _, outcome in failed],
            MAX_ATTEMPTS,
        ),
    )
    cursor.execute(
        "UPDATE link l SET error = v.error, updated_at = now()"
        " FROM unnest(%s::uuid[], %s::text[]) AS v (id, error) WHERE l.id = v.id",
        ([row["link_id"] for row, _ in failed], [outcome.sentence for _, outcome in failed]),
    )
    _ask_for_existing(cursor, work, failed)
    cursor.execute("DELETE FROM effect WHERE id = ANY(%s)", ([row["id"] for row, _ in failed],))
    count_writes(cursor, work, [(row, "failed") for row, _ in failed])


def _ask_for_existing(cursor: Cursor, work: Work, failed: Sequence[tuple[Row, Outcome]]) -> None:
    """A record that turned out to exist there is read next, so that it is matched, not created."""
    for row, outcome in failed:
        if outcome.ending is Ending.EXISTS and outcome.existing_id:
            want_remote(cursor, work, row["remote_object"], outcome.existing_id)


def want_remote(cursor: Cursor, work: Work, remote_object: str, remote_id: str) -> None:
    """Have the run in hand read one record of the CRM before it ends."""
    cursor.execute(
        "INSERT INTO wanted (organization_id, id, connection_id, what, remote_object, remote_id,"
        " run_id, created_at) VALUES (%s, %s, %s, 'record', %s, %s, %s, now())",
        (
            work.organization_id,
            new_id(),
            work.connection_id,
            remote_object,
            remote_id,
            work.run_id,
        ),
    )
