"""Looks again at writes of an undo that were not sent, or not confirmed: somebody may have
edited the record there meanwhile, and that edit stays.
"""

from collections.abc import Iterable, Mapping, Sequence

from crm_admin.jsontypes import Json
from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.inverse import same_text
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, dumps, transaction

LEFT = """
SELECT e.id, e.operation_id, e.remote_object, e.remote_id, e.fields, e.associations, e.expected,
       o.fields AS told
  FROM effect e JOIN operation o ON o.organization_id = e.organization_id AND o.run_at = e.run_at
       AND o.id = e.operation_id
 WHERE e.connection_id = %s AND e.state = 'planned' AND e.action = 'update' AND e.stream_id IS NULL
 ORDER BY e.seq
"""


def look_again(work: Work) -> None:
    """Take out of an undo's open writes what moved there since they were decided.

    Call it before sending what an earlier claim left, and after unconfirmed writes were looked at.
    """
    with transaction() as cursor:
        rows = cursor.execute(LEFT, (work.connection_id,)).fetchall()
    if not rows:
        return
    theirs = _read(work, rows)
    with unit(work.lease) as cursor:
        for row in rows:
            record = theirs.get((row["remote_object"], row["remote_id"]))
            moved = [] if record is None else list(_moved(row, record))
            if moved:
                _take_out(cursor, work, row, moved)


def _read(work: Work, rows: Sequence[Row]) -> dict[tuple[str, str], RemoteRecord]:
    found: dict[tuple[str, str], RemoteRecord] = {}
    for name in dict.fromkeys(row["remote_object"] for row in rows):
        mine = [row for row in rows if row["remote_object"] == name]
        properties = sorted({prop for row in mine for prop in row["fields"]})
        ids = list(dict.fromkeys(row["remote_id"] for row in mine))
        for record in work.provider.get(name, ids, properties, ()) if properties else ():
            found[name, record.asked_id or record.id] = record
    return found


def _moved(row: Row, record: RemoteRecord) -> Iterable[str]:
    """Fields that hold neither what the undo found nor what it puts back."""
    for name in row["fields"]:
        found, back = row["told"].get(name, [None, None])[:2]
        now = record.properties.get(name)
        if not same_text(now, found) and not same_text(now, back):
            yield name


def _take_out(cursor: Cursor, work: Work, row: Row, moved: Sequence[str]) -> None:
    rest = {name: value for name, value in row["fields"].items() if name not in moved}
    if not rest and not row["associations"]:
        cursor.execute("DELETE FROM effect WHERE id = %s", (row["id"],))
        cursor.execute(
            "UPDATE operation SET state = 'skipped', done_at = now(), reason_code = 'moved',"
            " reason = %s WHERE id = %s AND state = 'sending'",
            (_reason(work, moved), row["operation_id"]),
        )
        work.counts["skipped"] += 1
        work.save(cursor)
        return
    rules = {str(row["told"][name][3]) for name in moved if name in row["told"]}
    expected = dict(row["expected"] or {})
    expected["restore"] = _without(expected.get("restore") or {}, rules)
    cursor.execute(
        "UPDATE effect SET fields = %s, expected = %s WHERE id = %s",
        (dumps(rest), dumps(expected), row["id"]),
    )
    told = {name: values for name, values in row["told"].items() if name not in moved}
    cursor.execute(
        "UPDATE operation SET fields = %s WHERE id = %s", (dumps(told), row["operation_id"])
    )


def _reason(work: Work, moved: Sequence[str]) -> str:
    names = ", ".join(sorted(name.replace("_", " ") for name in moved))
    return f"Changed since in {work.connection_name} and kept: {names}."


def _without(restore: Mapping[str, Json], rules: set[str]) -> dict[str, Json]:
    """Return what a link gets back, without rules whose field stays."""
    left: dict[str, Json] = dict(restore)
    for part in ("base_ours", "base_theirs", "declined"):
        held = left.get(part)
        if isinstance(held, dict):
            left[part] = {rule: value for rule, value in held.items() if rule not in rules}
    return left
