"""What must hold when a schedule has come to rest, by the tables and by the CRM's own log."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from crm_admin.sync.states import (
    ConflictState,
    EffectState,
    OperationState,
    RunState,
    may_move,
)
from tests.crash.people import FIELDS, NAME, Done, People, plain, token_of
from tests.crash.plan import OBJECTS
from tests.crash.stage import Stage
from tests.crash.witness import STAMP_SECONDS, Witness

STATES = {
    "sync_run": RunState,
    "operation": OperationState,
    "effect": EffectState,
    "conflict": ConflictState,
}
BASE = "hs_lastmodifieddate", "lastmodifieddate"


def of_records(people: People, seen: Witness) -> list[str]:
    """Return what is wrong with the records of both sides."""
    found: list[str] = []
    kept = _kept(people)
    for name in OBJECTS:
        found += _of_object(people, name, kept, seen)
    return found


def of_lost(people: People) -> Iterable[str]:
    """Return which links say that all is well with a record that is gone there."""
    for name in sorted({name for name, _ in people.lost}):
        ids = {row["id"] for row in people.all_theirs(name)}
        for link in people.rows(LINKED, name):
            if link["remote_id"] not in ids:
                yield f"I5 {name} {link['title']} is linked to {link['remote_id']}, gone there"


LINKED = """
SELECT l.remote_id, r.title FROM link l JOIN record r ON r.id = l.record_id
 WHERE l.remote_object = %s AND l.status = 'linked' AND r.deleted_at IS NULL ORDER BY r.title
"""


def _of_object(
    people: People, name: str, kept: Mapping[str, set[str]], seen: Witness
) -> Iterable[str]:
    ours = _grouped(people.rows("SELECT * FROM record WHERE deleted_at IS NULL"), name)
    theirs: dict[str, list[dict]] = defaultdict(list)
    for row in people.all_theirs(name):
        theirs[token_of(row["properties"].get(NAME[name][1]))].append(row)
    edits = _edits(people, name)
    links = {
        str(row["record_id"]): row
        for row in people.rows("SELECT * FROM link WHERE remote_object = %s", name)
    }
    for token in people.tokens[name]:
        if (name, token) in people.lost:
            continue
        here, there = ours.get(token, []), theirs.get(token, [])
        if len(here) != 1 or len(there) != 1:
            yield (
                f"I1 I2 {name} {token} must be once on each side: it is {len(here)} times here and"
                f" {len(there)} times there"
            )
            continue
        link = links.get(str(here[0]["id"]))
        if link is None or link["remote_id"] != there[0]["id"]:
            yield (
                f"I5 {name} {token} must be linked to {there[0]['id']}: it is linked to"
                f" {link and link['remote_id']}"
            )
        for pair in FIELDS[name]:
            mine = plain(here[0]["data"].get(pair[0]))
            yours = plain(there[0]["properties"].get(pair[1]))
            history = edits.get((token, pair[0]), [])
            told = kept.get(f"{here[0]['id']}:{pair[0]}", set())
            if link is not None and pair[0] not in link["base_ours"]:
                # Two records met and nobody has chosen yet: both keep their value.
                told = told | {mine, yours}
            written = [one for one in history if one.side == "api"]
            history = [one for one in history if one.side != "api"]
            field = f"{name} {token} {pair[0]}"
            look = partial(seen.looked_before, name, there[0]["id"])
            writes = _Writes(tuple(written), look)
            yield from _of_field(field, (mine, yours), history, told, writes)


def _grouped(rows: Iterable[dict], name: str) -> dict[str, list[dict]]:
    kind = {"contacts": "contact", "companies": "company", "deals": "deal"}[name]
    found: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        if row["kind"] == kind:
            found[token_of(row["data"].get(NAME[name][0]))].append(row)
    return found


def _edits(people: People, name: str) -> dict[tuple[str, str], list[Done]]:
    """Edits by record and field in the order they were made."""
    found: dict[tuple[str, str], list[Done]] = defaultdict(list)
    for done in _told_by_log(people, name):
        found[done.token, done.field].append(done)
    for edits in found.values():
        edits.sort(key=lambda one: one.ended)
    return found


def _told_by_log(people: People, name: str) -> Iterable[Done]:
    """Our edits as noted, theirs as the CRM's log has them: it knows what they replaced."""
    yield from (done for done in people.done if done.side == "ours" and done.object == name)
    tokens: dict[str, str] = {}
    fields = {theirs: ours for ours, theirs in FIELDS[name]}
    for entry in people.log():
        if entry["object"] != name or entry["op"] not in {"create", "update"}:
            continue
        named = entry["changed"].get(NAME[name][1])
        if named:
            tokens[entry["id"]] = token_of(named[1])
        side = {"page": "theirs", "api": "api"}.get(entry["by"])
        if side is None or entry["id"] not in tokens:
            continue
        moment = datetime.fromisoformat(entry["at"]).replace(tzinfo=UTC).timestamp()
        for theirs, (old, new) in entry["changed"].items():
            if theirs in fields:
                pair = plain(old), plain(new)
                yield Done(side, name, tokens[entry["id"]], fields[theirs], *pair, moment, moment)


