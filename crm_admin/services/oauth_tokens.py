"""The tokens of a sign-in: good ones handed out, renewed by one worker at a time, never lost.

Whoever finds a token that ends soon claims its small row, commits, asks the CRM, and stores the new
pair before anybody uses it. A claim lapses after a minute, so a worker that dies holds nobody up.
"""

import time
from dataclasses import dataclass
from uuid import UUID

from flask import Flask, current_app

from crm_admin import clock, tenancy
from crm_admin.crashpoints import crashpoint
from crm_admin.errors import CrmAdminError, NeedsAttention, ProviderBroken, RetryLater
from crm_admin.ids import new_id
from crm_admin.outward.protocols import Rank
from crm_admin.outward.transport import Wiring
from crm_admin.providers.auth import Grant, GrantRefused
from crm_admin.providers.registry import spec_of
from crm_admin.services import attention, oauth_apps
from crm_admin.services.attention import Item
from crm_admin.services.sealing import tokens_of
from crm_admin.services.sql import Cursor, Row, dumps, transaction
from crm_admin.services.wiring import Calls, private_networks

EARLY_SECONDS = 300.0
LEAST_SECONDS = 15.0
RECHECK_SECONDS = 2.0
WAIT_SECONDS = 20.0
POLL_SECONDS = 0.1
PAUSE_SECONDS = 1.0
MOST_REFUSALS = 2
SIGNED_IN = "oauth"

LOOK = """
SELECT generation, secrets, previous, refusals, error, claimed_until > now() AS busy,
       extract(epoch FROM expires_at - now()) AS left_seconds
  FROM oauth_token WHERE connection_id = %s FOR UPDATE
"""

CLAIM = """
UPDATE oauth_token SET claim = %s, claimed_until = now() + interval '60 seconds'
 WHERE connection_id = %s
"""

STORE = """
UPDATE oauth_token SET previous = %(previous)s, secrets = %(secrets)s,
       scopes = CASE WHEN %(scopes)s::text[] = '{}' THEN scopes ELSE %(scopes)s::text[] END,
       generation = generation + 1, refusals = 0, error = NULL, claim = NULL,
       claimed_until = NULL, expires_at = now() + make_interval(secs => %(life)s),
       renewed_at = now()
 WHERE connection_id = %(connection)s AND claim = %(claim)s
"""

RELEASE = """
UPDATE oauth_token SET claim = NULL, claimed_until = NULL, error = %s, refusals = refusals + %s
 WHERE connection_id = %s AND claim = %s RETURNING refusals
"""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and how many seconds it may be used before somebody looks again."""

    text: str
    seconds: float
    generation: int
    follows: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to renew, and what is held until that is done."""

    id: UUID
    held: dict[str, str]
    refresh_token: str
    left_seconds: float
    generation: int


def is_signed_in(row: Row) -> bool:
    """Say whether a connection uses a sign-in instead of a key."""
    return (row["settings"] or {}).get("sign_in") == SIGNED_IN


def of(row: Row, calls: Calls) -> "ConnectionTokens":
    """Return the tokens of a connection row for a client; renewals go into the same call log."""
    return ConnectionTokens(row, calls)


class ConnectionTokens:
    """Keeps a good token at hand for one client; safe to use from the thread that reads ahead,
    because the database is reached in a context of its own.
    """

    def __init__(self, row: Row, calls: Calls) -> None:
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 -- Flask's own way to the app
        self._row = row
        self._calls = calls
        self._token: Token | None = None
        self._until = 0.0

    def current(self) -> str:
        """Return a token that is good for some minutes."""
        if self._token is None or clock.monotonic() >= self._until:
            self._take(refused="")
        return self._token.text if self._token else ""

    def renewed(self, refused: str) -> str:
        """Return another token than the refused one; NeedsAttention when there is none."""
        self._take(refused=refused)
        return self._token.text if self._token else ""

    def worked(self, token: str) -> None:
        """Forget the pair before this one: it is not needed any more."""
        held = self._token
        if held is None or held.text != token or not held.follows:
            return
        with (
            self._app.app_context(),
            tenancy.acting_for(self._row["organization_id"]),
            transaction() as cursor,
        ):
            cursor.execute(
                "UPDATE oauth_token SET previous = '{}'"
                " WHERE connection_id = %s AND generation = %s",
                (self._row["id"], held.generation),
            )

    def _take(self, *, refused: str) -> None:
        with self._app.app_context(), tenancy.acting_for(self._row["organization_id"]):
            self._token = obtain(self._row, self._calls, refused=refused)
        self._until = clock.monotonic() + self._token.seconds


