"""What a person wants to hear of, and by which channel."""

from collections.abc import Collection

from crm_admin.errors import BadInput
from crm_admin.ids import new_id
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.queries.connection_settings import CHANNELS, EVENTS
from crm_admin.services.sql import transaction


def choose(*, person: Person, wanted: Collection[tuple[str, str]]) -> None:
    """Make these pairs of event and channel be what the person hears of."""
    if any(event not in EVENTS or channel not in CHANNELS for event, channel in wanted):
        raise BadInput("events", "Choose of the listed events.")
    with transaction() as cursor:
        cursor.execute("DELETE FROM notification_rule WHERE user_id = %s", (person.user_id,))
        cursor.executemany(
            "INSERT INTO notification_rule (organization_id, id, user_id, event, channel)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                (person.organization_id, new_id(), person.user_id, event, channel)
                for event, channel in sorted(wanted)
            ],
        )
        audit.write(
            cursor,
            person,
            "notifications.choose",
            "person",
            person.user_id,
            after={"events": sorted(f"{event}:{channel}" for event, channel in wanted)},
        )
