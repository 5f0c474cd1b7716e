"""A record's conflicts ready to be settled: both values, what each choice would write where, and
which one we would take.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.jsontypes import Json
from crm_admin.records.kinds import Field, FieldType
from crm_admin.records.values import is_blank
from crm_admin.services import conflict_rules
from crm_admin.services.access import Person
from crm_admin.services.conflict_rules import Crossed, Uses
from crm_admin.services.queries import brief, conflicts, scope
from crm_admin.services.queries.conflicts import COLUMNS, Conflict, conflict_of
from crm_admin.services.queries.sql import Row, first, rows
from crm_admin.services.sql import transaction
from crm_admin.sync.advice import Advice, Clash, advise, newest

SHOWN_LIKE_IT = 200

OF_SUBJECT = f"""
{COLUMNS}
 WHERE k.record_id = :record AND k.connection_id = :connection
   AND (k.state = 'open' OR k.id = :asked) AND {scope.OWN}
 ORDER BY (k.id <> :asked), k.field
"""

FACTS = """
SELECT (SELECT max(l.agreed_at) FROM link l WHERE l.id = :link) AS agreed_at, s.is_primary,
       c.stance, c.health
  FROM stream s JOIN connection c ON c.id = s.connection_id WHERE s.id = :stream
"""

ALIKE = f"""
SELECT k.field, count(*) AS amount FROM conflict k JOIN record r ON r.id = k.record_id
 WHERE k.state = 'open' AND k.connection_id = :connection AND k.field = ANY(:fields)
   AND r.kind = :kind AND k.record_id <> :record AND {scope.OWN}
 GROUP BY k.field
"""  # noqa: S608 - only our own condition is pasted in

LIKE_IT = f"""
{COLUMNS}
 WHERE k.state = 'open' AND k.connection_id = :connection AND k.field = :field
   AND r.kind = :kind AND {scope.OWN}
 ORDER BY k.created_at DESC, k.id DESC LIMIT :amount
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One conflict with what would become of it. `ours_there` is our value as the CRM would get it,
    `theirs_here` theirs as we would; `combined` a proposal for both sides.
    """

    conflict: Conflict
    is_mapped: bool
    ours_there: Crossed
    theirs_here: Crossed
    combined: Json
    combined_there: Crossed
    advice: Advice | None
    newest: str
    alike: int

    @property
    def can_type(self) -> bool:
        field = self.conflict.field
        return self.is_mapped and field is not None and field.type is not FieldType.REFERENCE

    @property
    def field(self) -> Field | None:
        return self.conflict.field


@dataclass(frozen=True, slots=True)
class Subject:
    """The record whose conflicts are looked at, on one connection."""

    conflict: Conflict
    lines: Sequence[Line]
    agreed_at: datetime | None
    is_active: bool

    @property
    def open(self) -> Sequence[Line]:
        return [line for line in self.lines if line.conflict.state == "open"]


def subject(person: Person, conflict_id: UUID) -> Subject:
    """Return the record of a conflict with all that is open on its connection; NotFound when the
    person may not see it.
    """
    asked = conflicts.one(person, conflict_id)
    if asked is None:
        raise NotFound("This conflict is not there.")
    found = rows(
        OF_SUBJECT,
        record=asked.record_id,
        connection=asked.connection_id,
        asked=conflict_id,
        owner=scope.owner_of(person),
    )
    link = first("SELECT link_id FROM conflict WHERE id = :id", id=conflict_id)
    facts = first(FACTS, link=link["link_id"] if link else None, stream=asked.stream_id)
    held = [conflict_of(row) for row in found]
    uses = _uses([asked.connection_id])
    amounts = _alike(person, asked, held)
    is_primary = bool(facts and facts["is_primary"])
    return Subject(
        conflict=asked,
        lines=[_line(one, uses, is_primary, amounts.get(one.field_name, 0)) for one in held],
        agreed_at=facts["agreed_at"] if facts else None,
        is_active=bool(facts and facts["stance"] == "active"),
    )


def _alike(person: Person, asked: Conflict, held: Sequence[Conflict]) -> dict[str, int]:
    owner = scope.owner_of(person)
    fields = [one.field_name for one in held if one.state == "open"]
    found = brief.remembered(
        ("alike", asked.record_id, asked.connection_id, owner, *fields),
        lambda: rows(
            ALIKE,
            connection=asked.connection_id,
            fields=fields,
            kind=asked.kind,
            record=asked.record_id,
            owner=owner,
        ),
    )
    return {row["field"]: row["amount"] for row in found}


def _uses(connection_ids: Sequence[UUID]) -> Uses:
    with transaction() as cursor:
        return conflict_rules.load_uses(cursor, connection_ids)


def _line(one: Conflict, uses: Uses, is_primary: bool, alike: int) -> Line:  # noqa: FBT001 - a fact of the stream
    use = uses.get((one.stream_id, one.rule_id))
    theirs_here = conflict_rules.to_ours(use, one.theirs)
    combined = conflict_rules.combined(one.field, use, one.agreed, one.ours, one.theirs)
    clash = Clash(
        ours=one.ours,
        theirs=theirs_here.value if not theirs_here.error else one.theirs,
        combined=combined,
        ours_at=one.ours_at,
        ours_by=one.ours_by,
        theirs_at=one.theirs_at,
        connection=one.connection,
        is_primary=is_primary,
    )
    return Line(
        conflict=one,
        is_mapped=use is not None,
        ours_there=conflict_rules.to_theirs(use, one.ours),
        theirs_here=theirs_here,
        combined=combined,
        combined_there=Crossed(None)
        if is_blank(combined)
        else conflict_rules.to_theirs(use, combined),
        advice=advise(clash) if use is not None and one.state == "open" else None,
        newest=newest(one.ours_at, one.theirs_at),
        alike=alike,
    )


@dataclass(frozen=True, slots=True)
class LikeIt:
    """Conflicts of one field on one connection, the first 200 of `total`."""

    connection_id: UUID
    connection: str
    kind: str
    field_name: str
    label: str
    total: int
    lines: Sequence[Line]


def like_it(person: Person, connection_id: UUID, kind: str, field: str) -> LikeIt:
    """Return the open conflicts of one field on one connection; NotFound when there is none."""
    owner = scope.owner_of(person)
    found: Sequence[Row] = rows(
        LIKE_IT,
        connection=connection_id,
        kind=kind,
        field=field,
        owner=owner,
        amount=SHOWN_LIKE_IT,
    )
    if not found:
        raise NotFound("There is no open conflict like this any more.")
    group = next(
        (
            one
            for one in conflicts.groups(person)
            if (one.connection_id, one.kind, one.field_name) == (connection_id, kind, field)
        ),
        None,
    )
    uses = _uses([connection_id])
    held = [conflict_of(row) for row in found]
    return LikeIt(
        connection_id,
        held[0].connection,
        kind,
        field,
        held[0].label,
        group.amount if group else len(held),
        [_line(one, uses, False, 0) for one in held],  # noqa: FBT003 - nothing is recommended here
    )
