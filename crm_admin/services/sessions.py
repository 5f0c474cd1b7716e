"""Signed-in browsers: kept in PostgreSQL under the hash of their id,
so that they can be ended at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from crm_admin import clock
from crm_admin.extensions import db
from crm_admin.models.world import AppUser, Membership, Session
from crm_admin.security.permissions import Role
from crm_admin.security.signing import digest, new_token
from crm_admin.services.access import Person

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)
TOUCH: Final = timedelta(seconds=60)
LONGEST_AGENT: Final = 300

FIND: Final = """
SELECT s.id_hash, s.user_id, s.organization_id, s.data, s.created_at, s.seen_at, s.fresh_at,
       u.name, u.email, m.role
  FROM session s
  JOIN app_user u ON u.id = s.user_id
  JOIN membership m ON m.organization_id = s.organization_id AND m.user_id = s.user_id
 WHERE s.id_hash = %(id)s AND s.expires_at > %(now)s AND s.seen_at > %(seen)s
   AND u.disabled_at IS NULL
"""
"""In plain SQL: every request begins with it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A valid session: who it is, what the browser's pages remember,
    and when it last proved itself."""

    id_hash: str
    person: Person
    data: Mapping[str, Any]
    created_at: datetime
    seen_at: datetime
    fresh_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """One browser that is signed in, for the list of a person's sign-ins."""

    id_hash: str
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime


def start(*, user_id: UUID, organization_id: UUID, address: str, agent: str) -> str:
    """Open a session that has just proved itself, and return its secret id for the cookie."""
    token, now = new_token(), clock.now()
    with db.engine.begin() as connection:
        connection.execute(delete(Session).where(Session.expires_at < now))
        connection.execute(
            insert(Session).values(
                id_hash=digest(token),
                user_id=user_id,
                organization_id=organization_id,
                created_at=now,
                seen_at=now,
                fresh_at=now,
                expires_at=now + LONGEST,
                address=address,
                agent=agent[:LONGEST_AGENT],
                data={},
            )
        )
    return token


def find(token: str) -> Found | None:
    """Return the session of a cookie; None when it is unknown, ended, idle for too long or too old.

    Disabling a person and taking them out of the organisation count at the next request.
    """
    now = clock.now()
    values = {"id": digest(token), "now": now, "seen": now - IDLE}
    row = db.session.connection().exec_driver_sql(FIND, values).first()
    if row is None:
        return None
    person = Person(row.user_id, row.name, Role(row.role), row.organization_id, row.email)
    return Found(row.id_hash, person, row.data, row.created_at, row.seen_at, row.fresh_at)


def touch(found: Found) -> None:
    """Note that the person is there, at most once a minute."""
    now = clock.now()
    if now - found.seen_at < TOUCH:
        return
    with db.engine.begin() as connection:
        connection.execute(
            update(Session).where(Session.id_hash == found.id_hash).values(seen_at=now)
        )
        connection.execute(
            update(AppUser).where(AppUser.id == found.person.user_id).values(last_seen_at=now)
        )


def remember(id_hash: str, data: Mapping[str, Any]) -> None:
    """Keep what the browser's pages remember; nothing happens when the session has ended."""
    with db.engine.begin() as connection:
        connection.execute(
            update(Session).where(Session.id_hash == id_hash).values(data=dict(data))
        )


def prove(token: str) -> str:
    """Note that the person entered the password again; return the session's new id."""
    renewed, now = new_token(), clock.now()
    with db.engine.begin() as connection:
        connection.execute(
            update(Session)
            .where(Session.id_hash == digest(token))
            .values(id_hash=digest(renewed), fresh_at=now, seen_at=now)
        )
    return renewed


def move(token: str, organization_id: UUID) -> str:
    """Let the session act for another organisation of the person; return its new id."""
    renewed = new_token()
    with db.engine.begin() as connection:
        connection.execute(
            update(Session)
            .where(Session.id_hash == digest(token))
            .where(
                select(Membership.user_id)
                .where(
                    Membership.user_id == Session.user_id,
                    Membership.organization_id == organization_id,
                )
                .exists()
            )
            .values(id_hash=digest(renewed), organization_id=organization_id, data={})
        )
    return renewed


def end(token: str) -> None:
    """End the session of a cookie at once."""
    with db.engine.begin() as connection:
        connection.execute(delete(Session).where(Session.id_hash == digest(token)))


def end_all(user_id: UUID, *, but: str | None = None) -> int:
    """End every session of a person, except the one of the cookie `but`; return how many."""
    with db.engine.begin() as connection:
        ended = connection.execute(
            delete(Session).where(
                Session.user_id == user_id, Session.id_hash != (digest(but) if but else "")
            )
        )
    return ended.rowcount


def sign_ins(user_id: UUID) -> Sequence[SignIn]:
    """Return where a person is signed in, the last seen first."""
    rows = db.session.scalars(
        select(Session)
        .where(Session.user_id == user_id, Session.expires_at > clock.now())
        .order_by(Session.seen_at.desc())
        .limit(100)
    )
    return [
        SignIn(row.id_hash, row.address, row.agent, row.created_at, row.seen_at) for row in rows
    ]
