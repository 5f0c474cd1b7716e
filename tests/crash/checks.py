"""What must hold when a schedule has come to rest, by the tables and by the CRM's own log."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from tests.crash.people import FIELDS, NAME, Done, People, plain, token_of
from tests.crash.plan import KIND, OBJECTS
from tests.crash.witness import STAMP_SECONDS, Witness

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


FAILED = """
SELECT o.remote_object, r.data FROM operation o JOIN record r ON r.id = o.record_id
 WHERE o.run_id = %s AND o.state = 'failed'
"""


def is_well(people: People, run: Mapping[str, Any]) -> bool:
    """Whether a run succeeded, but for records that somebody archived or merged there: whose key
    another record there has inherited is refused again whenever it is sent.
    """
    failed = {
        (row["remote_object"], token_of(row["data"].get(NAME[row["remote_object"]][0])))
        for row in people.rows(FAILED, run["id"])
    }
    return run["state"] == "succeeded" or (run["state"] == "partial" and failed <= people.lost)


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
    found: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        if row["kind"] == KIND[name]:
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
    """Values that conflicts and failed writes still show, by record and field."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in people.rows("SELECT * FROM conflict"):
        # Who goes back to what was agreed before has made no change to it.
        agreed = (row["base"] or {}).get("v") or {}
        shown = [(row[side] or {}).get("v") for side in ("ours", "theirs")]
        for value in (*shown, *(agreed.get(side) for side in ("ours", "theirs"))):
            found[f"{row['record_id']}:{row['field']}"].add(plain(value))
    rows = people.rows("SELECT * FROM operation WHERE state = 'failed' AND side = 'theirs'")
    names = {theirs: ours for pairs in FIELDS.values() for ours, theirs in pairs}
    for row in rows:
        for name, values in row["fields"].items():
            found[f"{row['record_id']}:{names.get(name, name)}"].add(plain(values[1]))
    return found


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
