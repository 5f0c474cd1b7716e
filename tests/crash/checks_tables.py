"""What must hold of the engine's own tables and of the CRM's log when it is quiet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from crm_admin.sync.states import (
    ConflictState,
    EffectState,
    OperationState,
    RunState,
    may_move,
)
from tests.crash.people import NAME, People, token_of
from tests.crash.stage import Stage

STATES = {
    "sync_run": RunState,
    "operation": OperationState,
    "effect": EffectState,
    "conflict": ConflictState,
}


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
        elif (name, entry["id"]) in names and _is_gone(entry):
            token = names[name, entry["id"]]
            alive[name, token] -= 1
            into = name, entry["changed"].get("merged_into", ["", ""])[1]
            if entry["op"] == "merge" and into not in names:
                # What is left of a merge under a third id is called as the first of the two.
                names[into] = token
                alive[name, token] += 1


def _is_gone(entry: Mapping[str, Any]) -> bool:
    return entry["op"] == "archive" or "merged_into" in entry["changed"]
