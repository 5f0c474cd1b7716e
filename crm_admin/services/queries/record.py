"""One record or POV: where it stands in each CRM, its fields on all sides, its conflicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.jsontypes import Json
from crm_admin.mapping.rules import Direction, FieldRule
from crm_admin.providers.base import ProviderSpec
from crm_admin.providers.registry import spec_of
from crm_admin.records.kinds import Field, FieldType, Option, RecordKind
from crm_admin.records.values import is_blank
from crm_admin.services.access import Person
from crm_admin.services.queries import scope
from crm_admin.services.queries.conflicts import Conflict, of_record
from crm_admin.services.queries.mapping import rules_of
from crm_admin.services.queries.records import Place, kind_named, place_of
from crm_admin.services.queries.sql import Row, first, rows

RECORD = f"""
SELECT r.id, r.kind, r.title, r.data, r.origin, r.version, r.external_id, r.status, r.owner_id,
  u.name AS owner,
       r.created_at, r.updated_at, r.created_run, r.hub_only, r.merged_into,
       EXISTS (SELECT 1 FROM preference p WHERE p.user_id = :user
         AND p.name = 'follow:' || CAST(r.id AS text)) AS followed
  FROM record r LEFT JOIN app_user u ON u.id = r.owner_id
 WHERE r.id = :record AND r.kind = :kind AND r.deleted_at IS NULL AND {scope.OWN}
"""  # noqa: S608 - only our own condition is pasted in

STREAMS = """
SELECT s.id AS stream_id, s.remote_object, s.filter,
  s.deleted_here = 'archive' AND s.direction <> 'from_crm' AS archives,
  c.id AS connection_id, c.name AS connection,
  c.provider, c.stance, c.environment, c.endpoint,
       c.account, c.health, c.health_at, m.id AS mapping_id, s.mapping_version, h.fields AS schema,
       l.id AS link_id, l.status, l.error, l.agreed_at, l.remote_id, l.base_ours, l.base_theirs,
         l.created_at AS linked_at,
       l.mapping_version AS link_version, o.error AS queue_error, o.created_at AS queued_at,
         o.record_id AS queued,
       EXISTS (SELECT 1 FROM conflict k WHERE k.link_id = l.id AND k.state = 'open') AS in_conflict,
       EXISTS (SELECT 1 FROM effect e WHERE e.link_id = l.id) AS sending,
       EXISTS (SELECT 1 FROM wanted w WHERE w.record_id = :record
         AND w.connection_id = c.id) AS wanted,
       (SELECT p.reason FROM operation p WHERE p.record_id = :record AND p.stream_id = s.id
         AND p.action = 'skip'
         ORDER BY p.at DESC LIMIT 1) AS skipped,
       (SELECT p.error_field FROM operation p WHERE p.record_id = :record AND p.stream_id = s.id
         AND p.state = 'failed'
         ORDER BY p.at DESC LIMIT 1) AS error_field
  FROM stream s
  JOIN connection c ON c.id = s.connection_id
  LEFT JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version
  LEFT JOIN remote_schema h ON h.connection_id = s.connection_id AND h.object = s.remote_object
  LEFT JOIN link l ON l.stream_id = s.id AND l.record_id = :record AND l.status <> 'shadow'
  LEFT JOIN outbox o ON o.stream_id = s.id AND o.record_id = :record
 WHERE s.kind = :kind AND (s.enabled OR l.id IS NOT NULL)
 ORDER BY c.priority, c.name, s.position
"""

TARGETS = "SELECT id, kind, title FROM record WHERE id = ANY(:ids)"

CUSTOM = """
SELECT name, label, type, required, options FROM field_def
 WHERE kind = :kind AND enabled ORDER BY position, name LIMIT 100
"""

REFERENCES = """
SELECT f.field, f.target_id, t.kind, coalesce(t.title, f.label, f.remote_id, '') AS title,
  f.remote_id
  FROM reference f LEFT JOIN record t ON t.id = f.target_id
 WHERE f.record_id = :record ORDER BY f.field, f.position
