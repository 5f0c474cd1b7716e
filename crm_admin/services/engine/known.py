"""Finds links by what a record is called today, or was called before a merge or conversion."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, text_array
from crm_admin.sync.states import LinkStatus

LINKS = """
SELECT id, stream_id, record_id, remote_object, remote_id, status, base_ours, base_theirs, declined,
       ours_version, mapping_version, remote_updated_at, remote_read_at, error, missing_at
  FROM link
"""

FORMER = """
SELECT remote_id, link_id FROM link_alias
 WHERE connection_id = %s AND remote_object = %s AND remote_id = ANY(%s::text[])
"""


MERGED_AWAY = {LinkStatus.SHADOW.value, LinkStatus.DUPLICATE_SUSPECTED.value}


def names_of(record: RemoteRecord, remote_object: str) -> tuple[str, ...]:
    """Return every id by which a record of this object is or was known, its own first."""
    if not record.former and record.asked_id in (None, record.id):
        return (record.id,)
    former = (one.id for one in record.former if one.object == remote_object)
    asked = (record.asked_id,) if record.asked_id else ()
    return tuple(dict.fromkeys((record.id, *former, *asked)))


def links_of_remotes(cursor: Cursor, work: Work, name: str, ids: Sequence[str]) -> dict[str, Row]:
    """Return the links of remote ids, found under their own id or an older one.

    The id of a record that was merged away leads to the record that is left.
    """
    found = cursor.execute(
        LINKS + "WHERE connection_id = %s AND remote_object = %s AND remote_id = ANY(%s::text[])",
        (work.connection_id, name, text_array(ids)),
    ).fetchall()
    links = {row["remote_id"]: row for row in found}
    missing = [one for one in ids if one not in links or links[one]["status"] in MERGED_AWAY]
    if missing:
        aliases = cursor.execute(FORMER, (work.connection_id, name, text_array(missing))).fetchall()
        if aliases:
            rows = cursor.execute(
                LINKS + "WHERE id = ANY(%s)", ([row["link_id"] for row in aliases],)
            ).fetchall()
            by_id = {row["id"]: row for row in rows}
            links |= {
                row["remote_id"]: by_id[row["link_id"]]
                for row in aliases
                if row["link_id"] in by_id
            }
    return links


def links_of_records(
    cursor: Cursor, stream_id: UUID, record_ids: Sequence[UUID]
) -> dict[UUID, Row]:
    """Return the links that records have on a stream, shadows left out."""
    rows = cursor.execute(
        LINKS + "WHERE stream_id = %s AND record_id = ANY(%s) AND status <> 'shadow'",
        (stream_id, list(record_ids)),
    ).fetchall()
    return {row["record_id"]: row for row in rows}


def pick(
    links: Mapping[str, Row], record: RemoteRecord, remote_object: str
) -> tuple[Row | None, list[Row]]:
    """Return the link of a record, and the links of the records that were merged into it.

    The record's own link comes first, then the order in which the CRM names its former ids.
    """
    if not record.former and record.asked_id in (None, record.id):
        return links.get(record.id), []
    rows = [links[one] for one in names_of(record, remote_object) if one in links]
    different = list({row["id"]: row for row in rows}.values())
    return (different[0], different[1:]) if different else (None, [])
