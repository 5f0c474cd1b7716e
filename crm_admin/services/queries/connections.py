"""Connections as the settings pages show them; secrets are only ever their last characters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.packs.registry import default_mappings, kinds
from crm_admin.providers.base import ProviderSpec
from crm_admin.providers.registry import spec_of
from crm_admin.services.queries import brief
from crm_admin.services.queries.sql import Row, first, rows

CARDS = """
WITH planned AS MATERIALIZED (
SELECT id, connection_id, created_at FROM sync_run WHERE state = 'planned' AND expires_at > now()
 UNION ALL
SELECT id, connection_id, created_at FROM sync_run WHERE state = 'planned' AND expires_at IS NULL)
SELECT c.id, c.provider, c.name, c.environment, c.stance, c.health, c.health_reason, c.health_at,
  c.checks, c.version, c.settings ->> 'setup' AS setup, c.settings ? 'deleting' AS deleting,
       CASE WHEN c.settings ->> 'sign_in' = 'oauth' THEN t.expires_at END AS sign_in_ends,
       c.settings ->> 'sign_in' = 'oauth' AND t.refusals < 2 AS renews,
       c.created_at, u.name AS owner,
       coalesce(l.linked, 0) AS linked, coalesce(l.failed, 0) AS failed, coalesce(w.waiting,
         0) AS waiting,
       last.id AS last_id, last.state AS last_state, last.finished_at AS last_at,
       live.id AS live_id, plan.id AS plan_id, next.next_at,
       (SELECT count(*) FROM stream s WHERE s.connection_id = c.id AND s.enabled) AS streams,
       EXISTS (SELECT 1 FROM stream s WHERE s.connection_id = c.id AND s.is_primary) AS is_primary
  FROM connection c
  LEFT JOIN app_user u ON u.id = c.created_by
  LEFT JOIN oauth_token t ON t.organization_id = c.organization_id AND t.connection_id = c.id
  LEFT JOIN LATERAL (SELECT
       (SELECT count(*) FROM link k WHERE k.connection_id = c.id AND k.status = 'linked') AS linked,
       (SELECT count(*) FROM link k WHERE k.connection_id = c.id AND k.status = 'linked'
           AND k.error IS NOT NULL AND k.error <> '') AS failed) l ON true
  LEFT JOIN (SELECT s.connection_id, count(*) AS waiting
    FROM outbox o JOIN stream s ON s.id = o.stream_id
              GROUP BY s.connection_id) w ON w.connection_id = c.id
  LEFT JOIN LATERAL (SELECT id, state, finished_at FROM sync_run r WHERE r.connection_id = c.id
                        AND r.state IN ('succeeded', 'partial', 'failed', 'cancelled')
                      ORDER BY created_at DESC LIMIT 1) last ON true
  LEFT JOIN LATERAL (SELECT id FROM sync_run r WHERE r.connection_id = c.id
                        AND r.state IN ('queued', 'running', 'waiting') LIMIT 1) live ON true
  LEFT JOIN LATERAL (SELECT id FROM planned r WHERE r.connection_id = c.id
                      ORDER BY created_at DESC LIMIT 1) plan ON true
  LEFT JOIN LATERAL (SELECT next_at FROM schedule h WHERE h.connection_id = c.id AND h.enabled
                      ORDER BY next_at NULLS LAST LIMIT 1) next ON true
"""

STREAMS = """
SELECT s.id, s.remote_object, s.kind, s.direction, s.creates, s.policy, s.first_agreement,
  s.filter, s.enabled,
       s.is_primary, s.mapping_version, s.watermark, s.full_done_at,
       (SELECT count(*) FROM link l WHERE l.stream_id = s.id AND l.status = 'linked') AS linked
  FROM stream s WHERE s.connection_id = :connection ORDER BY s.position, s.remote_object
