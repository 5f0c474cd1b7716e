"""Settling conflicts: a choice moves the bases, and the merge then does the rest like for any
edit.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_admin import clock, dispatch, tenancy
from crm_admin.errors import BadInput, NotFound
from crm_admin.jsontypes import Json
from crm_admin.packs.registry import kinds
from crm_admin.records.values import is_blank, same
from crm_admin.services import audit, conflict_rules, record_scope, records
from crm_admin.services.access import Person
from crm_admin.services.conflict_rules import Uses
from crm_admin.services.engine import requests
from crm_admin.services.engine.gather import load_ours
from crm_admin.services.engine.requests import LIVE, Request, RunRef
from crm_admin.services.record_store import PEOPLE, Change, fan_out, update_records
from crm_admin.services.records import NO_CONNECTION, Note
from crm_admin.services.sql import Cursor, Row, dumps, transaction
from crm_admin.sync.advice import newest
from crm_admin.sync.merge import hash_of

CHOICES = ("ours", "theirs", "newest", "combine", "typed", "dismiss")
HOW = {"ours": "ours", "theirs": "theirs", "combine": "merged", "typed": "typed"}
MOST = 200


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person chose for one conflict whose values they saw; `typed` goes with that choice."""

    conflict_id: UUID
    choice: str
    seen: str
    typed: Json = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a decision: settled, already, reopened, refused, gone; with a sentence."""

    conflict_id: UUID
    state: str
    sentence: str = ""
    field: str = ""
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """`reopened` says that a side moved since the person looked: nothing was settled."""

    reopened: bool


def seen_of(row: Row) -> str:
    """Return what names the two values of a conflict that a person saw."""
    seen = row["seen"] or {}
    return f"{seen.get('ours', '')}:{seen.get('theirs', '')}"


def resolve(*, person: Person, conflict_id: UUID, choice: str, seen: str) -> Resolved:
    """Settle one conflict and bring the record into agreement; twice is once.

    When either side moved since it was seen, the conflict stays open with fresh values.
    """
    if choice not in {"ours", "theirs"}:
        raise BadInput("choice", "Choose the value of CRM Admin or the value of the CRM.")
    (done,) = settle(person=person, decisions=[Decision(conflict_id, choice, seen)])
    if done.state == "gone":
        raise NotFound(done.sentence)
    return Resolved(reopened=done.state == "reopened")


def settle(*, person: Person, decisions: Sequence[Decision]) -> tuple[Settled, ...]:
    """Settle conflicts and bring their records into agreement; say for each what became of it.

    Each record is one transaction: when one of its choices is refused, none of them is carried out.
    Choosing a side makes the other side's present value the agreed one, so that the chosen one
    counts as changed and crosses; a combined or typed value is saved here first. At most 200 at
    once.
    """
    if len(decisions) > MOST:
        raise BadInput("decisions", f"Settle at most {MOST} conflicts at once.")
    if any(decision.choice not in CHOICES for decision in decisions):
        raise BadInput("choice", "Choose one of the listed values.")
    by_id = {decision.conflict_id: decision for decision in decisions}
    outcomes: dict[UUID, Settled] = {
        one: Settled(one, "gone", "There is no such conflict.") for one in by_id
    }
    references: list[RunRef] = []
    for record_id, wanted in _by_record(by_id).items():
        try:
            with transaction() as cursor:
                work = _Work(cursor, person, record_id)
                made = [work.decide(row, by_id[row["id"]]) for row in work.load(wanted)]
                if not any(one.state == "refused" for one in made):
                    references += work.carry_out()
        except NotFound:
            continue
        outcomes |= {one.conflict_id: one for one in made}
    for reference in references:
        dispatch.enqueue("sync.run", tenancy.organization(), reference.id, urgent=True)
    return tuple(outcomes[one] for one in by_id)


def _by_record(wanted: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = defaultdict(list)
    with transaction() as cursor:
        for row in cursor.execute(
            "SELECT id, record_id FROM conflict WHERE id = ANY(%s) ORDER BY record_id, id",
            (list(wanted),),
        ).fetchall():
            found[row["record_id"]].append(row["id"])
    return found


LOAD = """
SELECT c.*, r.data, r.kind, r.title, n.stance, n.name AS connection,
       l.base_ours -> c.rule_id AS held_ours, l.base_theirs -> c.rule_id AS held_theirs,
       l.base_ours ? c.rule_id AS has_ours, l.base_theirs ? c.rule_id AS has_theirs,
       r.origin -> c.field AS origin, u.name AS settled_by
  FROM conflict c
  JOIN record r ON r.organization_id = c.organization_id AND r.id = c.record_id
  JOIN connection n ON n.organization_id = c.organization_id AND n.id = c.connection_id
  JOIN link l ON l.organization_id = c.organization_id AND l.id = c.link_id
  LEFT JOIN app_user u ON u.id = c.resolved_by
 WHERE c.id = ANY(%s) ORDER BY c.id FOR UPDATE OF c, r, l