"""


@dataclass(frozen=True, slots=True)
class Reference:
    title: str
    target_id: UUID | None
    kind: str


@dataclass(frozen=True, slots=True)
class Presence:
    """The record in one connection. `skipped` is the reason it was last left out, `fix_field` the
    field of ours that the CRM's last refusal was about, `missing` the labels of empty fields that
    its mapping requires."""

    stream_id: UUID
    connection_id: UUID
    connection: str
    provider_label: str
    object_label: str
    place: Place
    remote_id: str
    url: str
    agreed_at: datetime | None
    skipped: str
    stance: str
    healthy: bool
    unwell_since: datetime | None
    waits: bool
    archives: bool
    fix_field: str
    missing: Sequence[str]
    rules: Mapping[str, FieldRule]
    schema: Sequence[Mapping[str, Any]]
    base_ours: Mapping[str, Json]
    base_theirs: Mapping[str, Json]
    version: int | None

    @property
    def is_there(self) -> bool:
        return bool(self.remote_id)


@dataclass(frozen=True, slots=True)
class Theirs:
    """A field in one connection: mapped or not, there or not, and what the CRM last returned."""

    mapped: bool
    there: bool
    value: Json
    name: str
    agreed: bool = True


@dataclass(frozen=True, slots=True)
class FieldRow:
    field: Field
    value: Json
    references: Sequence[Reference]
    theirs: Sequence[Theirs]
    status: str
    note: str
    custom: bool = False

    @property
    def is_mapped(self) -> bool:
        return any(item.mapped for item in self.theirs)


@dataclass(frozen=True, slots=True)
class RecordPage:
    id: UUID
    kind: RecordKind
    title: str
    external_id: str
    owner: str
    owner_id: UUID | None
    version: int
    data: Mapping[str, Json]
    origin: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    presences: Sequence[Presence]
    fields: Sequence[FieldRow]
    conflicts: Sequence[Conflict]
    syncing: bool
    hub_only: bool
    followed: bool

    def has_changes_for(self, presence: Presence) -> bool:
        """Say whether a field that the connection maps was changed since both agreed: a record
        whose other fields were edited is queued too, and then nothing is sent."""
        at = self.presences.index(presence)
        if any(row.status == "waiting" and row.theirs[at].mapped for row in self.fields):
            return True
        return any(
            presence.agreed_at is None or stamp is None or stamp > presence.agreed_at
            for name, origin in self.origin.items()
            if name in presence.rules
            for stamp in [moment_of(origin)]
        )

    def standing_of(self, presence: Presence) -> str:
        """Return the status word of the record in a connection, as its page says it."""
        status = presence.place.status
        idle = presence.is_there and status in {"waiting", "paused"}
        return "synced" if idle and not self.has_changes_for(presence) else status

    @property
    def required_empty(self) -> Sequence[FieldRow]:
        return [row for row in self.fields if row.note == "required"]


def record(person: Person, kind_name: str, record_id: UUID) -> RecordPage:
    """Return the record when this person may see it; unknown, foreign and other people's are not
    found."""
    kind = kind_named(kind_name)
    row = first(
        RECORD,
        record=record_id,
        kind=kind.name,
        owner=scope.owner_of(person),
        user=person.user_id,
    )
    if row is None:
        raise NotFound("This record is not there.")
    streams = rows(STREAMS, record=record_id, kind=kind.name)
    rules = rules_of([item["mapping_id"] for item in streams if item["mapping_id"]])
    references = _references(record_id)
    empty = {
        field.name: field.label
        for field in kind.fields
        if is_blank(row["data"].get(field.name)) and field.name not in references
    }
    presences = tuple(
        _presence(item, rules.get(item["mapping_id"], ()), row, empty) for item in streams
    )
    conflicts = of_record(record_id)
    custom = _custom(kind)
    return RecordPage(
        id=row["id"],
        kind=kind,
        title=row["title"] or "Untitled",
        external_id=row["external_id"] or "",
        owner=row["owner"] or "",
        owner_id=row["owner_id"],
        version=row["version"],
        data=row["data"],
        origin=row["origin"] or {},
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        presences=presences,
        fields=tuple(
            _field(field, row["data"], references, presences, conflicts) for field in kind.fields
        )
        + tuple(
            replace(_field(field, row["data"], references, presences, conflicts), custom=True)
            for field in custom
        ),
        conflicts=conflicts,
        syncing=any(item["wanted"] or item["sending"] for item in streams),
        hub_only=row["hub_only"],
        followed=row["followed"],
    )


def moment_of(origin: object) -> datetime | None:
    """Return when a field was last changed, from its origin; None when that is not known."""
    if not isinstance(origin, Mapping) or not origin.get("at"):
        return None
    try:
        return datetime.fromisoformat(str(origin["at"]))
    except ValueError:
        return None


def references_of(ids: Sequence[UUID]) -> tuple[Reference, ...]:
    """Return records by their ids as references, for values of the past; gone ones are left out."""
    if not ids:
        return ()
    return tuple(
        Reference(row["title"] or "Untitled", row["id"], row["kind"])
        for row in rows(TARGETS, ids=list(ids))
    )


def _custom(kind: RecordKind) -> tuple[Field, ...]:
    """Return the fields the organisation added; a definition of a built-in field only marks it."""
    known = {field.name for field in kind.fields}
    return tuple(
        Field(
            row["name"],
            row["label"],
            FieldType(row["type"]),
            required=row["required"],
            options=tuple(
                Option(str(one.get("code") or ""), str(one.get("label") or ""))
                for one in row["options"] or ()
            ),
        )
        for row in rows(CUSTOM, kind=kind.name)
        if row["name"] not in known and row["type"] in set(FieldType)
    )


def _references(record_id: UUID) -> dict[str, list[Reference]]:
    found: dict[str, list[Reference]] = {}
    for row in rows(REFERENCES, record=record_id):
        found.setdefault(row["field"], []).append(
            Reference(row["title"], row["target_id"], row["kind"] or "")
        )
    return found


def _presence(
    row: Row,
    rules: Sequence[FieldRule],
    record_row: Row,
    empty: Mapping[str, str],
) -> Presence:
    link = None
    if row["link_id"]:
        link = {**row, "waits": row["queued"] is not None}
    queued = {"error": row["queue_error"]} if row["queued"] else None
    spec = spec_of(row["provider"])
    labels = {item.name: item.label for item in spec.objects}
    field = row["error_field"] or ""
    return Presence(
        stream_id=row["stream_id"],
        connection_id=row["connection_id"],
        connection=row["connection"],
        provider_label=spec.label,
        object_label=labels.get(str(row["remote_object"]), str(row["remote_object"])),
        place=place_of(link, queued, stance=row["stance"], hub_only=record_row["hub_only"]),
        remote_id=row["remote_id"] or "",
        url=_url(spec, row),
        agreed_at=row["agreed_at"],
        skipped=row["skipped"] or "",
        stance=row["stance"],
        healthy=row["health"] == "ok",
        unwell_since=row["health_at"] if row["health"] != "ok" else None,
        waits=row["queued"] is not None,
        archives=row["archives"],
        fix_field=next((rule.ours for rule in rules if field in {rule.theirs, rule.ours}), "")
        if field
        else "",
        missing=tuple(empty[rule.ours] for rule in rules if rule.ours in empty and _requires(rule)),
        rules={rule.ours: rule for rule in rules},
        schema=row["schema"] or (),
        base_ours=row["base_ours"] or {},
        base_theirs=row["base_theirs"] or {},
        version=row["link_version"] or row["mapping_version"],
    )


def _requires(rule: FieldRule) -> bool:
    """Say whether a record without a value in this field cannot be sent."""
    return rule.required and is_blank(rule.default) and rule.direction is not Direction.FROM_CRM


def _url(spec: ProviderSpec, row: Row) -> str:
    if row["environment"] == "simulator" and row["remote_id"] and row["endpoint"]:
        asked = urlencode({"object": row["remote_object"], "id": row["remote_id"]})
        return f"{str(row['endpoint']).rstrip('/')}/_sim/record?{asked}"
    account = str((row["account"] or {}).get("id") or "")
    if not spec.record_url or not row["remote_id"] or not account:
        return ""
    named = {one.name: one.type_id or one.name for one in spec.objects}
    kind = named.get(row["remote_object"], "")
    return spec.record_url.format(account=account, object_type=kind, id=row["remote_id"])


def _field(
    field: Field,
    data: Mapping[str, Json],
    references: Mapping[str, Sequence[Reference]],
    presences: Sequence[Presence],
    conflicts: Sequence[Conflict],
) -> FieldRow:
    value = data.get(field.name)
    found = references.get(field.name, ()) if field.type is FieldType.REFERENCE else ()
    theirs = tuple(_theirs(field.name, presence) for presence in presences)
    blank = is_blank(value) and not found
    status = _status(field.name, value, presences, theirs, conflicts)
    note = "required" if field.required and blank else ""
    return FieldRow(field, value, found, theirs, status, note)


def _theirs(name: str, presence: Presence) -> Theirs:
    rule = presence.rules.get(name)
    if rule is None:
        return Theirs(mapped=False, there=presence.is_there, value=None, name="")
    held, agreed = presence.base_theirs.get(rule.id), rule.id in presence.base_theirs
    there = presence.is_there
    return Theirs(mapped=True, there=there, value=held, name=rule.theirs, agreed=agreed)


def _status(
    name: str,
    value: Json,
    presences: Sequence[Presence],
    theirs: Sequence[Theirs],
    conflicts: Sequence[Conflict],
) -> str:
    if any(conflict.field_name == name for conflict in conflicts):
        return "conflict"
    if not any(item.mapped for item in theirs):
        return "stays"
    linked = [
        (p, p.rules[name]) for p, t in zip(presences, theirs, strict=True) if t.mapped and t.there
    ]
    if not linked:
        return "not_linked"
    if any(rule.id not in p.base_ours for p, rule in linked):
        return "different"
    moved = any(not rule.association and p.base_ours[rule.id] != value for p, rule in linked)
    return (
        "waiting"
        if moved and not all(is_blank(value) and is_blank(p.base_ours[r.id]) for p, r in linked)
        else "synced"
    )