"""

CHECK_ORDER = (
    ("address", "Its address answers"),
    ("credentials", "It accepts our key"),
    ("account", "It is the right account"),
    ("scopes", "The key may do what we need"),
    ("fields", "Its fields can be read"),
    ("write", "Writing is allowed"),
    ("clock", "The clocks agree"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A connection with where it stands."""

    id: UUID
    provider: str
    provider_label: str
    name: str
    environment: str
    stance: str
    health: str
    health_reason: str
    owner: str
    tested_at: datetime | None
    testing: bool
    linked: int
    failed: int
    waiting: int
    streams: int
    is_primary: bool
    last_id: UUID | None
    last_state: str
    last_at: datetime | None
    next_at: datetime | None
    live_id: UUID | None
    plan_id: UUID | None
    version: int = 1
    setup: str = ""
    deleting: bool = False
    sign_in_ends: datetime | None = None
    renews: bool = False

    @property
    def is_draft(self) -> bool:
        """Say whether its set-up was not finished: nothing ran yet and nobody checked its
        answers.
        """
        return bool(self.setup) and self.last_id is None and self.live_id is None

    @property
    def in_sync(self) -> int:
        return max(0, self.linked - self.failed - self.waiting)

    @property
    def works(self) -> bool:
        return self.health == "ok"

    @property
    def status(self) -> str:
        """The status word: health first, then the stance."""
        if self.health == "disconnected":
            return "disconnected"
        if self.health != "ok":
            return "attention"
        return {"observe": "observing", "paused": "paused"}.get(self.stance, "active")


@dataclass(frozen=True, slots=True)
class CheckLine:
    name: str
    label: str
    ok: bool | None
    sentence: str
    fix: str


@dataclass(frozen=True, slots=True)
class Checks:
    """The check list. `ahead` are lines still to come while it runs."""

    running: bool
    at: datetime | None
    lines: Sequence[CheckLine]
    ahead: Sequence[str]

    @property
    def failed(self) -> int:
        return sum(1 for line in self.lines if line.ok is False)

    @property
    def passed(self) -> bool:
        return (
            bool(self.lines)
            and not self.running
            and all(line.ok is not False for line in self.lines)
        )


@dataclass(frozen=True, slots=True)
class StreamLine:
    id: UUID
    object: str
    object_label: str
    kind: str
    kind_label: str
    direction: str
    creates: str
    policy: str
    first_agreement: str
    filters: Sequence[Mapping[str, Any]]
    enabled: bool
    is_primary: bool
    mapping_version: int | None
    watermark: datetime | None
    linked: int


@dataclass(frozen=True, slots=True)
class Detail:
    card: Card
    endpoint: str
    hints: Mapping[str, str]
    settings: Mapping[str, str]
    account: Mapping[str, str]
    marker: str
    checks: Checks
    streams: Sequence[StreamLine]
    spec: ProviderSpec


@dataclass(frozen=True, slots=True)
class Choice:
    """An object of the CRM that may be synced with a kind of ours, and how it is set now."""

    object: str
    object_label: str
    kind: str
    kind_label: str
    enabled: bool
    direction: str
    creates: str
    linked: int
    is_set: bool
    policy: str = "newest_wins"
    stream_id: UUID | None = None
    filters: Sequence[Mapping[str, Any]] = ()


def cards() -> tuple[Card, ...]:
    """Return all connections by priority and name."""
    return tuple(_card(row) for row in brief.rows(f"{CARDS} ORDER BY c.priority, c.name"))


def names() -> tuple[tuple[UUID, str], ...]:
    """Return id and name of all connections, for choices."""
    return tuple(
        (row["id"], row["name"])
        for row in rows("SELECT id, name FROM connection ORDER BY priority, name")
    )


def draft(provider: str, endpoint: str) -> UUID | None:
    """Return a connection that somebody began to add and nobody has signed in to yet."""
    row = first(
        "SELECT id FROM connection WHERE provider = :provider AND endpoint = :endpoint"
        " AND health = 'disconnected' AND settings ? 'setup' ORDER BY created_at LIMIT 1",
        provider=provider,
        endpoint=endpoint,
    )
    return row["id"] if row else None


def free_name(wanted: str) -> str:
    """Return a name no connection has yet: the wanted one, or it with a number."""
    taken = {row["name_key"] for row in rows("SELECT name_key FROM connection")}
    named = (wanted if place == 1 else f"{wanted} {place}" for place in range(1, 10_000))
    return next((name for name in named if name.casefold() not in taken), wanted)


