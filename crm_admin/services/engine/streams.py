"""Loads what a run works with: the connection, its streams with compiled mappings, the described
fields.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID
from zlib import crc32

import orjson

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import compile_rules
from crm_admin.mapping.rules import Direction, FieldRule, FirstAgreement, Policy, Step
from crm_admin.packs.registry import kinds
from crm_admin.records.kinds import FieldType
from crm_admin.services.engine import people
from crm_admin.services.sql import Cursor, Row
from crm_admin.sync.drafts import RuleUse, StreamFacts
from crm_admin.sync.merge import Rewrite, RuleFacts
from crm_admin.sync.states import Creates, StreamDirection

# While a mapping is rolled out to a part of the links, the last one published for all goes on.
STREAMS = """
SELECT s.id, s.remote_object, s.kind, s.position, s.filter, s.direction, s.creates, s.policy,
s.first_agreement,
       s.is_primary, s.gone_there, s.deleted_here, s.remap_due, s.archived_after,
       s.watermark, s.full_due, s.mapping_version, m.id AS mapping_id, m.percent,
       b.id AS before_id, b.number AS before_version,
       (SELECT p.connection_id FROM stream p WHERE p.kind = s.kind AND p.is_primary) AS
       primary_connection
  FROM stream s
  JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version
  LEFT JOIN LATERAL (
       SELECT v.id, v.number FROM mapping_version v
        WHERE m.percent < 100 AND v.stream_id = s.id AND v.number < m.number
          AND v.percent = 100 AND v.state <> 'draft'
        ORDER BY v.number DESC LIMIT 1) AS b ON true
 WHERE s.connection_id = %s AND s.enabled
 ORDER BY s.position, s.id
"""

RULES = """
SELECT mapping_version_id, rule_id, ours, theirs, direction, required, default_value, steps, policy,
first_agreement, on_change
  FROM field_rule WHERE mapping_version_id = ANY(%s) ORDER BY mapping_version_id, position, rule_id
"""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream with its facts and where it stands.

    `ahead` are the facts of a mapping that only `percent` of the linked records use yet.
    """

    facts: StreamFacts
    row: Row
    ahead: StreamFacts | None = None
    percent: int = 100

    @property
    def id(self) -> UUID:
        return self.facts.stream_id

    def of(self, record_id: UUID | None) -> "Stream":
        """Return the stream as one linked record uses it."""
        if self.ahead is None or record_id is None:
            return self
        chosen = crc32(str(record_id).encode()) % 100 < self.percent
        return replace(self, facts=self.ahead, ahead=None) if chosen else self


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """A remote object of a run: read once, for all its streams, with all properties they map."""

    name: str
    streams: tuple[Stream, ...]
    properties: tuple[str, ...]
    associations: tuple[str, ...]


def load_streams(
    cursor: Cursor, connection_id: UUID, decisions: Mapping[str, str]
) -> tuple[RemoteObject, ...]:
    """Return the enabled streams of a connection, grouped by remote object in their order, mappings
    compiled.

    `decisions` are first-agreement choices as {"<stream>:<rule>": choice}.
    """
    rows = cursor.execute(STREAMS, (connection_id,)).fetchall()
    ids = [row[name] for row in rows for name in ("mapping_id", "before_id") if row[name]]
    rules = _rules(cursor, ids)
    schemas = {
        row["object"]: row["fields"]
        for row in cursor.execute(
            "SELECT object, fields FROM remote_schema WHERE connection_id = %s", (connection_id,)
        ).fetchall()
    }
    tables = {**people.lookups(cursor, connection_id), **_account(cursor, connection_id)}
    grouped: dict[str, list[Stream]] = defaultdict(list)
    for row in rows:
        types = {field["name"]: field["type"] for field in schemas.get(row["remote_object"]) or []}
        compiler = _Compiler(row, types, decisions, tables)
        newest = compiler.facts(rules[row["mapping_id"]], row["mapping_version"])
        if row["before_id"]:
            before = compiler.facts(rules[row["before_id"]], row["before_version"])
            stream = Stream(before, row, newest, row["percent"])
        else:
            stream = Stream(newest, row)
        grouped[row["remote_object"]].append(stream)
    return tuple(_object(name, streams) for name, streams in grouped.items())


def _account(cursor: Cursor, connection_id: UUID) -> dict[str, Mapping[str, Json]]:
    """What steps may know of the account itself: the currency of amounts that name none."""
    row = cursor.execute(
        "SELECT account ->> 'currency' AS currency FROM connection WHERE id = %s", (connection_id,)
    ).fetchone()
    return {"account": {"currency": row["currency"] if row else None}}


