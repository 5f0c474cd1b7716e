"""The tabs of a connection as its page shows them: objects with their fields, schedule, limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.services.queries.sql import first, rows
from crm_admin.sync import filter_lines
from crm_admin.sync.filter_lines import Line
from crm_admin.sync.guard import Limits

EVENTS = (
    "sync_failed",
    "plan_ready",
    "conflict_detected",
    "connection_needs_attention",
    "import_completed",
)
CHANNELS = ("page", "mail")

SCHEDULE = """
SELECT every_seconds, cron, enabled, next_at, zone FROM schedule
 WHERE connection_id = :connection AND job = 'delta-sync'
 ORDER BY (params -> 'custom') IS NOT NULL, id LIMIT 1
"""

FIELDS = """
SELECT fields, read_at FROM remote_schema WHERE connection_id = :connection AND object = :object
"""

LIMITS = "SELECT limits, settings FROM connection WHERE id = :connection"

ON_SAVE = """
SELECT 1 FROM stream WHERE connection_id = :connection AND trigger ->> 'save' = 'true' LIMIT 1
"""

STREAM = """
SELECT id, remote_object, kind, filter FROM stream
 WHERE id = :stream AND connection_id = :connection
"""

READ_AT = "SELECT object, read_at FROM remote_schema WHERE connection_id = :connection"


@dataclass(frozen=True, slots=True)
class RemoteName:
    """A described field: how it is called, and its values where it has a list of them."""

    name: str
    label: str
    options: Sequence[str]


@dataclass(frozen=True, slots=True)
class FilterForm:
    stream_id: UUID
    object: str
    kind: str
    lines: Sequence[Line]
    fields: Sequence[RemoteName]
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class AutoSync:
    minutes: int | None
    cron: str
    next_at: datetime | None
    quiet: Mapping[str, str]
    zone: str
    on_save: bool = False


@dataclass(frozen=True, slots=True)
class LimitsForm:
    """Limits as they are typed; empty where the CRM's own hold."""

    deletes_percent: int
    deletes_floor: int
    deletes_most: int
    creates_percent: int
    creates_floor: int
    batch: int | str
    calls_per_10_seconds: int | str
    daily_calls: int | str


def filter_form(connection_id: UUID, stream_id: UUID) -> FilterForm:
    """Return a stream's filter and what it may be made of; NotFound without such a stream."""
    row = first(STREAM, stream=stream_id, connection=connection_id)
    if row is None:
        raise NotFound("This object is not synced.")
    described = first(FIELDS, connection=connection_id, object=row["remote_object"])
    return FilterForm(
        stream_id=row["id"],
        object=row["remote_object"],
        kind=row["kind"],
        lines=filter_lines.typed(row["filter"] or ()),
        fields=_names(described["fields"]) if described else (),
        read_at=described["read_at"] if described else None,
    )


def _names(fields: Sequence[Mapping[str, Any]]) -> tuple[RemoteName, ...]:
    found = [
        RemoteName(
            str(field.get("name") or ""),
            str(field.get("label") or field.get("name") or ""),
            tuple(str(one.get("value") or "") for one in field.get("options") or ()),
        )
        for field in fields
    ]
    return tuple(sorted(found, key=lambda one: one.label.casefold()))


def described_at(connection_id: UUID) -> Mapping[str, datetime]:
    """Return per object when its fields were read last."""
    return {row["object"]: row["read_at"] for row in rows(READ_AT, connection=connection_id)}


def auto_sync(connection_id: UUID) -> AutoSync:
    """Return how often a connection syncs by itself, and when it never does."""
    row = first(SCHEDULE, connection=connection_id)
    held = first(LIMITS, connection=connection_id)
    zone = first(
        "SELECT zone FROM organization WHERE id = "
        "(SELECT organization_id FROM connection WHERE id = :connection)",
        connection=connection_id,
    )
    settings = (held["settings"] if held else None) or {}
    on = bool(row and row["enabled"])
    seconds = row["every_seconds"] if row and on else None
    return AutoSync(
        minutes=seconds // 60 if seconds else None,
        cron=(row["cron"] or "") if row and on else "",
        next_at=row["next_at"] if row and on else None,
        quiet=dict(settings.get("quiet_hours") or {}),
        zone=zone["zone"] if zone else "UTC",
        on_save=first(ON_SAVE, connection=connection_id) is not None,
    )


def notifications(user_id: UUID) -> frozenset[tuple[str, str]]:
    """Return which events a person hears of by which channel; the page always until they choose."""
    found = rows("SELECT event, channel FROM notification_rule WHERE user_id = :user", user=user_id)
    chosen = frozenset((row["event"], row["channel"]) for row in found)
    return chosen or frozenset((event, "page") for event in EVENTS)


def limits_form(connection_id: UUID) -> LimitsForm:
    """Return the limits a connection has now."""
    row = first(LIMITS, connection=connection_id)
    stored = (row["limits"] if row else None) or {}
    held = Limits.of(stored)
    calls = (stored.get("calls") or {}).get("") or [""]
    return LimitsForm(
        deletes_percent=round(held.deletes_share * 100),
        deletes_floor=int(held.deletes_floor),
        deletes_most=int(held.deletes_most),
        creates_percent=round(held.creates_share * 100),
        creates_floor=int(held.creates_floor),
        batch=stored.get("batch") or "",
        calls_per_10_seconds=calls[0],
        daily_calls=stored.get("daily_calls") or "",
    )