def _card(row: Row) -> Card:
    checks = row["checks"] or {}
    return Card(
        id=row["id"],
        provider=row["provider"],
        provider_label=_label(row["provider"]),
        name=row["name"],
        environment=row["environment"],
        stance=row["stance"],
        health=row["health"],
        health_reason=row["health_reason"] or "",
        owner=row["owner"] or "",
        tested_at=_moment(checks.get("at")),
        testing=bool(checks.get("running")),
        linked=row["linked"],
        failed=row["failed"],
        waiting=row["waiting"],
        streams=row["streams"],
        is_primary=row["is_primary"],
        last_id=row["last_id"],
        last_state=row["last_state"] or "",
        last_at=row["last_at"],
        next_at=row["next_at"],
        live_id=row["live_id"],
        plan_id=row["plan_id"],
        version=row["version"],
        setup=row["setup"] or "",
        deleting=bool(row["deleting"]),
        sign_in_ends=row["sign_in_ends"],
        renews=bool(row["renews"]),
    )


def _label(provider: str) -> str:
    try:
        return spec_of(provider).label
    except KeyError:
        return provider


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def detail(connection_id: UUID) -> Detail:
    """Return one connection; unknown and foreign ids are not found."""
    row = first(f"{CARDS} WHERE c.id = :connection", connection=connection_id)
    more = first(
        "SELECT endpoint, credential_hints, settings, account, marker, checks FROM connection"
        " WHERE id = :connection",
        connection=connection_id,
    )
    if row is None or more is None:
        raise NotFound("This connection is not there.")
    spec = spec_of(row["provider"])
    return Detail(
        card=_card(row),
        endpoint=more["endpoint"] or spec.endpoint,
        hints=_texts(more["credential_hints"]),
        settings=_texts(more["settings"]),
        account=_texts(more["account"]),
        marker=more["marker"],
        checks=checks(more["checks"]),
        streams=tuple(_stream(item, spec) for item in rows(STREAMS, connection=connection_id)),
        spec=spec,
    )


def _texts(stored: Mapping[str, Any] | None) -> dict[str, str]:
    return {
        name: str(value)
        for name, value in (stored or {}).items()
        if value not in (None, "") and not isinstance(value, dict | list)
    }


def checks(stored: Mapping[str, Any] | None) -> Checks:
    """Return the check list from its stored lines."""
    found = stored or {}
    lines = tuple(
        CheckLine(
            str(line.get("name") or ""),
            str(line.get("label") or ""),
            line.get("ok"),
            str(line.get("sentence") or ""),
            str(line.get("fix") or ""),
        )
        for line in found.get("lines") or ()
    )
    seen = {line.name for line in lines}
    running = bool(found.get("running"))
    ahead = tuple(label for name, label in CHECK_ORDER if name not in seen) if running else ()
    return Checks(running, _moment(found.get("at")), lines, ahead)


def _stream(row: Row, spec: ProviderSpec) -> StreamLine:
    return StreamLine(
        id=row["id"],
        object=row["remote_object"],
        object_label=object_label(spec, row["remote_object"]),
        kind=row["kind"],
        kind_label=kind_label(row["kind"]),
        direction=row["direction"],
        creates=row["creates"],
        policy=row["policy"] or "",
        first_agreement=row["first_agreement"] or "",
        filters=row["filter"] or (),
        enabled=row["enabled"],
        is_primary=row["is_primary"],
        mapping_version=row["mapping_version"],
        watermark=row["watermark"],
        linked=row["linked"],
    )


def object_label(spec: ProviderSpec, name: str) -> str:
    """Return what the CRM calls an object in the plural."""
    try:
        return spec.object(name).plural
    except KeyError:
        return name


def kind_label(name: str) -> str:
    """Return what we call a kind in the plural."""
    registry = kinds()
    return registry[name].plural if name in registry else name


def choices(found: Detail) -> tuple[Choice, ...]:
    """Return what may be synced: every object and kind that comes with a default mapping."""
    known = {(stream.object, stream.kind): stream for stream in found.streams}
    offered = sorted(default_mappings(found.card.provider), key=lambda item: item.position)
    pairs = [(item.remote_object, item.kind) for item in offered]
    return tuple(_choice(found, name, kind, known.get((name, kind))) for name, kind in pairs)


def _choice(found: Detail, name: str, kind: str, stream: StreamLine | None) -> Choice:
    return Choice(
        object=name,
        object_label=object_label(found.spec, name),
        kind=kind,
        kind_label=kind_label(kind),
        enabled=stream.enabled if stream else True,
        direction=stream.direction if stream else "both",
        creates=stream.creates if stream else "both",
        linked=stream.linked if stream else 0,
        is_set=stream is not None,
        policy=stream.policy if stream else "newest_wins",
        stream_id=stream.id if stream else None,
        filters=stream.filters if stream else (),
    )