@dataclass(frozen=True, slots=True)
class _Writes:
    """Writes of ours to one field of a record, and when whoever wrote had last looked at it."""

    made: tuple[Done, ...]
    look: Callable[[float], float | None]

    def overwrote_unseen(self, edit: Done) -> bool:
        """Whether a write whose look came before their edit replaced it: no CRM of ours checks
        that for us, so this one may be lost.
        """
        if edit.side != "theirs":
            return False
        for one in self.made:
            looked = self.look(one.began)
            if one.old == edit.new and looked is not None and looked <= edit.ended + STAMP_SECONDS:
                return True
        return False


def _of_field(
    what: str, values: tuple[str, str], edits: list[Done], told: set[str], writes: _Writes
) -> Iterable[str]:
    """Every edit is on both sides, or was overwritten by somebody who saw it, or is kept."""
    mine, yours = values
    if mine != yours and not {mine, yours} <= told:
        yield (
            f"I3 {what} must be the same on both sides or kept for a person: it is {mine!r} here,"
            f" {yours!r} there, kept {sorted(told)}"
        )
    for side, other in (("ours", "theirs"), ("theirs", "ours")):
        last = next((one for one in reversed(edits) if one.side == side), None)
        if last is None or last.new in {mine, yours} | told:
            continue
        later = [one for one in edits if one.side == other and one.ended >= last.began]
        if not any(one.old == last.new for one in later) and not writes.overwrote_unseen(last):
            yield (
                f"I3 {what}: the edit to {last.new!r} ({last.side}, over {last.old!r}) left no"
                f" trace: now {values}, kept {sorted(told)}"
            )


def _kept(people: People) -> dict[str, set[str]]:
    """Values that conflicts, failed writes and the outbox still show, by record and field."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in people.rows("SELECT * FROM conflict"):
        for side in ("ours", "theirs"):
            value = (row[side] or {}).get("v")
            found[f"{row['record_id']}:{row['field']}"].add(plain(value))
    rows = people.rows("SELECT * FROM operation WHERE state = 'failed' AND side = 'theirs'")
    names = {theirs: ours for pairs in FIELDS.values() for ours, theirs in pairs}
    for row in rows:
        for name, values in row["fields"].items():
            found[f"{row['record_id']}:{names.get(name, name)}"].add(plain(values[1]))
    return found


def of_tables(people: People, stage: Stage) -> list[str]:
    """Return what is wrong with the engine's own tables."""
    found: list[str] = []
    left = people.rows("SELECT state, action, error FROM effect")
    if left:
        found.append(f"I1 writes are still open: {left}")
    open_ones = people.rows("SELECT id, state, action FROM operation WHERE state = 'sending'")
    if open_ones:
        found.append(f"I7 operations are still being sent: {open_ones}")
    found += _of_moves(people, stage)
    found += _of_fences(people, stage)
    found += _of_counts(people)
    found += _of_history(people)
    found += _of_links(people)
    found += _of_log(people)
    return found