def obtain(
    row: Row, calls: Calls, *, refused: str = "", early_seconds: float = EARLY_SECONDS
) -> Token:
    """Return a good token that is not the refused one, renewing it where nobody else does.

    RetryLater: the CRM's sign-in does not answer. NeedsAttention: a person must connect again.
    Call it outside of any transaction.
    """
    until = clock.monotonic() + WAIT_SECONDS
    while True:
        found = _look(row, refused, early_seconds)
        if isinstance(found, Token):
            return found
        if isinstance(found, Claim):
            renewed = _renew(row, calls, found, refused)
            if isinstance(renewed, Token):
                return renewed
            early_seconds = EARLY_SECONDS if renewed else early_seconds
        elif clock.monotonic() > until:
            raise RetryLater(5.0, "Another worker is renewing the sign-in.")
        else:
            time.sleep(POLL_SECONDS)


def _look(row: Row, refused: str, early_seconds: float) -> Token | Claim | None:
    """A good token, the right to renew one, or None while somebody else renews it."""
    with transaction() as cursor:
        found = cursor.execute(LOOK, (row["id"],)).fetchone()
        if found is None:
            raise NeedsAttention(f"Nobody is signed in to {row['name']}. Connect it again.")
        held = tokens_of(row["organization_id"], row["id"]).opened(found["secrets"])
        left = float(found["left_seconds"] or 0)
        is_refused = held.get("access_token") == refused
        if left > early_seconds and not is_refused:
            return _token(found, held, left - EARLY_SECONDS)
        if found["refusals"] >= MOST_REFUSALS:
            raise NeedsAttention(found["error"] or _ended(row))
        if found["busy"]:
            usable = left > LEAST_SECONDS and not is_refused
            return _token(found, held, RECHECK_SECONDS) if usable else None
        claim_id = new_id()
        cursor.execute(CLAIM, (claim_id, row["id"]))
    return Claim(claim_id, held, _refresh_token(row, found, held), left, found["generation"])


def _token(found: Row, held: dict[str, str], seconds: float) -> Token:
    return Token(held["access_token"], seconds, found["generation"], bool(found["previous"]))


def _refresh_token(row: Row, found: Row, held: dict[str, str]) -> str:
    """After a refusal the pair before this one is tried, in case the new one never became good."""
    former = tokens_of(row["organization_id"], row["id"], former=True).opened(found["previous"])
    if found["refusals"] and former.get("refresh_token"):
        return former["refresh_token"]
    return held.get("refresh_token", "")


def _renew(row: Row, calls: Calls, claim: Claim, refused: str) -> Token | bool:
    """Whether a new pair was stored; the present token when that has to do for now."""
    try:
        grant = _ask(row, calls, claim.refresh_token)
    except GrantRefused:
        _refusal(row, claim)
        return False
    except (RetryLater, ProviderBroken) as error:
        _release(row, claim, error.sentence)
        if claim.left_seconds > LEAST_SECONDS and claim.held["access_token"] != refused:
            return Token(
                claim.held["access_token"], RECHECK_SECONDS * 5, claim.generation, follows=False
            )
        wait = error.after_seconds if isinstance(error, RetryLater) else 30.0
        raise RetryLater(wait, error.sentence) from error
    except NeedsAttention as error:
        _release(row, claim, error.sentence)
        _need_person(row, error.sentence)
        raise
    crashpoint("token.refreshed.before_store")
    _store(row, claim, grant)
    crashpoint("token.stored.after_commit")
    return True