"""


class _Work:
    """The conflicts of one record inside one transaction: decided first, carried out together."""

    def __init__(self, cursor: Cursor, person: Person, record_id: UUID) -> None:
        self.cursor, self.person, self.record_id = cursor, person, record_id
        self.uses: Uses = {}
        self.chosen: list[tuple[Row, str, Json]] = []
        self.dismissed: list[Row] = []

    def load(self, wanted: Sequence[UUID]) -> list[Row]:
        """Lock what is decided about, the live run first: a worker takes its locks in that order
        too.
        """
        record_scope.require_record(self.cursor, self.person, self.record_id)
        connections = self.cursor.execute(
            "SELECT DISTINCT connection_id FROM conflict WHERE id = ANY(%s) ORDER BY 1", (wanted,)
        ).fetchall()
        ids = [row["connection_id"] for row in connections]
        for connection_id in ids:
            self.cursor.execute(LIVE + " FOR UPDATE", (connection_id,))
        self.uses = conflict_rules.load_uses(self.cursor, ids)
        return self.cursor.execute(LOAD, (wanted,)).fetchall()

    def decide(self, row: Row, decision: Decision) -> Settled:
        """Say what becomes of a decision, and keep what is to be carried out."""
        if row["state"] != "open":
            return self._late(row, decision)
        if decision.choice == "dismiss":
            return self._dismiss(row)
        if seen_of(row) != decision.seen or _moved(row):
            return self._reopen(row)
        try:
            choice, value = self._value(row, decision)
        except BadInput as error:
            return Settled(row["id"], "refused", error.sentence, row["field"], decision.choice)
        self.chosen.append((row, choice, value))
        return Settled(row["id"], "settled", _after(row), row["field"], choice)

    def _late(self, row: Row, decision: Decision) -> Settled:
        if row["how"] == HOW.get(decision.choice):
            return Settled(row["id"], "already", "", row["field"], decision.choice)
        who = row["settled_by"] or "A rule"
        sentence = f"{who} settled this meanwhile. Nothing was changed."
        return Settled(row["id"], "late", sentence, row["field"], decision.choice)

    def _dismiss(self, row: Row) -> Settled:
        if (row["stream_id"], row["rule_id"]) in self.uses:
            sentence = "Choose a value: this field is still mapped."
            return Settled(row["id"], "refused", sentence, row["field"], "dismiss")
        self.dismissed.append(row)
        return Settled(row["id"], "settled", "", row["field"], "dismiss")

    def _reopen(self, row: Row) -> Settled:
        """Show the values of now; theirs are read again by the next run before it writes."""
        if _moved(row):
            value, origin = row["data"].get(row["field"]), row["origin"] or {}
            seen = {**(row["seen"] or {}), "ours": hash_of(value)}
            self.cursor.execute(
                "UPDATE conflict SET ours = %s, ours_at = coalesce(%s::timestamptz, now()),"
                " ours_by = %s, seen = %s WHERE id = %s",
                (
                    dumps({"v": value}),
                    origin.get("at"),
                    origin.get("by"),
                    dumps(seen),
                    row["id"],
                ),
            )
        sentence = "It changed again meanwhile. Look at both values once more."
        return Settled(row["id"], "reopened", sentence, row["field"])

    def _value(self, row: Row, decision: Decision) -> tuple[str, Json]:
        """Return the choice as a side or a new value; BadInput says why it cannot be made."""
        choice, use = decision.choice, self.uses.get((row["stream_id"], row["rule_id"]))
        if use is None:
            raise BadInput(row["field"], "This field is not mapped any more. Close the conflict.")
        if choice == "newest":
            choice = newest(row["ours_at"], row["theirs_at"])
            if not choice:
                sentence = "It cannot be told which change is newer. Choose a side."
                raise BadInput(row["field"], sentence)
        if choice in {"ours", "theirs"}:
            return choice, None
        if _is_reference(row):
            raise BadInput(row["field"], "Choose one of the two records.")
        field = conflict_rules.field_of(row["kind"], row["field"])
        if choice == "combine":
            value = conflict_rules.combined(
                field, use, inner(row["base"]), inner(row["ours"]), inner(row["theirs"])
            )
            if is_blank(value):
                raise BadInput(row["field"], "These two cannot be combined. Type a value instead.")
            return choice, value
        value = records.accepted(self.cursor, kinds()[row["kind"]], row["field"], decision.typed)
        return ("ours", None) if same(value, inner(row["ours"])) else (choice, value)

    def carry_out(self) -> list[RunRef]:
        """Save new values, move the bases, close the conflicts, and ask for the record's sync."""
        self._save({row["field"]: value for row, choice, value in self.chosen if choice in NEW})
        for row, choice, value in self.chosen:
            self._close(row, choice, value)
        for row in self.dismissed:
            self._end(row, "dismissed", None, None, None)
        streams: dict[UUID, Row] = {row["stream_id"]: row for row, _, _ in self.chosen}
        for stream_id in streams:
            self.cursor.execute(AGAIN, (stream_id, self.record_id))
        asked = [ask_sync(self.cursor, self.person, row) for row in streams.values()]
        return [reference for reference in asked if reference and not reference.folded]

    def _save(self, changes: dict[str, Json]) -> None:
        if changes:
            save_values(
                self.cursor, self.person, self.record_id, changes, "Settled a conflict with it."
            )
            fan_out(self.cursor, [self.record_id], rank=PEOPLE)

    def _close(self, row: Row, choice: str, value: Json) -> None:
        before = bases_of(row)
        self.cursor.execute(
            MOVE_BASE["new" if choice in NEW else choice],
            {
                "id": row["link_id"],
                "ours": dumps({row["rule_id"]: inner(row["ours"])}),
                "theirs": dumps({row["rule_id"]: inner(row["theirs"])}),
                "blank": dumps({row["rule_id"]: None}),
            },
        )
        moved = self.cursor.execute(HELD, (row["rule_id"],) * 4 + (row["link_id"],)).fetchone()
        undo = {"before": before, "after": bases_of(moved or {}), "held": row["ours"]}
        result = {"ours": row["ours"], "theirs": row["theirs"]}.get(choice, {"v": value})
        self._end(row, "resolved", HOW[choice], result, undo)

    def _end(self, row: Row, state: str, how: str | None, result: Json, undo: Json) -> None:
        self.cursor.execute(
            "UPDATE conflict SET state = %s, how = %s, resolved_by = %s, resolved_at = now(),"
            " result = %s, undo = %s, claimed_by = NULL, claimed_at = NULL WHERE id = %s",
            (
                state,
                how,
                self.person.user_id,
                None if result is None else dumps(result),
                None if undo is None else dumps(undo),
                row["id"],
            ),
        )
        after: dict[str, Json] = {"how": how or state, "field": row["field"]}
        audit.write(
            self.cursor, self.person, "conflict.resolve", "conflict", row["id"], after=after
        )