def _of_fences(people: People, stage: Stage) -> Iterable[str]:
    """Whoever marked a write as being sent held the one live lease of its connection."""
    with stage.cluster.connect(stage.database) as connection:
        rows = connection.execute(
            "SELECT effect_id, sent_epoch, live_epoch, live_runs FROM crash_send WHERE"
            " organization_id = %s AND (live_runs <> 1 OR sent_epoch IS DISTINCT FROM live_epoch)",
            [people.person.organization_id],
        ).fetchall()
    for effect, sent, live, runs in rows:
        yield (
            f"I8 effect {effect} was sent under epoch {sent} while {runs} runs were live under"
            f" epoch {live}"
        )
    live_ones = people.rows(
        "SELECT connection_id, count(*) AS n FROM sync_run WHERE state IN ('queued', 'running',"
        " 'waiting') GROUP BY 1 HAVING count(*) > 1"
    )
    for row in live_ones:
        yield f"I8 {row['n']} runs of one connection are live at once"


NAMELESS = """
SELECT id, side, action, state FROM operation
 WHERE actor IS NULL OR at IS NULL OR (run_id IS NULL AND reason_code IS DISTINCT FROM 'edited')
"""
SILENT = """
SELECT id, action, state FROM operation
 WHERE (state = 'failed' AND error IS NULL) OR (state = 'skipped' AND reason IS NULL)
"""
STUCK = """
SELECT id, mode, state, wake_at FROM sync_run
 WHERE (state = 'waiting' AND (wake_at IS NULL OR reason IS NULL))
    OR (state IN ('succeeded', 'partial', 'failed', 'cancelled')
        AND (finished_at IS NULL OR lease_until IS NOT NULL))
    OR (state IN ('failed', 'cancelled') AND reason IS NULL)
"""
UNRELEASED = """
SELECT r.id, count(*) AS n FROM operation o JOIN sync_run r ON r.id = o.run_id
 WHERE o.state IN ('done', 'sending') AND r.approved_at IS NULL AND r.mode <> 'undo'
   AND (o.action = 'delete' OR (o.side = 'theirs' AND o.action = 'create'))
 GROUP BY r.id HAVING count(*) FILTER (WHERE o.action = 'delete') > 20
     OR count(*) FILTER (WHERE o.action = 'create') > 200
"""


def _of_history(people: People) -> Iterable[str]:
    for row in people.rows(NAMELESS):
        yield f"I14 operation {row['id']} ({row['side']} {row['action']}) does not say who did it"
    for row in people.rows(SILENT):
        yield f"I18 operation {row['id']} is {row['state']} without a reason"
    for row in people.rows(STUCK):
        yield f"I9 I17 run {row['id']} ({row['mode']}) is {row['state']} without what that needs"
    for row in people.rows(UNRELEASED):
        yield f"I11 run {row['id']} wrote {row['n']} creates and deletes that nobody released"


TWICE = """
SELECT remote_object, remote_id AS one, count(*) AS n FROM link
 WHERE remote_id IS NOT NULL AND status <> 'shadow' GROUP BY 1, 2 HAVING count(*) > 1
 UNION ALL
SELECT remote_object, record_id::text, count(*) FROM link
 WHERE status <> 'shadow' GROUP BY 1, 2, stream_id HAVING count(*) > 1
"""
DEAD = """
SELECT l.remote_object, l.record_id FROM link l JOIN record r ON r.id = l.record_id
 WHERE l.status = 'linked' AND (r.deleted_at IS NOT NULL OR r.merged_into IS NOT NULL)
"""


