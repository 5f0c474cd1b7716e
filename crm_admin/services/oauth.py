"""Signing in to a CRM: the way out to its consent page, and the way back, once and only for the
browser that left.
"""

from dataclasses import dataclass
from uuid import UUID

from crm_admin.errors import BadInput, CrmAdminError, NotFound
from crm_admin.ids import new_id
from crm_admin.outward.protocols import Rank
from crm_admin.providers.auth import App, Grant, GrantRefused, challenge_of, consent_url
from crm_admin.providers.registry import sign_in_of, spec_of
from crm_admin.security.permissions import Permission
from crm_admin.security.signing import digest, new_token
from crm_admin.services import (
    attention,
    audit,
    connections_links,
    oauth_apps,
    oauth_scopes,
    remote,
)
from crm_admin.services.access import Person, require
from crm_admin.services.oauth_tokens import SIGNED_IN, wiring_of
from crm_admin.services.sealing import Box, tokens_of
from crm_admin.services.sql import Cursor, Row, dumps, transaction
from crm_admin.services.wiring import Calls

KEEP = """
INSERT INTO oauth_state (organization_id, id, state_hash, connection_id, session_hash, verifier,
       params, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, now() + interval '10 minutes')
"""

TAKE = """
UPDATE oauth_state SET used_at = now()
 WHERE state_hash = %s AND session_hash = %s AND used_at IS NULL AND expires_at > now()
RETURNING id, connection_id, verifier, params
"""

FORGET = "DELETE FROM oauth_state WHERE expires_at < now() - interval '1 hour'"

STORE = """
INSERT INTO oauth_token (organization_id, connection_id, secrets, previous, scopes, generation,
       expires_at, signed_in_at, signed_in_by)
VALUES (%(org)s, %(connection)s, %(secrets)s, '{}', %(scopes)s, 1,
       now() + make_interval(secs => %(life)s), now(), %(person)s)
ON CONFLICT (organization_id, connection_id) DO UPDATE
   SET secrets = excluded.secrets, previous = '{}', scopes = excluded.scopes,
       generation = oauth_token.generation + 1, refusals = 0, error = NULL, claim = NULL,
       claimed_until = NULL, expires_at = excluded.expires_at,
       signed_in_at = excluded.signed_in_at, signed_in_by = excluded.signed_in_by,
       renewed_at = NULL
"""

CONNECT = """
UPDATE connection SET credentials = credentials - 'access_token',
       credential_hints = credential_hints - 'access_token',
       secrets_set = secrets_set - 'access_token',
       settings = settings || jsonb_build_object('sign_in', %(how)s::text), health = 'ok',
       health_reason = NULL, health_at = now(), account = account || %(account)s::jsonb,
       updated_at = now(), version = version + 1
 WHERE id = %(connection)s
"""

LEFT_EARLY = (
    "This way back was used already, is older than 10 minutes, or began in another browser."
    " Nothing was changed; start the sign-in again."
)


@dataclass(frozen=True, slots=True)
class Back:
    """How somebody came back from a CRM. `other_account` names the account that was refused
    because the connection's links belong to another one.
    """

    connection_id: UUID | None
    connected: bool
    sentence: str
    other_account: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """A state that was taken: where it leads and what it was bound to."""

    row: Row
    verifier: str
    redirect_uri: str
    reset_links: bool


def start(
    *, person: Person, connection_id: UUID, session_hash: str, reset_links: bool = False
) -> str:
    """Return the address of the consent page for a connection; the way back is good once, for ten
    minutes, for this browser. BadInput when CRM Admin has no application there.

    `reset_links` allows another account than before, whose links are then forgotten.
    """
    require(person, Permission.CONNECTION_EDIT)
    with transaction() as cursor:
        row = _row(cursor, connection_id)
        uses = oauth_scopes.uses_of(cursor, row)
    app = _app(row)
    remote.check_endpoint(_endpoint(row), row["provider"])
    state, verifier, state_id = new_token(), new_token(), new_id()
    redirect_uri = oauth_apps.callback_url(row["provider"])
    sealed = Box(person.organization_id, "oauth_state", state_id).seal({"verifier": verifier})
    params = {
        "provider": row["provider"],
        "redirect_uri": redirect_uri,
        "user": str(person.user_id),
        "reset_links": reset_links,
    }
    with transaction() as cursor:
        cursor.execute(FORGET)
        cursor.execute(
            KEEP,
            (
                person.organization_id,
                state_id,
                digest(state),
                connection_id,
                session_hash,
                sealed["verifier"],
                dumps(params),
            ),
        )
    sign_in = oauth_apps.required(row["provider"])
    return consent_url(
        sign_in.page(_endpoint(row)),
        app,
        {
            "redirect_uri": redirect_uri,
            "scope": " ".join(sign_in.scopes(uses)),
            "state": state,
            "code_challenge": challenge_of(verifier),
        },
    )