def _ask(row: Row, calls: Calls, refresh_token: str) -> Grant:
    app = oauth_apps.app_of(row)
    if app is None:
        raise NeedsAttention(
            f"CRM Admin has no application for {row['name']} any more."
            f" Set {oauth_apps.names_of_settings(row['provider'])}, or enter the connection's own."
        )
    sign_in = oauth_apps.required(row["provider"])
    endpoint = row["endpoint"] or spec_of(row["provider"]).endpoint
    return sign_in.renew(endpoint, app, wiring_of(calls), refresh_token)


def wiring_of(calls: Calls) -> Wiring:
    """Return what a call to a sign-in is given: no budget counts it, no breaker stops it."""
    return Wiring(private_networks=private_networks(), log=calls, rank=Rank.PEOPLE)


def _store(row: Row, claim: Claim, grant: Grant) -> None:
    """Keep the new pair and the one before it; a claim that lapsed meanwhile keeps nothing."""
    place = (row["organization_id"], row["id"])
    new = {"access_token": grant.access_token, "refresh_token": grant.refresh_token}
    with transaction() as cursor:
        cursor.execute(
            STORE,
            {
                "previous": dumps(tokens_of(*place, former=True).seal(claim.held)),
                "secrets": dumps(tokens_of(*place).seal(new)),
                "scopes": list(grant.scopes),
                "life": grant.life_seconds,
                "connection": row["id"],
                "claim": claim.id,
            },
        )
        if cursor.rowcount:
            _is_well(cursor, row["id"])


def _is_well(cursor: Cursor, connection_id: UUID) -> None:
    cursor.execute(
        "UPDATE connection SET health = 'ok', health_reason = NULL, health_at = now()"
        " WHERE id = %s AND health = 'needs_reconnect'",
        (connection_id,),
    )
    attention.settle_item(cursor, kind="reconnect", subject=str(connection_id))


def _release(row: Row, claim: Claim, sentence: str, refusals: int = 0) -> int:
    with transaction() as cursor:
        found = cursor.execute(RELEASE, (sentence, refusals, row["id"], claim.id)).fetchone()
    return int(found["refusals"]) if found else 0


def _refusal(row: Row, claim: Claim) -> None:
    """The first refusal may be a race with another worker or a pair that never became good; after
    the second one a person must connect again.
    """
    sentence = _ended(row)
    refusals = _release(row, claim, sentence, 1)
    if refusals >= MOST_REFUSALS:
        _need_person(row, sentence)
        raise NeedsAttention(sentence)
    time.sleep(PAUSE_SECONDS)


def _ended(row: Row) -> str:
    label = spec_of(row["provider"]).label
    return (
        f"{label} has ended our sign-in: it was revoked, or the app was removed there."
        " Connect again; nothing was lost."
    )


def _need_person(row: Row, sentence: str) -> None:
    with transaction() as cursor:
        cursor.execute(
            "UPDATE connection SET health = 'needs_reconnect', health_reason = %s,"
            " health_at = now() WHERE id = %s AND health <> 'disconnected'",
            (sentence, row["id"]),
        )
        attention.raise_item(
            cursor,
            row["organization_id"],
            Item("reconnect", str(row["id"]), f"{row['name']}: {sentence}"),
        )


def renew_due(connection_id: UUID, *, early_seconds: float = EARLY_SECONDS) -> str:
    """Renew a connection's token when it ends soon, and return what was done in a word, or a
    sentence that says why not.
    """
    with transaction() as cursor:
        row = cursor.execute("SELECT * FROM connection WHERE id = %s", (connection_id,)).fetchone()
    if row is None or not is_signed_in(row) or row["health"] == "disconnected":
        return "skipped"
    calls = Calls(row["id"], None, Rank.BULK)
    try:
        obtain(row, calls, early_seconds=early_seconds)
    except CrmAdminError as error:
        return error.sentence[:200]
    finally:
        calls.flush()
    return "done"


def renew_now(connection_id: UUID) -> str:
    """Renew a connection's token whatever its age; see `renew_due`."""
    return renew_due(connection_id, early_seconds=float("inf"))
