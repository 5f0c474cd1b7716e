"""Settles writes whose outcome is not known: by looking, never by creating again."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from crm_admin.crashpoints import crashpoint
from crm_admin.errors import present
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import RuleFailed
from crm_admin.mapping.rules import Direction
from crm_admin.providers.base import Ending, Outcome, RemoteRecord
from crm_admin.records.values import is_blank
from crm_admin.services.engine.links import put_back
from crm_admin.services.engine.outcomes import apply_outcomes, make_unknown
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, transaction

UNKNOWN = """
SELECT id, stream_id, run_id, operation_id, run_at, record_id, link_id, remote_object, remote_id,
action, marker,
       fields, associations, expected, attempts, sent_at, created_at, not_before, seq,
       not_before <= now() AS due
  FROM effect WHERE connection_id = %s AND state = 'unknown' ORDER BY seq LIMIT 500
"""


def adopt(work: Work) -> None:
    """Treat what an earlier worker left in sending as unknown: its answer died with it."""
    with unit(work.lease) as cursor:
        rows = cursor.execute(
            "SELECT id FROM effect WHERE connection_id = %s AND state = 'sending'",
            (work.connection_id,),
        ).fetchall()
        make_unknown(cursor, [row["id"] for row in rows])


def settle(work: Work) -> int:
    """Look at every unknown write that can be decided now and return how many stay unknown.

    A create with our marker is looked up at once, and repeated as the same upsert when it is not
    there; an archive is repeated. An update is read back. A create without marker waits until the
    CRM can no longer execute it late and its index shows it, and is then looked up.
    """
    with transaction() as cursor:
        rows = cursor.execute(UNKNOWN, (work.connection_id,)).fetchall()
    if not rows:
        return 0
    crashpoint("intent.unknown.before_lookup")
    archives = [row for row in rows if row["action"] == "delete"]
    if archives:
        _plan_again(work, archives)
    left = 0
    for name in dict.fromkeys(row["remote_object"] for row in rows):
        mine = [row for row in rows if row["remote_object"] == name]
        creates = [row for row in mine if row["action"] == "create"]
        marked = [row for row in creates if row["marker"] and work.provider.spec.upsert_key]
        _settle_marked(work, name, marked)
        left += _settle_updates(work, name, [row for row in mine if row["action"] == "update"])
        left += _settle_creates(work, name, [row for row in creates if row not in marked])
    return left


def _plan_again(work: Work, rows: Sequence[Row]) -> None:
    with unit(work.lease) as cursor:
        cursor.execute(
            "UPDATE effect SET state = 'planned', not_before = NULL WHERE id = ANY(%s) AND state ="
            " 'unknown'",
            ([row["id"] for row in rows],),
        )


def _settle_updates(work: Work, name: str, rows: Sequence[Row]) -> int:
    if not rows:
        return 0
    properties = sorted({prop for row in rows for prop in row["fields"]})
    others = sorted({other for row in rows for other in row["associations"]})
    ids = list({row["remote_id"] for row in rows})
    records = {r.asked_id or r.id: r for r in work.provider.get(name, ids, properties, others)}
    records |= {r.id: r for r in records.values()}
    crashpoint("intent.unknown.after_lookup")
    outcomes: list[Outcome] = []
    again: list[Row] = []
    left = 0
    for row in rows:
        record = records.get(row["remote_id"])
        if record is not None and _holds(record, row, work):
            outcomes.append(Outcome(str(row["id"]), Ending.DONE, record=record))
        elif record is None:
            outcomes.append(
                Outcome(str(row["id"]), Ending.GONE, sentence="The record is no longer there.")
            )
        elif row["due"]:
            again.append(row)
        else:
            left += 1
    answered = {outcome.trace for outcome in outcomes}
    with unit(work.lease) as cursor:
        apply_outcomes(cursor, work, [row for row in rows if str(row["id"]) in answered], outcomes)
        _decide_again(cursor, work, again)
        work.save(cursor)
    return left


def _holds(record: RemoteRecord, row: Row, work: Work) -> bool:
    """Whether the record holds what was sent, in the CRM's own spelling of it."""
    if not all(_holds_field(record, row, work, name) for name in row["fields"]):
        return False
    for other, change in row["associations"].items():
        ids = record.associations.get(other, ())
        if change.get("add") and change["add"] not in ids:
            return False
        if not change.get("add") and change.get("remove") in ids:
            return False
    return True