Rules = list[tuple[FieldRule, Rewrite | None]]
"""Rules with what publishing them asked for; rules of a version."""


def _rules(cursor: Cursor, mapping_ids: Sequence[UUID]) -> dict[UUID, Rules]:
    found: dict[UUID, Rules] = defaultdict(list)
    for row in cursor.execute(RULES, (list(mapping_ids),)).fetchall():
        asked = Rewrite(row["on_change"]) if row["on_change"] else None
        found[row["mapping_version_id"]].append((rule_from_row(row), asked))
    return found


def rule_from_row(row: Row) -> FieldRule:
    """Return the rule that a field_rule row holds."""
    return FieldRule(
        id=row["rule_id"],
        ours=row["ours"],
        theirs=row["theirs"],
        direction=Direction(row["direction"]),
        required=row["required"],
        default=row["default_value"],
        steps=tuple(Step(step["name"], step.get("params", {})) for step in row["steps"] or []),
        policy=Policy(row["policy"]) if row["policy"] else None,
        first_agreement=FirstAgreement(row["first_agreement"]) if row["first_agreement"] else None,
    )


@lru_cache(maxsize=64)
def _compiled(
    kind: str, rules: tuple[bytes, ...], types: bytes, lookups: bytes
) -> tuple[tuple[object, object], ...]:
    """Compile once per process and mapping: the keys are JSON because steps hold dicts."""
    loaded = [_rule_from_json(orjson.loads(rule)) for rule in rules]
    compiled = compile_rules(loaded, kinds()[kind], orjson.loads(types), orjson.loads(lookups))
    return tuple((rule.from_crm, rule.to_crm) for rule in compiled.rules)


def _rule_json(rule: FieldRule) -> bytes:
    return orjson.dumps(rule, option=orjson.OPT_SORT_KEYS)


def _rule_from_json(value: dict[str, Json]) -> FieldRule:
    return rule_from_row({**value, "rule_id": value["id"], "default_value": value["default"]})


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Makes the versions of a stream's mapping ready to run."""

    row: Row
    types: Mapping[str, str]
    decisions: Mapping[str, str]
    lookups: Mapping[str, Mapping[str, Json]]

    @property
    def phones(self) -> set[str]:
        """The fields of ours that hold phone numbers."""
        fields = kinds()[self.row["kind"]].fields
        return {field.name for field in fields if field.type is FieldType.PHONE}

    def facts(self, rules: Rules, version: int) -> StreamFacts:
        row = self.row
        closures = _compiled(
            row["kind"],
            tuple(_rule_json(rule) for rule, _ in rules),
            orjson.dumps(self.types, option=orjson.OPT_SORT_KEYS),
            orjson.dumps(self.lookups),
        )
        uses = tuple(
            RuleUse(rule, self._rule_facts(rule, asked), from_crm, to_crm)  # type: ignore[arg-type]
            for (rule, asked), (from_crm, to_crm) in zip(rules, closures, strict=True)
        )
        prefix = f"{row['id']}:"
        return StreamFacts(
            stream_id=row["id"],
            remote_object=row["remote_object"],
            kind=kinds()[row["kind"]],
            direction=StreamDirection(row["direction"]),
            creates=Creates(row["creates"]),
            version=version,
            rules=uses,
            filter=tuple(row["filter"] or ()),
            primary=row["is_primary"],
            primary_connection=str(row["primary_connection"] or ""),
            decisions={
                key.removeprefix(prefix): FirstAgreement(choice)
                for key, choice in self.decisions.items()
                if key.startswith(prefix) and choice
            },
        )

    def _rule_facts(self, rule: FieldRule, asked: Rewrite | None) -> RuleFacts:
        agreement = rule.first_agreement or FirstAgreement(self.row["first_agreement"])
        return RuleFacts(
            rule_id=rule.id,
            direction=rule.direction,
            policy=rule.policy or Policy(self.row["policy"]),
            first_agreement=agreement,
            required=rule.required,
            rewrite=asked,
            wire_type=self.types.get(rule.theirs, ""),
            phone=rule.ours in self.phones,
        )


def _object(name: str, streams: Sequence[Stream]) -> RemoteObject:
    properties: dict[str, None] = {}
    associations: dict[str, None] = {}
    for stream in streams:
        for line in stream.facts.filter:
            properties[str(line["property"])] = None
        later = stream.ahead.rules if stream.ahead else ()
        for use in (*stream.facts.rules, *later):
            if use.rule.association:
                associations[use.rule.association] = None
            else:
                properties[use.rule.theirs] = None
    return RemoteObject(name, tuple(streams), tuple(properties), tuple(associations))
