"""Publishing a mapping: a new version of a stream's rules, and what becomes of the values that are
there already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import orjson

from crm_admin.errors import BadInput, NotFound
from crm_admin.ids import new_id
from crm_admin.mapping.rules import FieldRule
from crm_admin.security.permissions import Permission
from crm_admin.services import audit
from crm_admin.services.access import Person, require
from crm_admin.services.engine.streams import rule_from_row
from crm_admin.services.sql import Cursor, Row, transaction
from crm_admin.sync.merge import Rewrite

STREAM = """
SELECT s.id, s.kind, s.mapping_version, s.remap_due, m.id AS mapping_id, m.percent
  FROM stream s
  JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version
 WHERE s.id = %s FOR UPDATE OF s
"""

RULES = "SELECT * FROM field_rule WHERE mapping_version_id = %s"

NEXT = "SELECT max(number) + 1 AS number FROM mapping_version WHERE stream_id = %s"

VERSION = """
INSERT INTO mapping_version (organization_id, id, stream_id, number, state, percent, note, by_user,
       created_at, published_at)
VALUES (%s, %s, %s, %s, 'published', %s, %s, %s, now(), now())
"""

RULE = """
INSERT INTO field_rule (organization_id, mapping_version_id, rule_id, position, ours, theirs,
       direction, required, default_value, steps, policy, first_agreement, on_change)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

SUPERSEDE = """
UPDATE mapping_version SET state = 'superseded'
 WHERE stream_id = %s AND number < %s AND state = 'published'
"""

USE = "UPDATE stream SET mapping_version = %s, remap_due = %s WHERE id = %s"


def publish(
    *,
    person: Person,
    stream_id: UUID,
    rules: Sequence[FieldRule],
    choices: Mapping[str, Rewrite],
    percent: int = 100,
) -> int:
    """Make these rules the stream's newest mapping for `percent` of its linked records; return its
    number.

    `choices` say per changed or new rule what becomes of the values that are there: theirs made
    anew, ours made anew, or nothing before the next edit; the next run carries them out once. A
    changed rule without a choice counts only from now on, a new one meets both sides as at a first
    agreement. A rule whose fields changed gets a new id: what was agreed was about other fields.
    """
    require(person, Permission.MAPPING_PUBLISH)
    _check(rules, percent)
    with transaction() as cursor:
        stream = _stream(cursor, stream_id)
        number = _next(cursor, stream_id)
        known = _known(cursor, stream)
        made = [_made(rule, known, choices, number) for rule in rules]
        carried = _carried(stream, known)
        asked = [(rule, one or carried.get(rule.id)) for rule, one in made]
        _insert(cursor, person, stream_id, number, percent, asked)
        if percent == 100:
            cursor.execute(SUPERSEDE, (stream_id, number))
        anew = percent < 100 or stream["percent"] < 100 or any(one for _, one in asked)
        cursor.execute(USE, (number, anew, stream_id))
        after = {"version": number, "percent": percent}
        audit.write(cursor, person, "mapping.publish", "stream", stream_id, after=after)
    return number


def widen(*, person: Person, stream_id: UUID, percent: int) -> None:
    """Have the stream's newest mapping count for `percent` of its linked records; the next run
    takes up those that are new to it. A roll-out never shrinks: publish the older rules instead.
    """
    require(person, Permission.MAPPING_PUBLISH)
    with transaction() as cursor:
        stream = _stream(cursor, stream_id)
        if not stream["percent"] <= percent <= 100:
            words = f"Choose a share between {stream['percent']} and 100 percent."
            raise BadInput("percent", words)
        cursor.execute(
            "UPDATE mapping_version SET percent = %s WHERE id = %s", (percent, stream["mapping_id"])
        )
        if percent == 100:
            cursor.execute(SUPERSEDE, (stream_id, stream["mapping_version"]))
        cursor.execute(USE, (stream["mapping_version"], True, stream_id))
        after = {"version": stream["mapping_version"], "percent": percent}
        audit.write(cursor, person, "mapping.widen", "stream", stream_id, after=after)


def _check(rules: Sequence[FieldRule], percent: int) -> None:
    if not 1 <= percent <= 100:
        raise BadInput("percent", "Choose a share between 1 and 100 percent.")
    if not rules:
        raise BadInput("rules", "A mapping needs at least one rule.")
    ids = [rule.id for rule in rules]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice is not None:
        raise BadInput("rules", f"Two rules are called {twice}.")


def _stream(cursor: Cursor, stream_id: UUID) -> Row:
    row = cursor.execute(STREAM, (stream_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such stream.")
    return row


def _next(cursor: Cursor, stream_id: UUID) -> int:
    row = cursor.execute(NEXT, (stream_id,)).fetchone()
    return int(row["number"]) if row else 1


Known = Mapping[str, tuple[FieldRule, Rewrite | None]]


def _known(cursor: Cursor, stream: Row) -> Known:
    rows = cursor.execute(RULES, (stream["mapping_id"],)).fetchall()
    return {
        row["rule_id"]: (
            rule_from_row(row),
            Rewrite(row["on_change"]) if row["on_change"] else None,
        )
        for row in rows
    }


def _made(
    rule: FieldRule, known: Known, choices: Mapping[str, Rewrite], number: int
) -> tuple[FieldRule, Rewrite | None]:
    before = known[rule.id][0] if rule.id in known else None
    choice = choices.get(rule.id)
    if before is None:
        return rule, choice
    if (before.ours, before.theirs) != (rule.ours, rule.theirs):
        return replace(rule, id=f"{rule.id}-{number}"), choice
    return rule, (choice or Rewrite.NOW) if _values_change(before, rule) else None


def _values_change(before: FieldRule, rule: FieldRule) -> bool:
    """Whether a rule now makes other values; who wins a collision changes none."""
    return (before.steps, before.default, before.direction) != (
        rule.steps,
        rule.default,
        rule.direction,
    )


def _carried(stream: Row, known: Known) -> dict[str, Rewrite]:
    """What earlier versions asked for and no run has carried out yet goes on to be asked."""
    if not stream["remap_due"]:
        return {}
    return {rule_id: asked for rule_id, (_, asked) in known.items() if asked is not None}


def _insert(
    cursor: Cursor,
    person: Person,
    stream_id: UUID,
    number: int,
    percent: int,
    rules: Sequence[tuple[FieldRule, Rewrite | None]],
) -> None:
    mapping_id = new_id()
    organization = person.organization_id
    cursor.execute(
        VERSION, (organization, mapping_id, stream_id, number, percent, "", person.user_id)
    )
    cursor.executemany(
        RULE,
        [
            (
                organization,
                mapping_id,
                rule.id,
                position,
                rule.ours,
                rule.theirs,
                rule.direction.value,
                rule.required,
                None if rule.default is None else orjson.dumps(rule.default).decode(),
                orjson.dumps(list(rule.steps)).decode(),
                rule.policy.value if rule.policy else None,
                rule.first_agreement.value if rule.first_agreement else None,
                asked.value if asked else None,
            )
            for position, (rule, asked) in enumerate(rules)
        ],
    )