def finish(
    *, person: Person, session_hash: str, came_to: str, state: str, code: str, error: str
) -> Back:
    """Take somebody back from the consent page: their connection is signed in, or nothing changed
    and the sentence says why. `came_to` is the address of ours they came to, made of PUBLIC_URL.
    """
    way = _take(person, session_hash, state, came_to)
    if way is None:
        return Back(None, connected=False, sentence=LEFT_EARLY)
    require(person, Permission.CONNECTION_EDIT)
    row = way.row
    if error or not code:
        return Back(row["id"], connected=False, sentence=_declined(row, error))
    try:
        grant = _exchange(way, code)
        account = grant.account
        other = _other_account(row, account)
        if other and not way.reset_links:
            return Back(row["id"], connected=False, sentence=other, other_account=account)
        if other:
            connections_links.reset(person=person, connection_id=row["id"])
        _store(person, row, grant)
    except GrantRefused as refused:
        sentence = f"{refused.sentence} Its code was used already or is too old; start again."
        return Back(row["id"], connected=False, sentence=sentence)
    except CrmAdminError as problem:
        return Back(row["id"], connected=False, sentence=problem.sentence)
    return Back(row["id"], connected=True, sentence=f"Signed in to {row['name']}.")


def _row(cursor: Cursor, connection_id: UUID) -> Row:
    row = cursor.execute("SELECT * FROM connection WHERE id = %s", (connection_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such connection.")
    return row


def _app(row: Row) -> App:
    label = spec_of(row["provider"]).label
    if sign_in_of(row["provider"]) is None:
        raise BadInput("sign_in", f"{label} knows no sign-in here; enter a key instead.")
    app = oauth_apps.app_of(row)
    if app is None:
        raise BadInput(
            "client_id",
            f"CRM Admin has no application at {label} yet. Enter the client id and secret of one,"
            f" or set {oauth_apps.names_of_settings(row['provider'])}.",
        )
    return app


def _take(person: Person, session_hash: str, state: str, came_to: str) -> Way | None:
    """Use a state up; None unless it is this browser's, this organisation's, and for this door."""
    with transaction() as cursor:
        found = cursor.execute(TAKE, (digest(state), session_hash)).fetchone()
        if found is None:
            return None
        row = _row(cursor, found["connection_id"])
    params = found["params"]
    is_for_here = params["redirect_uri"] == came_to and params["provider"] == row["provider"]
    if not is_for_here or params["user"] != str(person.user_id):
        return None
    box = Box(person.organization_id, "oauth_state", found["id"])
    opened = box.opened({"verifier": found["verifier"]})
    return Way(row, opened["verifier"], params["redirect_uri"], bool(params["reset_links"]))


def _declined(row: Row, error: str) -> str:
    label = spec_of(row["provider"]).label
    if error == "access_denied":
        return f"{label} was not allowed to let CRM Admin in. Nothing was changed."
    return f"{label} did not let CRM Admin in. Nothing was changed; start the sign-in again."


def _endpoint(row: Row) -> str:
    return row["endpoint"] or spec_of(row["provider"]).endpoint


def _exchange(way: Way, code: str) -> Grant:
    row = way.row
    calls = Calls(row["id"], None, Rank.PEOPLE)
    form = {"code": code, "redirect_uri": way.redirect_uri, "code_verifier": way.verifier}
    try:
        return oauth_apps.required(row["provider"]).exchange(
            _endpoint(row), _app(row), wiring_of(calls), form
        )
    finally:
        calls.flush()


def _other_account(row: Row, account: str) -> str:
    """Say that an account is another one than the connection's; nothing when it may go on."""
    known = str((row["account"] or {}).get("id") or "")
    if not known or not account or known == account:
        return ""
    return (
        f"You signed in to account {account}, but {row['name']} belongs to account {known}."
        f" Nothing was changed. Choose account {known}, or connect {account} as a connection of"
        " its own."
    )


def _store(person: Person, row: Row, grant: Grant) -> None:
    pair = {"access_token": grant.access_token, "refresh_token": grant.refresh_token}
    place = (person.organization_id, row["id"])
    account = {"id": grant.account} if grant.account else {}
    with transaction() as cursor:
        cursor.execute(
            STORE,
            {
                "org": person.organization_id,
                "connection": row["id"],
                "secrets": dumps(tokens_of(*place).seal(pair)),
                "scopes": list(grant.scopes),
                "life": grant.life_seconds,
                "person": person.user_id,
            },
        )
        cursor.execute(
            CONNECT, {"how": SIGNED_IN, "account": dumps(account), "connection": row["id"]}
        )
        attention.settle_item(cursor, kind="reconnect", subject=str(row["id"]))
        audit.write(
            cursor,
            person,
            "connection.sign_in",
            "connection",
            row["id"],
            after={"account": grant.account, "scopes": list(grant.scopes)},
        )
