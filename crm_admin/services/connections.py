"""Connections: added, checked, given their streams, switched between observing, active and
paused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_admin import clock
from crm_admin.errors import BadInput, NotFound, Stale
from crm_admin.ids import new_id
from crm_admin.providers import registry
from crm_admin.security.secrets import hint_of
from crm_admin.services import audit, remote
from crm_admin.services.access import Person
from crm_admin.services.connections_check import check, start_check
from crm_admin.services.connections_rows import locked
from crm_admin.services.schedules import add_built_in
from crm_admin.services.sealing import credentials_of
from crm_admin.services.sql import Row, dumps, transaction
from crm_admin.services.streams import StreamChoice, write_streams
from crm_admin.sync.states import Stance

__all__ = [
    "ENVIRONMENTS",
    "Shown",
    "check",
    "choose_streams",
    "create",
    "named",
    "set_stance",
    "show",
    "show_all",
    "start_check",
]

ENVIRONMENTS = ("production", "sandbox", "simulator")
OF_SIGN_IN = ("client_id", "client_secret")
NOT_SIGNED_IN = "Nobody is signed in yet."

INSERT = """
INSERT INTO connection (organization_id, id, provider, name, name_key, environment, endpoint,
       credentials, credential_hints, secrets_set, settings, stance, health, health_reason,
       priority, limits, marker, checks, created_by, created_at, updated_at, version)
VALUES (%(org)s, %(id)s, %(provider)s, %(name)s, %(name_key)s, %(environment)s, %(endpoint)s,
       %(credentials)s, %(hints)s, %(set)s, %(settings)s, %(stance)s, %(health)s, %(reason)s,
       100, '{}', 'unknown', '{}', %(user)s, now(), now(), 1)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class NewConnection:
    """What the settings page and the command line ask for; `secrets` are stored encrypted and never
    shown again. `by_sign_in` ones have no key: somebody signs in afterwards.
    """

    provider: str
    name: str
    environment: str
    endpoint: str
    secrets: Mapping[str, str]
    settings: Mapping[str, str]
    by_sign_in: bool = False


def create(  # noqa: PLR0913 -- what the form asks for, field by field
    *,
    person: Person,
    provider: str,
    name: str,
    environment: str,
    endpoint: str,
    secrets: Mapping[str, str],
    settings: Mapping[str, str],
    by_sign_in: bool = False,
    unfinished: bool = False,
) -> UUID:
    """Add a connection that only observes, and return its id. BadInput names the field that cannot
    be used. An `unfinished` one is a draft of the settings pages until its answers were checked.
    """
    given = {field: value.strip() for field, value in secrets.items() if value.strip()}
    new = NewConnection(
        provider, name.strip(), environment, endpoint.strip(), given, settings, by_sign_in
    )
    _check_new(new)
    connection_id = new_id()
    stored = {name: value for name, value in new.settings.items() if value}
    set_now = {"at": clock.now().isoformat(), "by": person.name}
    with transaction() as cursor:
        cursor.execute(
            INSERT,
            {
                "org": person.organization_id,
                "id": connection_id,
                "provider": new.provider,
                "name": new.name,
                "name_key": new.name.casefold(),
                "environment": new.environment,
                "endpoint": new.endpoint,
                "credentials": dumps(
                    credentials_of(person.organization_id, connection_id).seal(new.secrets)
                ),
                "hints": dumps({field: hint_of(value) for field, value in new.secrets.items()}),
                "set": dumps(dict.fromkeys(new.secrets, set_now)),
                "settings": dumps(stored | ({"setup": "open"} if unfinished else {})),
                "health": "disconnected" if by_sign_in else "ok",
                "reason": NOT_SIGNED_IN if by_sign_in else None,
                "stance": Stance.OBSERVE.value,
                "user": person.user_id,
            },
        )
        if not cursor.rowcount:
            raise BadInput(
                "name", f"There is already a connection called {new.name}. Choose another name."
            )
        add_built_in(cursor, person.organization_id, connection_id)
        audit.write(
            cursor,
            person,
            "connection.create",
            "connection",
            connection_id,
            after={"provider": new.provider, "name": new.name, "endpoint": new.endpoint},
        )
    return connection_id


