"""Refused actions: each is in the audit log, and many in a short while are told to the admins."""

from datetime import timedelta
from typing import Final

from sqlalchemy import text

from crm_admin.database import SET_ORGANIZATION
from crm_admin.extensions import db
from crm_admin.services import attention, audit
from crm_admin.services.access import Person
from crm_admin.services.sql import transaction

MANY: Final = 20
WHILE: Final = timedelta(minutes=5)

RECENT: Final = text(
    "SELECT count(*) FROM (SELECT 1 FROM audit_event"
    " WHERE actor_id = :actor AND action = 'refused' AND at > now() - :while"
    " LIMIT :many) AS found"
)


def note(person: Person, what: str) -> None:
    """Write down that the person was refused; from the twentieth within five minutes on, an item in
    *Needs you* says so. The caller acts for the person's organisation.
    """
    audit.note(person, "refused", "permission", what)
    with db.engine.begin() as connection:
        connection.execute(SET_ORGANIZATION, {"value": str(person.organization_id)})
        seen = connection.scalar(RECENT, {"actor": person.user_id, "while": WHILE, "many": MANY})
    if seen == MANY:
        _tell(person)


def _tell(person: Person) -> None:
    item = attention.Item(
        "refusals",
        str(person.user_id),
        f"{person.name} was refused {MANY} actions or more within five minutes. Their role may be"
        " too small for their work, or somebody is trying doors.",
        {"label": "See people and roles", "url": "/admin/users"},
    )
    with transaction() as cursor:
        attention.raise_item(cursor, person.organization_id, item)
