"""Compares what we hold with what the simulated CRM has: each record, field, base and key."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.request import urlopen
from uuid import UUID

from bench.world import worker_app
from crm_admin import config, tenancy
from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import RuleFailed
from crm_admin.records.identity import keys_of
from crm_admin.records.values import is_blank
from crm_admin.services.engine.streams import RemoteObject, Stream, load_streams
from crm_admin.services.sql import Cursor, Row, id_array, text_array, transaction
from crm_admin.sync.drafts import RuleUse

PAGE: Final = 1_000
LOOKS: Final = ("missing", "doubled", "fields", "bases", "keys", "extra", "written_there", "log")

HELD = """
SELECT l.remote_id, l.record_id, l.status, l.base_ours, l.base_theirs, r.data, r.version,
       r.deleted_at
  FROM link l JOIN record r ON r.organization_id = l.organization_id AND r.id = l.record_id
 WHERE l.connection_id = %s AND l.remote_object = %s AND l.remote_id = ANY(%s::text[])
"""

KEYS = "SELECT record_id, key_type, value FROM record_key WHERE record_id = ANY(%s::uuid[])"

ALL = """
SELECT (SELECT count(*) FROM record WHERE deleted_at IS NULL) AS records,
       (SELECT count(*) FROM link WHERE status = 'linked') AS links
"""


def pages(url: str, remote_object: str) -> Iterator[list[dict[str, Any]]]:
    """Yield every record of the simulator, as the wire has them."""
    after = ""
    while True:
        address = f"{url}/_sim/records?object={remote_object}&limit={PAGE}{after}"
        with urlopen(address) as answer:  # noqa: S310 - our own loopback
            found = json.load(answer)
        yield found["records"]
        if not found["next"] or not found["records"]:
            return
        after = f"&after={found['next']}"


def replayed(url: str, remote_object: str) -> tuple[dict[str, dict[str, Any]], int]:
    """Return every record as the simulator's log tells it, and how often we wrote there."""
    made: dict[str, dict[str, Any]] = {}
    ours, after = 0, 0
    while True:
        with urlopen(f"{url}/_sim/log?after={after}") as answer:  # noqa: S310 - likewise
            found = json.load(answer)
        for entry in found["entries"]:
            if entry["object"] == remote_object:
                ours += entry["by"] == "api" and entry["op"] != "property"
                values = made.setdefault(str(entry["id"]), {})
                values |= {name: change[1] for name, change in entry["changed"].items()}
        if not found["entries"] or found["next"] in (None, after):
            return made, ours
        after = found["next"]


def compare(url: str, connection_id: UUID) -> dict[str, int]:
    """Return how many differences each look found."""
    wrong: Counter[str] = Counter(dict.fromkeys(LOOKS, 0))
    with transaction() as cursor:
        (remote,) = load_streams(cursor, connection_id, {})
    logged, wrong["written_there"] = replayed(url, remote.name)
    seen = 0
    for records in pages(url, remote.name):
        seen += len(records)
        with transaction() as cursor:
            _compare_page(cursor, wrong, connection_id, remote, records)
        wrong["log"] += sum(_unlike_log(one, logged.get(one["id"])) for one in records)
    with transaction() as cursor:
        held = cursor.execute(ALL).fetchone() or {}
    wrong["extra"] = abs(held["records"] - seen) + abs(held["links"] - seen)
    return dict(wrong)


def _unlike_log(record: Mapping[str, Any], told: Mapping[str, Any] | None) -> bool:
    """Say whether a record differs from its history in the log."""
    if told is None:
        return True
    held = record["properties"]
    return any(value != held.get(name) for name, value in told.items() if not is_blank(value))


def _compare_page(
    cursor: Cursor,
    wrong: Counter[str],
    connection_id: UUID,
    remote: RemoteObject,
    records: list[dict[str, Any]],
) -> None:
    ids = text_array(one["id"] for one in records)
    rows = cursor.execute(HELD, (connection_id, remote.name, ids), prepare=False).fetchall()
    found = Counter(row["remote_id"] for row in rows)
    by_id = {row["remote_id"]: row for row in rows}
    keys: dict[UUID, set[tuple[str, str]]] = {row["record_id"]: set() for row in rows}
    for key in cursor.execute(KEYS, (id_array(keys),), prepare=False).fetchall():
        keys[key["record_id"]].add((key["key_type"], key["value"]))
    stream = remote.streams[0]
    for one in records:
        row = by_id.get(one["id"])
        wrong["doubled"] += found[one["id"]] > 1
        if row is None or row["status"] != "linked" or row["deleted_at"] is not None:
            wrong["missing"] += 1
            continue
        _compare_one(wrong, stream, one["properties"], row)
        made = {(str(key.type), key.value) for key in keys_of(stream.facts.kind, row["data"])}
        wrong["keys"] += made != keys[row["record_id"]]


def _compare_one(
    wrong: Counter[str], stream: Stream, properties: Mapping[str, Json], row: Row
) -> None:
    """Translate rule by rule, each value alone, and compare with record and bases."""
    data: dict[str, Json] = {}
    for use in stream.facts.rules:
        if use.rule.association:
            continue
        wire = properties.get(use.rule.theirs)
        crossed, value = _crossed(use, wire)
        if not crossed:
            wrong["bases"] += use.rule.id in row["base_theirs"]
            continue
        if value is not None:
            data[use.rule.ours] = value
        agreed = row["base_ours"].get(use.rule.id, "none"), row["base_theirs"].get(use.rule.id)
        wrong["bases"] += agreed[0] != value or (agreed[1] or None) != (wire or None)
    wrong["fields"] += sum(
        data.get(name) != row["data"].get(name) for name in {*data, *row["data"]}
    )


def _crossed(use: RuleUse, wire: Json) -> tuple[bool, Json]:
    try:
        value = use.from_crm(wire)
    except RuleFailed:
        return False, None
    if is_blank(value):
        return True, None if is_blank(use.rule.default) else use.rule.default
    return True, value


def undone(connection_id: UUID) -> dict[str, int]:
    """Return what an undone first pull left behind that should be gone."""
    with transaction() as cursor:
        held = cursor.execute(ALL).fetchone() or {}
        row = cursor.execute(
            "SELECT count(*) AS n FROM outbox o JOIN stream s ON s.organization_id ="
            " o.organization_id AND s.id = o.stream_id WHERE s.connection_id = %s",
            (connection_id,),
        ).fetchone() or {"n": 0}
    return {"records": held["records"], "links": held["links"], "outbox": row["n"]}


def main() -> None:
    """Compare what the first argument names and print one JSON line."""
    asked = json.loads(sys.argv[1])
    connection_id = UUID(asked["connection"])
    with (
        worker_app(config.load()).app_context(),
        tenancy.acting_for(UUID(asked["organization"])),
    ):
        done = (
            undone(connection_id) if asked.get("undone") else compare(asked["url"], connection_id)
        )
    print(json.dumps(done))


if __name__ == "__main__":
    main()