def _holds_field(record: RemoteRecord, row: Row, work: Work, name: str) -> bool:
    stream = work.stream(row["stream_id"], row["record_id"]) if row["stream_id"] else None
    rules = stream.facts.rules if stream else ()
    use = next((use for use in rules if use.rule.theirs == name), None)
    held, value = record.properties.get(name), row["fields"][name]
    if use is not None and use.rule.direction is not Direction.TO_CRM:
        return _same_wire(use.from_crm, held, value)
    return _same_text(held, value)


def _same_wire(from_crm: Callable[[Json], Json], held: Json, value: Json) -> bool:
    try:
        return bool(from_crm(held) == from_crm(value))
    except RuleFailed:
        # A value that no longer translates is compared as it stands.
        return _same_text(held, value)


def _same_text(held: Json, value: Json) -> bool:
    if is_blank(held) or is_blank(value):
        return is_blank(held) and is_blank(value)
    return str(held) == str(value)


LEFT_OVER = """
SELECT id, stream_id, operation_id, run_at, record_id FROM effect
 WHERE connection_id = %s AND state = 'planned' AND action = 'update' AND stream_id IS NOT NULL
"""


def decide_left_over(work: Work) -> None:
    """Updates that an earlier claim planned and did not send are decided anew: while they waited,
    somebody may have edited the record there, and no CRM of ours checks that for us.
    """
    with unit(work.lease) as cursor:
        rows = cursor.execute(LEFT_OVER, (work.connection_id,)).fetchall()
        _decide_again(cursor, work, rows)


def _decide_again(cursor: Cursor, work: Work, rows: Sequence[Row]) -> None:
    """The write surely did not happen: the record goes through the merge anew with fresh values of
    both sides.

    The run in hand looks at it before it ends. A write that belongs to an undo has no stream; it is
    sent again as it is.
    """
    merged = [row for row in rows if row["stream_id"] is not None]
    _replan(cursor, [row for row in rows if row["stream_id"] is None])
    if not merged:
        return
    cursor.execute(
        "UPDATE operation SET state = 'skipped', done_at = now(), reason_code = 'decided_again',"
        " reason = 'The CRM did not carry this out; the record was decided again.' WHERE id ="
        " ANY(%s) AND run_at = ANY(%s)",
        ([row["operation_id"] for row in merged], [row["run_at"] for row in merged]),
    )
    put_back(cursor, [(row["stream_id"], row["record_id"]) for row in merged])
    cursor.execute(
        "INSERT INTO wanted (organization_id, id, connection_id, what, stream_id, record_id,"
        " run_id, created_at)"
        " SELECT %s, v.id, %s, 'record', v.stream_id, v.record_id, %s, now()"
        " FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS v (id, stream_id, record_id)",
        (
            work.organization_id,
            work.connection_id,
            work.run_id,
            [new_id() for _ in merged],
            [row["stream_id"] for row in merged],
            [row["record_id"] for row in merged],
        ),
    )
    cursor.execute("DELETE FROM effect WHERE id = ANY(%s)", ([row["id"] for row in merged],))


def _replan(cursor: Cursor, rows: Sequence[Row]) -> None:
    if rows:
        cursor.execute(
            "UPDATE effect SET state = 'planned', not_before = NULL WHERE id = ANY(%s)",
            ([row["id"] for row in rows],),
        )


def _settle_marked(work: Work, name: str, rows: Sequence[Row]) -> None:
    """Creates with our marker: what is there is linked, so that edits made since are not undone by
    a repeated upsert; what is not is sent again.
    """
    if not rows:
        return
    field = work.provider.spec.marker_field
    properties = sorted({field, *(prop for row in rows for prop in row["fields"])})
    found = work.provider.find(name, field, [row["marker"] for row in rows], properties)
    by_marker = {str(record.properties.get(field)): record for record in found}
    crashpoint("intent.unknown.after_lookup")
    with unit(work.lease) as cursor:
        there = [row for row in rows if row["marker"] in by_marker]
        for row in there:
            _link_found(cursor, work, row, by_marker[row["marker"]])
        _replan(cursor, [row for row in rows if row not in there])
        work.save(cursor)


