"""What people say about a piece of work: that it is done, whose it is, that it may wait, or never
mind.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from crm_admin.errors import BadInput, NotFound, Stale
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.queries import needs
from crm_admin.services.sql import Cursor, transaction

SNOOZES: Final = ("day", "worse", "run")
LONGEST_REASON: Final = 300


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
    """Take a piece of work off the list for good, with the reason that stays with it; of conflicts
    those that are open now, not later ones.
    """
    words = " ".join(reason.split())
    if not words:
        raise BadInput("reason", "Write why this needs nobody.")
    if len(words) > LONGEST_REASON:
        raise BadInput("reason", f"Say it in {LONGEST_REASON} letters or fewer.")
    found = _require(person, key)
    with transaction() as cursor:
        _mark(cursor, person, key, MUTE, {"reason": words, "amount": found.amount})
        audit.write(cursor, person, "attention.mute", "attention", key, after={"reason": words})


def wake(*, person: Person, key: str) -> None:
    """Put a snoozed or muted piece of work back on the list."""
    _require(person, key)
    with transaction() as cursor:
        _mark(cursor, person, key, WAKE, {})
        audit.write(cursor, person, "attention.wake", "attention", key)


def _require(person: Person, key: str) -> needs.Need:
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
       snoozed_until = NULL, snoozed_amount = %(amount)s, updated_at = now()
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