def _check_new(new: NewConnection) -> None:
    if new.provider not in registry.ENTRIES:
        raise BadInput(
            "provider", f"CRM Admin has no connection to {new.provider}. Choose one of the list."
        )
    spec = registry.spec_of(new.provider)
    if not new.name:
        raise BadInput("name", "Give the connection a name, for example the CRM and the region.")
    if new.environment not in ENVIRONMENTS:
        raise BadInput("environment", "Choose production, sandbox or simulator.")
    known = {setting.name for setting in spec.settings} | set(OF_SIGN_IN)
    unknown = (set(new.secrets) | set(new.settings)) - known
    if unknown:
        raise BadInput(min(unknown), f"{spec.label} has no setting called {min(unknown)}.")
    for setting in spec.settings:
        if setting.secret and new.by_sign_in:
            continue
        value = new.secrets.get(setting.name) if setting.secret else new.settings.get(setting.name)
        if setting.required and not (value or "").strip():
            raise BadInput(setting.name, f"Enter the {setting.label.lower()}. {setting.help}")
    remote.check_endpoint(new.endpoint or spec.endpoint, spec.name)


def choose_streams(*, person: Person, connection_id: UUID, choices: Sequence[StreamChoice]) -> None:
    """Switch objects on or off and accept their default mapping as version 1 where they have none
    yet.
    """
    if not any(choice.enabled for choice in choices):
        raise BadInput("objects", "Choose at least one object to sync.")
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        write_streams(cursor, person, row, choices)
        audit.write(
            cursor,
            person,
            "connection.objects",
            "connection",
            connection_id,
            after={
                f"{c.remote_object}:{c.kind}": c.direction if c.enabled else "off" for c in choices
            },
        )


def set_stance(*, person: Person, connection_id: UUID, stance: str) -> None:
    """Let a connection observe, be active, or pause; a running sync ends its batch first."""
    wanted = Stance(stance)
    with transaction() as cursor:
        row = locked(cursor, connection_id)
        if row["stance"] == wanted.value:
            return
        if wanted is Stance.ACTIVE and row["health"] == "disconnected":
            raise Stale("Connect again before you make this connection active.")
        if (row["settings"] or {}).get("deleting"):
            raise Stale("This connection is being deleted.")
        cursor.execute(
            "UPDATE connection SET stance = %s, updated_at = now(), version = version + 1 WHERE id"
            " = %s",
            (wanted.value, connection_id),
        )
        if wanted is Stance.PAUSED:
            cursor.execute(
                "UPDATE sync_run SET cancel_asked = true WHERE connection_id = %s"
                " AND state IN ('queued', 'running', 'waiting')",
                (connection_id,),
            )
        audit.write(
            cursor,
            person,
            "connection.stance",
            "connection",
            connection_id,
            before={"stance": row["stance"]},
            after={"stance": wanted.value},
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A connection as the command line and programs see it."""

    id: UUID
    name: str
    provider: str
    stance: str
    health: str
    checks: list[dict[str, object]]

    def as_json(self) -> dict[str, object]:
        """Return the shape that `--json` prints."""
        return {
            "id": str(self.id),
            "name": self.name,
            "provider": self.provider,
            "stance": self.stance,
            "health": self.health,
            "checks": self.checks,
        }


def _shown(row: Row) -> Shown:
    lines = (row["checks"] or {}).get("lines", [])
    return Shown(row["id"], row["name"], row["provider"], row["stance"], row["health"], lines)


SHOW = "SELECT id, name, provider, stance, health, checks FROM connection"


def show_all() -> list[Shown]:
    """Return the organisation's connections by name."""
    with transaction() as cursor:
        return [_shown(row) for row in cursor.execute(SHOW + " ORDER BY name_key").fetchall()]


def show(connection_id: UUID) -> Shown:
    """Return a connection; NotFound when there is none."""
    with transaction() as cursor:
        row = cursor.execute(SHOW + " WHERE id = %s", (connection_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such connection.")
    return _shown(row)


def named(name: str) -> Shown:
    """Return the connection of that name or id; BadInput lists the names there are."""
    found = show_all()
    wanted = name.strip().casefold()
    for one in found:
        if wanted in {one.name.casefold(), str(one.id)}:
            return one
    names = ", ".join(one.name for one in found) or "none yet"
    raise BadInput("connection", f"There is no connection called {name}. There is: {names}.")
