"""Tells, for what a schedule found wrong, everything that happened to the records concerned."""

import re
from collections.abc import Iterable, Sequence

from tests.crash.people import NAME, People, token_of
from tests.crash.plan import KIND, OBJECTS
from tests.crash.witness import Witness

WAITING = "SELECT record_id::text, version, attempts, not_before::text, error"
RUN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def of(people: People, violations: Sequence[str], seen: Witness) -> list[str]:
    """Return the runs, and the history of every record that a violation names."""
    lines = [
        f"run {str(row['id'])[-4:]} {row['mode']} {row['state']} stalled={row['stalled']}"
        f" epoch={row['lease_epoch']} {row['created_at']:%M:%S.%f}"
        f" {row['finished_at'] and format(row['finished_at'], '%M:%S.%f')}"
        f" since={(row['checkpoint'] or {}).get('since')} {row['reason'] or ''}"
        for row in people.rows("SELECT * FROM sync_run ORDER BY id")
    ]
    text = " ".join(violations)
    records = {row["id"]: row for row in people.rows("SELECT * FROM record")}
    ids = {one for one, row in records.items() if _token(row) and _token(row) in text}
    for run_id in set(RUN.findall(text)):
        rows = people.rows("SELECT record_id FROM operation WHERE run_id = %s", run_id)
        ids |= {row["record_id"] for row in rows[:3] if row["record_id"]}
    query = "SELECT target_id FROM reference WHERE record_id = ANY(%s) AND target_id IS NOT NULL"
    ids |= {row["target_id"] for row in people.rows(query, list(ids))}
    for one in ids:
        lines += _of_record(people, records[one], seen)
    return lines


def _token(row: dict) -> str:
    name = next((name for name in OBJECTS if KIND[name] == row["kind"]), "")
    return token_of(row["data"].get(NAME[name][0])) if name else ""


def _of_record(people: People, row: dict, seen: Witness) -> Iterable[str]:
    yield f"record {_token(row)} version {row['version']} {row['data']} {row['deleted_at'] or ''}"
    for link in people.rows("SELECT * FROM link WHERE record_id = %s", row["id"]):
        yield (
            f"  link {link['remote_id']} {link['status']} ours={link['base_ours']}"
            f" theirs={link['base_theirs']} declined={link['declined']}"
        )
    query = "SELECT * FROM operation WHERE record_id = %s ORDER BY id"
    for one in people.rows(query, row["id"]):
        yield (
            f"  {one['at']:%M:%S.%f} run {str(one['run_id'])[-4:]} {one['side']} {one['action']}"
            f" {one['state']} {one['fields']} {one['reason_code'] or ''} {one['error'] or ''}"
        )
    for one in people.rows("SELECT * FROM conflict WHERE record_id = %s", row["id"]):
        values = {side: (one[side] or {}).get("v") for side in ("base", "ours", "theirs")}
        yield f"  conflict {one['field']} {one['state']} {one['how'] or ''} {values}"
    for done in people.done:
        if done.token == _token(row):
            yield f"  edit {done}"
    yield from _of_log(people, row, seen)
    for one in people.rows(f"{WAITING} FROM outbox WHERE record_id = %s", row["id"]):
        yield f"  outbox version {one['version']} attempts {one['attempts']} {one['not_before']}"


def _of_log(people: People, row: dict, seen: Witness) -> Iterable[str]:
    query = "SELECT remote_object, remote_id FROM link WHERE record_id = %s"
    ids = {(one["remote_object"], one["remote_id"]) for one in people.rows(query, row["id"])}
    for entry in people.log():
        if (entry["object"], entry["id"]) in ids:
            yield f"  log {entry['at']} {entry['op']} by {entry['by']} {entry['changed']}"
    for place in ids:
        looks = [
            (at, pid)
            for (pid, *rest), times in seen.looks.items()
            for at in times
            if tuple(rest) == place
        ]
        yield f"  looked {_said(looks)}"
        yield f"  wrote {_said(seen.writes.get(place, []))}"


def _said(calls: Sequence[tuple[float, int]]) -> str:
    return " ".join(f"{at:.3f} by {pid}" for at, pid in sorted(calls))
