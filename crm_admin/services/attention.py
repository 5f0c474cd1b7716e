"""What needs a person: raised and settled inside the transaction that found it, and what people say
about it: whose it is, that it may wait, or never mind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from crm_admin.errors import BadInput, NotFound, Stale
from crm_admin.ids import new_id
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.queries import needs
from crm_admin.services.sql import Cursor, dumps, transaction

SNOOZES: Final = ("day", "worse", "run")
LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Item:
    """One thing for a person; `fix` may hold {label, url} of the page where it is mended."""

    kind: str
    subject: str
    sentence: str
    fix: Mapping[str, str] = field(default_factory=dict)


RAISE = """
INSERT INTO attention (organization_id, id, kind, subject, sentence, fix, count, first_at, last_at,
       state)
VALUES (%s, %s, %s, %s, %s, %s, 1, now(), now(), 'open')
ON CONFLICT (organization_id, kind, subject) DO UPDATE
   SET sentence = excluded.sentence, fix = excluded.fix, count = attention.count + 1,
       last_at = now(), state = 'open'
"""


def raise_item(cursor: Cursor, organization_id: UUID, item: Item) -> None:
    """Make sure that one open item of this kind and subject stands, with this sentence."""
    cursor.execute(
        RAISE,
        (organization_id, new_id(), item.kind, item.subject, item.sentence, dumps(item.fix)),
    )


def settle_item(cursor: Cursor, *, kind: str, subject: str) -> None:
    """Close the item of this kind and subject, if there is one, and forget what was said of it."""
    cursor.execute(
        "UPDATE attention SET state = 'done', last_at = now()"
        " WHERE kind = %s AND subject = %s AND state = 'open'",
        (kind, subject),
    )
    if cursor.rowcount:
        cursor.execute("DELETE FROM need_mark WHERE key = %s", (f"attention:{kind}:{subject}",))


def finish(*, person: Person, item_id: UUID) -> None:
    """Say that an item is done; twice is once."""
    _move(person, item_id, "open", "done", "attention.done")


def open_again(*, person: Person, item_id: UUID) -> None:
    """Take back that an item is done."""
    _move(person, item_id, "done", "open", "attention.open")


def _move(person: Person, item_id: UUID, before: str, after: str, action: str) -> None:
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT state FROM attention WHERE id = %s FOR UPDATE", (item_id,)
        ).fetchone()
        if row is None:
            raise NotFound("This is not there any more.")
        if row["state"] == after:
            return
        if row["state"] != before:
            raise Stale("This was closed in another way meanwhile.")
        cursor.execute("UPDATE attention SET state = %s WHERE id = %s", (after, item_id))
        audit.write(cursor, person, action, "attention", item_id)


def assign(*, person: Person, key: str, to: UUID | None) -> None:
    """Give a piece of work to a member of the organisation, or to nobody."""
    _require(person, key)
    with transaction() as cursor:
        if to is not None:
            known = cursor.execute(
                "SELECT 1 FROM membership m JOIN app_user u ON u.id = m.user_id WHERE m.user_id ="
                " %s AND m.organization_id = %s AND u.disabled_at IS NULL",
                (to, person.organization_id),
            ).fetchone()
            if known is None:
                raise BadInput("to", "Choose a person from the list.")
        _mark(cursor, person, key, ASSIGN, {"to": to})
        audit.write(cursor, person, "attention.assign", "attention", key, after={"to": to})


def snooze(*, person: Person, key: str, rule: str) -> None:
    """Let a piece of work wait: a day, until it gets worse, or until the next run is over."""
    if rule not in SNOOZES:
        raise BadInput("rule", "Choose for how long it may wait.")
    found = _require(person, key)
    with transaction() as cursor:
        _mark(cursor, person, key, SNOOZE, {"rule": rule, "amount": found.amount})
        audit.write(cursor, person, "attention.snooze", "attention", key, after={"rule": rule})


def mute(*, person: Person, key: str, reason: str) -> None:
    """Take a piece of work off the list for good, with the reason that stays with it."""
    words = " ".join(reason.split())
    if not words:
        raise BadInput("reason", "Write why this needs nobody.")
    if len(words) > LONGEST_REASON:
        raise BadInput("reason", f"Say it in {LONGEST_REASON} letters or fewer.")
    _require(person, key)
    with transaction() as cursor:
        _mark(cursor, person, key, MUTE, {"reason": words})
        audit.write(cursor, person, "attention.mute", "attention", key, after={"reason": words})


def wake(*, person: Person, key: str) -> None:
    """Put a snoozed or muted piece of work back on the list."""
    _require(person, key)
    with transaction() as cursor:
        _mark(cursor, person, key, WAKE, {})
        audit.write(cursor, person, "attention.wake", "attention", key)


def _require(person: Person, key: str) -> "needs.Need":
    """Marks are made on work that is there and that this person may see, and on nothing else."""
    found = needs.find(person, key)
    if found is None:
        raise NotFound("This does not need anybody any more.")
    return found


MADE = """
INSERT INTO need_mark (organization_id, key, by_user, by_name) VALUES (%s, %s, %s, %s)
ON CONFLICT (organization_id, key) DO UPDATE SET by_user = excluded.by_user,
       by_name = excluded.by_name
"""

ASSIGN = "UPDATE need_mark SET assigned_to = %(to)s WHERE key = %(key)s"
SNOOZE = """
UPDATE need_mark SET snooze_rule = %(rule)s, snoozed_amount = %(amount)s, muted_at = NULL,
       muted_reason = NULL, updated_at = now(),
       snoozed_until = CASE WHEN %(rule)s = 'day' THEN now() + interval '1 day' END
 WHERE key = %(key)s
"""
MUTE = """
UPDATE need_mark SET muted_reason = %(reason)s, muted_at = now(), snooze_rule = NULL,
       snoozed_until = NULL, updated_at = now()
 WHERE key = %(key)s
"""
WAKE = """
UPDATE need_mark SET muted_reason = NULL, muted_at = NULL, snooze_rule = NULL, snoozed_until = NULL,
       updated_at = now()
 WHERE key = %(key)s
"""


def _mark(
    cursor: Cursor, person: Person, key: str, statement: str, values: Mapping[str, object]
) -> None:
    cursor.execute(MADE, (person.organization_id, key, person.user_id, person.name))
    cursor.execute(statement, {**values, "key": key})
