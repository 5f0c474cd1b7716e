"""Signing in, slowed down for whoever guesses: in PostgreSQL, so that it holds with Redis away."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from crm_admin import clock
from crm_admin.extensions import db
from crm_admin.security.signing import digest
from crm_admin.services import audit, sessions, users
from crm_admin.services.access import Person

logger = logging.getLogger(__name__)

KNOWN_FOR: Final = timedelta(days=90)
FORGET_AFTER: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Brake:
    """How many failures are free, and how long the wait may grow: it doubles from a second on."""

    free: int
    longest_seconds: int

    def wait(self, failures: int) -> int:
        """Return the seconds to wait after so many failures in a row."""
        over = failures - self.free
        return 0 if over < 0 else min(self.longest_seconds, 2 ** min(over, 20))


# A stranger elsewhere can slow an account down by half a minute at most, and not at all for a
# network from which its owner has signed in before.
PAIR: Final = Brake(free=5, longest_seconds=900)
NETWORK: Final = Brake(free=30, longest_seconds=900)
ACCOUNT: Final = Brake(free=20, longest_seconds=30)

LOCK: Final = text(
    "INSERT INTO sign_in_attempt (key, last_at) VALUES (:key, :now)"
    " ON CONFLICT (key) DO UPDATE SET key = excluded.key"
    " RETURNING failures, last_at, until, succeeded_at"
)
COUNT: Final = text(
    "UPDATE sign_in_attempt SET failures = :failures, last_at = :now, until = :until"
    " WHERE key = :key"
)
CLEAR: Final = text(
    "UPDATE sign_in_attempt SET failures = 0, until = NULL, succeeded_at = :now WHERE key = :key"
)
TAKE_BACK: Final = text(
    "UPDATE sign_in_attempt SET failures = greatest(failures - 1, 0), until = NULL WHERE key = :key"
)
FORGET: Final = text(
    "DELETE FROM sign_in_attempt WHERE last_at < :then"
    " AND (succeeded_at IS NULL OR succeeded_at < :known)"
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """It worked: the secret id for the cookie, and whether there is a choice of organisations."""

    token: str
    account: users.Account
    places: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not; `wait_seconds` above 0 says that nothing was looked at yet."""

    wait_seconds: int = 0


def sign_in(*, email: str, password: str, address: str, agent: str) -> SignedIn | Refused:
    """Open a session for the right password; slow down whoever tries too often.

    A try counts as failed before the password is looked at, so that tries at once do not pass
    the brake together. A person of several organisations starts in the first by name.
    """
    keys = _keys(email, address)
    wait = _brake(keys)
    if wait:
        logger.info("sign-in slowed down for %s s", wait)
        return Refused(wait)
    account = users.authenticate(email=email, password=password)
    places = users.places_of(account.user_id) if account else ()
    db.session.rollback()
    if account is None or not places:
        logger.info("sign-in failed")
        return Refused()
    _release(keys)
    first = places[0]
    token = sessions.start(
        user_id=account.user_id,
        organization_id=first.organization_id,
        address=address,
        agent=agent,
    )
    person = Person(account.user_id, account.name, first.role, first.organization_id)
    audit.note(person, "sign_in", "person", account.user_id)
    return SignedIn(token, account, len(places))


def prove(*, person: Person, token: str, password: str, address: str) -> str | Refused:
    """Let a signed-in person enter the password again; return the session's new id."""
    keys = _keys(person.email, address)
    wait = _brake(keys)
    if wait:
        return Refused(wait)
    account = users.authenticate(email=person.email, password=password)
    if account is None or account.user_id != person.user_id:
        return Refused()
    _release(keys)
    return sessions.prove(token)


def switch(*, person: Person, token: str, organization_id: UUID) -> str | None:
    """Act for another organisation from now on; None when the person does not belong to it."""
    if organization_id not in {place.organization_id for place in users.places_of(person.user_id)}:
        return None
    return sessions.move(token, organization_id)


def forget_old_attempts() -> None:
    """Drop failures of yesterday and networks that an account has not signed in from for long."""
    now = clock.now()
    with db.engine.begin() as connection:
        connection.execute(FORGET, {"then": now - FORGET_AFTER, "known": now - KNOWN_FOR})


@dataclass(frozen=True, slots=True)
class _Keys:
    pair: str
    network: str
    account: str


def _keys(email: str, address: str) -> _Keys:
    account, network = users.email_key(email), network_of(address)
    return _Keys(
        digest(f"pair:{account}:{network}"),
        digest(f"network:{network}"),
        digest(f"account:{account}"),
    )


def network_of(address: str) -> str:
    """Return what one household or office shares:
    the IPv4 address, or the first half of an IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    return str(ip_network((parsed, 64 if parsed.version == 6 else 32), strict=False))


def _brake(keys: _Keys) -> int:
    """Count a failure in advance and return 0, or count nothing and return the seconds to wait."""
    now = clock.now()
    with db.engine.begin() as connection:
        # The same order everywhere, or two tries at once would wait for each other.
        rows = {key: _locked(connection, key, now) for key in sorted(_braked(keys))}
        known = rows[keys.pair].succeeded_at
        if known is not None and now - known < KNOWN_FOR:
            rows.pop(keys.account)
        wait = max(_seconds_until(row.until, now) for row in rows.values())
        if wait:
            return wait
        for key, row in rows.items():
            brake = _braked(keys)[key]
            failures = 1 if now - row.last_at > FORGET_AFTER else row.failures + 1
            seconds = brake.wait(failures)
            until = now + timedelta(seconds=seconds) if seconds else None
            connection.execute(
                COUNT, {"key": key, "failures": failures, "now": now, "until": until}
            )
    return 0


def _braked(keys: _Keys) -> dict[str, Brake]:
    return {keys.pair: PAIR, keys.network: NETWORK, keys.account: ACCOUNT}


@dataclass(frozen=True, slots=True)
class _Attempts:
    failures: int
    last_at: datetime
    until: datetime | None
    succeeded_at: datetime | None


def _locked(connection: Connection, key: str, now: datetime) -> _Attempts:
    return _Attempts(*connection.execute(LOCK, {"key": key, "now": now}).one())


def _seconds_until(until: datetime | None, now: datetime) -> int:
    return max(0, -int((now - until).total_seconds() // 1)) if until else 0


def _release(keys: _Keys) -> None:
    """The right password clears the account; a network only gets this one try back."""
    now = clock.now()
    with db.engine.begin() as connection:
        for key in sorted((keys.pair, keys.account, keys.network)):
            statement = TAKE_BACK if key == keys.network else CLEAR
            values = {"key": key} if key == keys.network else {"key": key, "now": now}
            connection.execute(statement, values)
