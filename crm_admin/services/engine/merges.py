"""Follows merges and conversions in the CRM: links move to the record that is left, old ids stay
known, and two records of ours that have become one there are shown to a person.
"""

from collections.abc import Sequence
from uuid import UUID

from crm_admin.ids import new_id
from crm_admin.services import attention
from crm_admin.services.attention import Item
from crm_admin.services.engine.gather import Merged
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, dumps
from crm_admin.sync.states import LinkStatus

LEFT_ALONE = {LinkStatus.DETACHED.value, LinkStatus.SHADOW.value}

ALIAS = """
INSERT INTO link_alias (organization_id, connection_id, remote_object, remote_id, link_id)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (organization_id, connection_id, remote_object, remote_id)
   DO UPDATE SET link_id = excluded.link_id WHERE link_alias.link_id <> excluded.link_id
"""

# What pointed at the loser under any older id leads to the survivor from now on.
INHERIT = "UPDATE link_alias SET link_id = %s WHERE link_id = ANY(%s)"

REKEY = "UPDATE link SET remote_id = %s, updated_at = now() WHERE id = %s"

SUSPECT = """
UPDATE link SET status = %s, error = %s, missing_at = NULL, updated_at = now() WHERE id = %s
"""


def follow_merges(cursor: Cursor, work: Work, merged: Sequence[Merged]) -> None:
    """Have each surviving record's link carry its present id, and keep every id it had before.

    Of several links that met in one record the first stays. The others are suspected duplicates,
    neither taken nor sent; their records of ours stay and are shown to a person.
    """
    for one in merged:
        lost = [row for row in one.lost if row["status"] not in LEFT_ALONE]
        for row in lost:
            _lose(cursor, work, one, row)
        if lost:
            cursor.execute(INHERIT, (one.link["id"], [row["id"] for row in lost]))
        if one.link["remote_id"] != one.record.id:
            cursor.execute(REKEY, (one.record.id, one.link["id"]))
        _convert(cursor, work, one)
        for remote_object, old in _names(one):
            cursor.execute(
                ALIAS,
                (work.organization_id, work.connection_id, remote_object, old, one.link["id"]),
            )


def _names(one: Merged) -> list[tuple[str, str]]:
    name = one.link["remote_object"]
    old = [(former.object, former.id) for former in one.record.former]
    old += [(name, row["remote_id"]) for row in (one.link, *one.lost)]
    if one.record.asked_id:
        old.append((name, one.record.asked_id))
    return [pair for pair in dict.fromkeys(old) if pair != (name, one.record.id)]


CONVERTED = """
UPDATE link SET status = 'remote_gone', error = %s, missing_at = NULL, updated_at = now()
 WHERE connection_id = %s AND remote_object = %s AND remote_id = %s AND status = 'linked'
"""


def _convert(cursor: Cursor, work: Work, one: Merged) -> None:
    """A record of another object that became this one (a lead, say) is no longer there."""
    name = one.link["remote_object"]
    for former in one.record.former:
        if former.object != name:
            spec = work.provider.spec.object(name)
            sentence = f"Became the {spec.label.lower()} {one.record.id} in {work.connection_name}."
            named = (sentence, work.connection_id, former.object, former.id)
            cursor.execute(CONVERTED, named)


PAIR = "SELECT id, kind, title FROM record WHERE id = ANY(%s) AND deleted_at IS NULL"

SUPERSEDE = """
UPDATE conflict SET state = 'superseded', resolved_at = now()
 WHERE link_id = %s AND state = 'open'
"""


def _lose(cursor: Cursor, work: Work, one: Merged, row: Row) -> None:
    rows = cursor.execute(PAIR, ([one.link["record_id"], row["record_id"]],)).fetchall()
    records = {found["id"]: found for found in rows}
    kept, lost = records.get(one.link["record_id"]), records.get(row["record_id"])
    into = (kept and kept["title"]) or "another record"
    there = f"Merged in {work.connection_name} into {one.record.id}"
    sentence = f"{there}, which is paired with {into}."
    cursor.execute(SUSPECT, (LinkStatus.DUPLICATE_SUSPECTED.value, sentence, row["id"]))
    cursor.execute(SUPERSEDE, (row["id"],))
    if kept and lost and kept["kind"] == lost["kind"]:
        _suspect(cursor, work, kept, lost)


DUPLICATE = """
INSERT INTO duplicate (organization_id, id, kind, record_a, record_b, score, scores, verdict,
       run_id, found_at)
VALUES (%s, %s, %s, %s, %s, 1, %s, 'open', %s, now())
ON CONFLICT (organization_id, record_a, record_b) DO NOTHING
"""


def _suspect(cursor: Cursor, work: Work, kept: Row, lost: Row) -> None:
    pair: list[UUID] = sorted((kept["id"], lost["id"]))
    scores = dumps({"merged_in": work.connection_name})
    cursor.execute(
        DUPLICATE, (work.organization_id, new_id(), kept["kind"], *pair, scores, work.run_id)
    )
    item = Item(
        "duplicate",
        str(lost["id"]),
        f"{work.connection_name} merged {lost['title'] or 'a record'} into"
        f" {kept['title'] or 'another one'}. Both are still here; only the second is synced.",
        {"label": "Look at it", "url": f"/records/{lost['kind']}/{lost['id']}"},
    )
    attention.raise_item(cursor, work.organization_id, item)
    work.counts["merged_there"] += 1