NEW = frozenset({"combine", "typed"})

AGAIN = """
INSERT INTO outbox (organization_id, stream_id, record_id, version, rank, not_before, attempts,
created_at)
SELECT r.organization_id, %s, r.id, r.version, 0, now(), 0, now() FROM record r WHERE r.id = %s
ON CONFLICT (organization_id, stream_id, record_id) DO UPDATE SET not_before = now(), rank = 0,
version = excluded.version, attempts = 0
"""

# What the losing side holds becomes what both last agreed on, so that the winner counts as changed.
MOVE_BASE = {
    "ours": "UPDATE link SET base_theirs = base_theirs || %(theirs)s::jsonb,"
    " base_ours = %(blank)s::jsonb || base_ours, updated_at = now() WHERE id = %(id)s",
    "theirs": "UPDATE link SET base_ours = base_ours || %(ours)s::jsonb,"
    " base_theirs = %(blank)s::jsonb || base_theirs, updated_at = now() WHERE id = %(id)s",
    "new": "UPDATE link SET base_ours = base_ours || %(ours)s::jsonb,"
    " base_theirs = base_theirs || %(theirs)s::jsonb, updated_at = now() WHERE id = %(id)s",
}

HELD = """
SELECT base_ours -> %s AS held_ours, base_theirs -> %s AS held_theirs,
       base_ours ? %s AS has_ours, base_theirs ? %s AS has_theirs
  FROM link WHERE id = %s
"""