def _of_links(people: People) -> Iterable[str]:
    for row in people.rows(TWICE):
        yield f"I5 {row['remote_object']} {row['one']} has {row['n']} links"
    for row in people.rows(DEAD):
        yield f"I5 {row['remote_object']}: record {row['record_id']} is deleted but linked"


def _of_moves(people: People, stage: Stage) -> Iterable[str]:
    with stage.cluster.connect(stage.database) as connection:
        moves = connection.execute(
            "SELECT DISTINCT what, before, after FROM crash_move WHERE organization_id = %s",
            [people.person.organization_id],
        ).fetchall()
    for what, before, after in moves:
        if not may_move(STATES[what], before, after):
            yield f"I9 {what} went from {before} to {after}"


COUNTED = """
SELECT o.run_id, r.mode, o.side, o.action, count(*) AS n
  FROM operation o JOIN sync_run r ON r.id = o.run_id
 WHERE o.state IN ('done', 'undone') AND o.action IN ('create', 'update', 'delete')
 GROUP BY 1, 2, 3, 4
"""
CREATED = """
SELECT created_run AS run_id, count(*) AS n FROM record
 WHERE created_run IS NOT NULL GROUP BY 1
"""
WORD = {"create": "created", "update": "updated", "delete": "deleted"}


def _of_counts(people: People) -> Iterable[str]:
    """The counts of a run are its operations; creates of ours in bulk are their own journal."""
    expected: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in people.rows(COUNTED):
        if row["mode"] == "undo" or (row["side"], row["action"]) != ("ours", "create"):
            expected[row["run_id"]][f"{row['side']}_{WORD[row['action']]}"] += row["n"]
    for row in people.rows(CREATED):
        expected[row["run_id"]]["ours_created"] += row["n"]
    names = [f"{side}_{word}" for side in ("ours", "theirs") for word in WORD.values()]
    for run in people.rows("SELECT id, mode, state, counts FROM sync_run"):
        counted = {name: int(run["counts"].get(name, 0)) for name in names}
        wanted = {name: expected[run["id"]][name] for name in names}
        if counted != wanted:
            yield f"I7 {run['mode']} {run['state']} {run['id']} counts {counted}, has {wanted}"


def _of_log(people: People) -> Iterable[str]:
    """No record was ever there twice, not even for a while; what was archived may be made anew."""
    names: dict[tuple[str, str], str] = {}
    alive: dict[tuple[str, str], int] = defaultdict(int)
    for entry in people.log():
        name = entry["object"]
        if entry["op"] == "create" and name in NAME:
            token = token_of(entry["changed"].get(NAME[name][1], ["", ""])[1])
            names[name, entry["id"]] = token
            alive[name, token] += 1
            if alive[name, token] > 1:
                yield f"I1 {name} {token} was created {alive[name, token]} times"
        elif entry["op"] == "archive" and (name, entry["id"]) in names:
            alive[name, names[name, entry["id"]]] -= 1


def snapshot(people: People) -> dict[str, str]:
    """Return the values of both sides as text, by record."""
    found: dict[str, str] = {}
    for name in OBJECTS:
        for token, row in people.ours(name).items():
            found[f"ours {name} {token}"] = _text(row["data"])
        for token, row in people.theirs(name).items():
            values = {key: value for key, value in row["properties"].items() if value is not None}
            kept = {key: value for key, value in values.items() if not _moves_by_itself(key)}
            found[f"theirs {name} {token}"] = _text(kept)
    return found


def _moves_by_itself(name: str) -> bool:
    return name.startswith(("hs_", "crm_admin")) or name in {*BASE, "createdate"}


def _text(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def differences(
    before: Mapping[str, str], after: Mapping[str, str], what: str = "I12 "
) -> list[str]:
    """Return what an undo did not put back."""
    return [
        f"{what}{name}: was {before.get(name)}, is {after.get(name)}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
