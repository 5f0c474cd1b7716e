"""What a record held at a moment of the past, read backwards from its history; what the history
cannot say is said to be unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.records.kinds import FieldType
from crm_admin.records.values import same
from crm_admin.services.queries.record import (
    FieldRow,
    RecordPage,
    Reference,
    moment_of,
    references_of,
)
from crm_admin.services.queries.sql import only, rows

SINCE = """
SELECT o.fields, o.action FROM operation o
 WHERE o.record_id = :record AND o.side = 'ours' AND o.action IN ('update', 'create', 'associate')
   AND o.state IN ('done', 'undone') AND coalesce(o.done_at, o.at) > CAST(:moment AS timestamptz)
 ORDER BY coalesce(o.done_at, o.at) DESC, o.id DESC LIMIT :most
"""

KEPT = """
SELECT to_date(right(min(c.relname), 7), 'YYYY_MM')::timestamptz AS since
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'operation'::regclass
"""

MOST = 2_000
"""A record with more changes since is read back no further; the rest is unknown."""


@dataclass(frozen=True, slots=True)
class Was:
    """A field at the moment; `known` is false when the history does not reach back to it."""

    known: bool
    value: Json
    references: Sequence[Reference]
    differs: bool


@dataclass(frozen=True, slots=True)
class Past:
    """The record at `moment`; it did not exist yet when `existed` is false."""

    moment: datetime
    existed: bool
    fields: Mapping[str, Was]

    @property
    def unknown(self) -> int:
        return sum(1 for was in self.fields.values() if not was.known)


def past(page: RecordPage, moment: datetime) -> Past:
    """Return what the fields of a record the person may see held at a moment."""
    if moment < page.created_at:
        return Past(moment, existed=False, fields={})
    found = rows(SINCE, record=page.id, moment=moment, most=MOST + 1)
    held: dict[str, Json] = dict(page.data)
    links = {name: str(one.target_id or "") for name, one in _now(page).items()}
    held |= {name: value or None for name, value in links.items()}
    walked: set[str] = set()
    for row in found[:MOST]:
        for name, values in (row["fields"] or {}).items():
            held[name] = (list(values) or [None])[0]
            walked.add(name)
    unknown = _unknown(page, moment, walked, cut=len(found) > MOST)
    titles = _titles(page, held)
    return Past(
        moment,
        existed=True,
        fields={
            row.field.name: _was(page, row, held, titles)
            if row.field.name not in unknown
            else Was(known=False, value=None, references=(), differs=False)
            for row in page.fields
        },
    )


def _now(page: RecordPage) -> Mapping[str, Reference]:
    return {row.field.name: row.references[0] for row in page.fields if row.references}


def _unknown(page: RecordPage, moment: datetime, walked: set[str], *, cut: bool) -> set[str]:
    """Fields whose last change is later than the moment, without an entry that tells of it; and
    every field that ever changed when the history was cut off after the moment."""
    unknown = set()
    for name, origin in page.origin.items():
        at = moment_of(origin)
        if at is not None and at > moment and name not in walked:
            unknown.add(name)
    since = only(KEPT)["since"]
    if cut or (since is not None and moment < since):
        unknown |= set(page.origin) | walked
    return unknown


def _titles(page: RecordPage, held: Mapping[str, Json]) -> dict[str, Reference]:
    ids = []
    for field in page.kind.references:
        try:
            ids.append(UUID(str(held.get(field.name))))
        except ValueError:
            continue
    found = references_of(ids)
    return {str(reference.target_id): reference for reference in found}


def _was(
    page: RecordPage, row: FieldRow, held: Mapping[str, Json], titles: Mapping[str, Reference]
) -> Was:
    value = held.get(row.field.name)
    if row.field.type is not FieldType.REFERENCE:
        return Was(
            known=True,
            value=value,
            references=(),
            differs=not same(page.data.get(row.field.name), value),
        )
    now = row.references[0].target_id if row.references else None
    found = titles.get(str(value))
    gone = Reference("a record that is gone", None, "") if value and found is None else found
    differs = str(now or "") != str(value or "")
    return Was(known=True, value=None, references=(gone,) if gone else (), differs=differs)