def save_values(
    cursor: Cursor, person: Person, record_id: UUID, changes: dict[str, Json], reason: str
) -> None:
    """Save accepted values of a locked record in the caller's transaction and note them."""
    row = cursor.execute(
        "SELECT kind, version, title FROM record WHERE id = %s FOR UPDATE", (record_id,)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such record.")
    ours = load_ours(cursor, NO_CONNECTION, [record_id])[record_id]
    fields: dict[str, list[Json]] = {
        name: [ours.data.get(name), value, "edited", ""] for name, value in changes.items()
    }
    note = Note("update", fields, reason)
    operation_id = records.write_note(cursor, person, record_id, row["title"], note)
    origin: dict[str, Json] = {"by": person.name, "operation": str(operation_id)}
    kind = kinds()[row["kind"]]
    change = Change(record_id, kind, row["version"], ours.data, changes, {}, origin)
    update_records(cursor, person.organization_id, [change], clock.now())


def ask_sync(cursor: Cursor, person: Person, row: Row) -> RunRef | None:
    """An active connection is brought into agreement now; one that is not does it once it is."""
    if row["stance"] != "active":
        return None
    return requests.ask(
        cursor,
        Request(
            connection_id=row["connection_id"],
            mode="record",
            trigger="conflict",
            by_name=person.name,
            by_user=person.user_id,
            records=[(row["stream_id"], row["record_id"])],
        ),
    )


def inner(stored: Json) -> Json:
    """Return the value inside {"v": …}."""
    return stored.get("v") if isinstance(stored, dict) else None


def bases_of(row: Row) -> dict[str, list[Json]]:
    """A link's two bases of a rule as lists: empty where there is none."""
    return {
        side: [row[f"held_{side}"]] if row.get(f"has_{side}") else [] for side in ("ours", "theirs")
    }


def _after(row: Row) -> str:
    if row["stance"] == "active":
        return ""
    return f"It is written when {row['connection']} is active again."


def _moved(row: Row) -> bool:
    """Our side is compared at once; theirs again by the merge, which reads it before it writes."""
    return not _is_reference(row) and not same(row["data"].get(row["field"]), inner(row["ours"]))


def _is_reference(row: Row) -> bool:
    field = conflict_rules.field_of(row["kind"], row["field"])
    return field is not None and field.type == "reference"