def _settle_creates(work: Work, name: str, rows: Sequence[Row]) -> int:
    """Creates without our marker: after the settle time a look-up by natural key decides, or a
    person does.
    """
    due = [row for row in rows if row["due"]]
    for row in due:
        found = _look_up(work, name, row)
        crashpoint("intent.unknown.after_lookup")
        with unit(work.lease) as cursor:
            fresh = _unlinked(cursor, work, name, found)
            if len(fresh) == 1:
                _link_found(cursor, work, row, fresh[0])
            elif not fresh:
                _replan(cursor, [row])
            else:
                _suspect(cursor, work, row, fresh)
            work.save(cursor)
    return len(rows) - len(due)


def _link_found(cursor: Cursor, work: Work, row: Row, record: RemoteRecord) -> None:
    """Close a create whose record was found by looking.

    The link begins with what was sent: a value that differs from it was edited there since, and is
    merged like any edit. Associations were not looked at, so the link knows none yet.
    """
    stream = present(work.stream(row["stream_id"], row["record_id"]))
    unknown = {use.rule.id: None for use in stream.facts.rules if use.rule.association}
    expected = row["expected"] or {}
    sent = {**expected.get("sent", {}), **unknown}
    edited = [name for name in row["fields"] if not _holds_field(record, row, work, name)]
    seen = replace(
        record,
        properties={**record.properties, **{name: row["fields"][name] for name in edited}},
        updated_at=None if edited else record.updated_at,
    )
    apply_outcomes(
        cursor,
        work,
        [{**row, "associations": {}, "expected": {**expected, "sent": sent}}],
        [Outcome(str(row["id"]), Ending.DONE, record=seen)],
    )


CLOCK_SECONDS = 5


def _look_up(work: Work, name: str, row: Row) -> tuple[RemoteRecord, ...]:
    """Return the records with the natural key that were made since the create was sent, whatever a
    person has made of them since.
    """
    spec = work.provider.spec.object(name)
    fields = row["fields"]
    key = next(
        (k for k in (*spec.unique_fields, *spec.title_fields) if not is_blank(fields.get(k))), None
    )
    if key is None:
        return ()
    records = work.provider.find(name, key, [str(fields[key])], sorted(fields))
    # A repeated create may be carried out by any of its tries, so the first one counts.
    first = row["sent_at"] if row["attempts"] <= 1 else row["created_at"]
    since = first + timedelta(seconds=work.provider.clock_offset() - CLOCK_SECONDS)
    return tuple(record for record in records if _is_fresh(record, row, work, since))


def _is_fresh(record: RemoteRecord, row: Row, work: Work, since: datetime) -> bool:
    """Whether a record can be the one that we made; its age tells, where the CRM keeps it."""
    if record.created_at is not None:
        return record.created_at >= since
    if _holds(record, {**row, "associations": {}}, work):
        return True
    return record.updated_at is not None and record.updated_at >= since


def _unlinked(
    cursor: Cursor, work: Work, name: str, records: Sequence[RemoteRecord]
) -> list[RemoteRecord]:
    rows = cursor.execute(
        "SELECT remote_id FROM link WHERE connection_id = %s AND remote_object = %s AND remote_id"
        " = ANY(%s)",
        (work.connection_id, name, [record.id for record in records]),
    ).fetchall()
    taken = {row["remote_id"] for row in rows}
    return [record for record in records if record.id not in taken]


def _suspect(cursor: Cursor, work: Work, row: Row, found: Sequence[RemoteRecord]) -> None:
    ids = ", ".join(record.id for record in found)
    sentence = (
        f"{work.connection_name} did not answer a create and now holds {len(found)} records"
        f" like it: {ids}."
    )
    outcome = Outcome(
        str(row["id"]), Ending.REJECTED, code="duplicate_suspected", sentence=sentence
    )
    apply_outcomes(cursor, work, [row], [outcome])


def next_settling(connection_id: UUID) -> float | None:
    """Return the seconds until the next open write of a connection is due; None when there is
    none.
    """
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT extract(epoch FROM min(coalesce(not_before, now())) - now())::float8 AS"
            " seconds FROM effect"
            " WHERE connection_id = %s AND state <> 'sending'",
            (connection_id,),
        ).fetchone()
    return None if row is None or row["seconds"] is None else max(0.0, float(row["seconds"]))
