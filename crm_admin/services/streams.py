"""Streams of a connection: which object meets which kind, in which direction, with which first
mapping.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from crm_admin.errors import BadInput
from crm_admin.ids import new_id
from crm_admin.packs.base import DefaultMapping
from crm_admin.packs.registry import default_mappings
from crm_admin.services.access import Person
from crm_admin.services.sql import Cursor, Row


@dataclass(frozen=True, slots=True)
class StreamChoice:
    """What a person chose for one object and kind; an empty policy keeps what is there."""

    remote_object: str
    kind: str
    enabled: bool = True
    direction: str = "both"
    creates: str = "both"
    policy: str = ""


def write_streams(
    cursor: Cursor, person: Person, connection: Row, choices: Sequence[StreamChoice]
) -> None:
    """Make the connection's streams be as chosen; the first connection of a kind becomes its
    primary.
    """
    defaults = {
        (item.remote_object, item.kind): item for item in default_mappings(connection["provider"])
    }
    for choice in choices:
        default = defaults.get((choice.remote_object, choice.kind))
        if default is None:
            raise BadInput(
                "objects", f"{choice.remote_object} cannot be synced with {choice.kind}."
            )
        known = cursor.execute(
            "SELECT id FROM stream WHERE connection_id = %s AND remote_object = %s AND kind = %s",
            (connection["id"], choice.remote_object, choice.kind),
        ).fetchone()
        if known is not None:
            cursor.execute(
                "UPDATE stream SET full_due = full_due OR (%s AND NOT enabled), enabled = %s,"
                " direction = %s, creates = %s, policy = coalesce(nullif(%s, ''), policy)"
                " WHERE id = %s",
                (
                    choice.enabled,
                    choice.enabled,
                    choice.direction,
                    choice.creates,
                    choice.policy,
                    known["id"],
                ),
            )
        elif choice.enabled:
            _add(cursor, person, connection, choice, default)


def _add(
    cursor: Cursor, person: Person, connection: Row, choice: StreamChoice, default: DefaultMapping
) -> None:
    stream_id, mapping_id = new_id(), new_id()
    cursor.execute(
        "INSERT INTO stream (organization_id, id, connection_id, remote_object, kind, position,"
        " filter, direction,"
        " creates, policy, first_agreement, trigger, enabled, is_primary, full_due,"
        " mapping_version)"
        " SELECT %(org)s, %(id)s, %(connection)s, %(object)s, %(kind)s, %(position)s, %(filter)s,"
        " %(direction)s,"
        " %(creates)s, %(policy)s, %(first)s, '{}', true,"
        " NOT EXISTS (SELECT 1 FROM stream WHERE kind = %(kind)s AND is_primary), true, 1",
        {
            "org": person.organization_id,
            "id": stream_id,
            "connection": connection["id"],
            "object": choice.remote_object,
            "kind": choice.kind,
            "position": default.position,
            "filter": orjson.dumps(list(default.filter)).decode(),
            "direction": choice.direction,
            "creates": choice.creates,
            "policy": choice.policy or default.policy.value,
            "first": default.first_agreement.value,
        },
    )
    cursor.execute(
        "INSERT INTO mapping_version (organization_id, id, stream_id, number, state, percent,"
        " note, by_user,"
        " created_at, published_at) VALUES (%s, %s, %s, 1, 'published', 100, %s, %s, now(), now())",
        (person.organization_id, mapping_id, stream_id, "Default mapping", person.user_id),
    )
    _add_rules(cursor, person.organization_id, mapping_id, default)


def _add_rules(
    cursor: Cursor, organization_id: UUID, mapping_id: UUID, default: DefaultMapping
) -> None:
    cursor.executemany(
        "INSERT INTO field_rule (organization_id, mapping_version_id, rule_id, position, ours,"
        " theirs, direction,"
        " required, default_value, steps, policy, first_agreement)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            (
                organization_id,
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
            )
            for position, rule in enumerate(default.rules)
        ],
    )


def default_choices(provider: str, objects: Sequence[str]) -> list[StreamChoice]:
    """Return the choices that switch these objects on, with every kind that has a default mapping;
    none means all.
    """
    known = default_mappings(provider)
    names = {item.remote_object for item in known}
    unknown = [name for name in objects if name not in names]
    if unknown:
        raise BadInput(
            "objects", f"{unknown[0]} has no default mapping. Choose of {', '.join(sorted(names))}."
        )
    return [
        StreamChoice(item.remote_object, item.kind)
        for item in known
        if not objects or item.remote_object in objects
    ]
