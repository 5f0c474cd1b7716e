"""Connections: added, checked, given their streams, switched between observing, active and
paused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from flask import current_app

from crm_admin import clock, dispatch, tenancy
from crm_admin.errors import BadInput, CrmAdminError, NotFound, Stale
from crm_admin.ids import new_id
from crm_admin.packs.registry import default_mappings
from crm_admin.providers import registry
from crm_admin.providers.base import CheckLine
from crm_admin.security.secrets import KeyRing, Place
from crm_admin.services import audit, remote
from crm_admin.services.access import Person
from crm_admin.services.engine.opening import describe
from crm_admin.services.schedules import add_built_in
from crm_admin.services.sql import Cursor, Row, transaction
from crm_admin.services.streams import StreamChoice, write_streams
from crm_admin.sync.states import Stance

ENVIRONMENTS = {"production", "sandbox", "simulator"}

INSERT = """
INSERT INTO connection (organization_id, id, provider, name, name_key, environment, endpoint,
credentials,
       credential_hints, settings, stance, health, priority, limits, marker, checks, created_by,
       created_at, updated_at,
       version)
VALUES (%(org)s, %(id)s, %(provider)s, %(name)s, %(name_key)s, %(environment)s, %(endpoint)s,
%(credentials)s,
        %(hints)s, %(settings)s, %(stance)s, 'ok', 100, '{}', 'unknown', '{}', %(user)s, now(),
        now(), 1)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class NewConnection:
    """What the settings page and the command line ask for; `secrets` are stored encrypted and never
    shown again.
    """

    provider: str
    name: str
    environment: str
    endpoint: str
    secrets: Mapping[str, str]
    settings: Mapping[str, str]


def create(  # noqa: PLR0913 -- what the form asks for, field by field
    *,
    person: Person,
    provider: str,
    name: str,
    environment: str,
    endpoint: str,
    secrets: Mapping[str, str],
    settings: Mapping[str, str],
) -> UUID:
    """Add a connection that only observes, and return its id. BadInput names the field that cannot
    be used.
    """
    new = NewConnection(provider, name.strip(), environment, endpoint.strip(), secrets, settings)
    _check_new(new)
    connection_id = new_id()
    sealed = {
        field: seal(person.organization_id, connection_id, field, value)
        for field, value in new.secrets.items()
    }
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
                "credentials": orjson.dumps(sealed).decode(),
                "hints": orjson.dumps(
                    {field: value[-4:] for field, value in new.secrets.items()}
                ).decode(),
                "settings": orjson.dumps(dict(new.settings)).decode(),
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
    for setting in spec.settings:
        value = new.secrets.get(setting.name) if setting.secret else new.settings.get(setting.name)
        if setting.required and not (value or "").strip():
            raise BadInput(setting.name, f"Enter the {setting.label.lower()}. {setting.help}")
    remote.check_endpoint(new.endpoint or spec.endpoint)


def ring() -> KeyRing:
    """Return the keys of this installation."""
    return KeyRing.from_keys(current_app.config["CRM"].encryption_keys)


def seal(organization_id: UUID, connection_id: UUID, field: str, value: str) -> str:
    """Encrypt a credential for exactly this place."""
    return ring().encrypt(
        value, Place(str(organization_id), "connection", str(connection_id), field)
    )


def rotate_secret(*, person: Person, connection_id: UUID, secrets: Mapping[str, str]) -> None:
    """Replace credentials; an empty value keeps what is there. The next check tells whether the new
    ones work.
    """
    given = {field: value.strip() for field, value in secrets.items() if value.strip()}
    if not given:
        raise BadInput("access_token", "Enter the new token. The present one stays until then.")
    with transaction() as cursor:
        row = _row(cursor, connection_id)
        sealed = {
            **row["credentials"],
            **{f: seal(person.organization_id, connection_id, f, v) for f, v in given.items()},
        }
        hints = {**row["credential_hints"], **{f: v[-4:] for f, v in given.items()}}
        cursor.execute(
            "UPDATE connection SET credentials = %s, credential_hints = %s, health = 'ok',"
            " health_reason = NULL,"
            " updated_at = now(), version = version + 1 WHERE id = %s",
            (orjson.dumps(sealed).decode(), orjson.dumps(hints).decode(), connection_id),
        )
        audit.write(
            cursor,
            person,
            "connection.rotate",
            "connection",
            connection_id,
            after={"fields": sorted(given)},
        )


def _row(cursor: Cursor, connection_id: UUID) -> Row:
    row = cursor.execute(
        "SELECT * FROM connection WHERE id = %s FOR UPDATE", (connection_id,)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such connection.")
    return row


def start_check(*, person: Person, connection_id: UUID) -> None:
    """Have the check list run in the background; its lines appear on the connection one by one."""
    with transaction() as cursor:
        _row(cursor, connection_id)
        _store_lines(cursor, connection_id, [], running=True)
    if not dispatch.enqueue(
        "connections.check",
        person.organization_id,
        connection_id,
        turn=int(clock.now().timestamp()),
        urgent=True,
    ):
        check(person.organization_id, connection_id)


def check(organization_id: UUID, connection_id: UUID) -> list[CheckLine]:
    """Run the check list now and return its lines; each is stored as it is known, nothing is
    written to the CRM.
    """
    lines: list[CheckLine] = []
    with tenancy.acting_for(organization_id):
        with transaction() as cursor:
            row = cursor.execute(
                "SELECT * FROM connection WHERE id = %s", (connection_id,)
            ).fetchone()
            if row is None:
                return []
            objects = _objects(cursor, row)
        try:
            with remote.opened(row) as opened:
                for line in opened.provider.check(objects):
                    lines.append(line)
                    with transaction() as cursor:
                        _store_lines(cursor, connection_id, lines, running=True)
                if all(line.ok for line in lines):
                    describe(opened.provider, connection_id, objects)
                    _learn(connection_id, opened)
        except CrmAdminError as error:
            lines.append(CheckLine("stopped", "Check list", ok=False, sentence=error.sentence))
        with transaction() as cursor:
            _store_lines(cursor, connection_id, lines, running=False)
            _store_health(cursor, connection_id, lines)
    return lines


def _objects(cursor: Cursor, row: Row) -> list[str]:
    rows = cursor.execute(
        "SELECT DISTINCT remote_object FROM stream WHERE connection_id = %s AND enabled",
        (row["id"],),
    ).fetchall()
    names = [found["remote_object"] for found in rows]
    return names or sorted({item.remote_object for item in default_mappings(row["provider"])})


def _store_lines(
    cursor: Cursor, connection_id: UUID, lines: Sequence[CheckLine], *, running: bool
) -> None:
    shown = [
        {
            "name": line.name,
            "label": line.label,
            "ok": line.ok,
            "sentence": line.sentence,
            "fix": line.fix,
        }
        for line in lines
    ]
    checks = {"running": running, "at": clock.now().isoformat(), "lines": shown}
    cursor.execute(
        "UPDATE connection SET checks = %s WHERE id = %s",
        (orjson.dumps(checks).decode(), connection_id),
    )


def _store_health(cursor: Cursor, connection_id: UUID, lines: Sequence[CheckLine]) -> None:
    bad = next((line for line in lines if line.ok is False), None)
    refused = bad is not None and bad.name in {"credentials", "scopes", "account"}
    health = "ok" if bad is None else ("needs_reconnect" if refused else "broken")
    cursor.execute(
        "UPDATE connection SET health = %s, health_reason = %s, health_at = now() WHERE id = %s",
        (health, bad.sentence if bad else None, connection_id),
    )


def _learn(connection_id: UUID, opened: remote.Opened) -> None:
    account = opened.provider.account()
    with transaction() as cursor:
        cursor.execute(
            "UPDATE connection SET account = %s, clock_offset = %s WHERE id = %s",
            (orjson.dumps(account).decode(), opened.provider.clock_offset(), connection_id),
        )


def choose_streams(*, person: Person, connection_id: UUID, choices: Sequence[StreamChoice]) -> None:
    """Switch objects on or off and accept their default mapping as version 1 where they have none
    yet.
    """
    if not any(choice.enabled for choice in choices):
        raise BadInput("objects", "Choose at least one object to sync.")
    with transaction() as cursor:
        row = _row(cursor, connection_id)
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
        row = _row(cursor, connection_id)
        if row["stance"] == wanted.value:
            return
        if wanted is Stance.ACTIVE and row["health"] == "disconnected":
            raise Stale("Connect again before you make this connection active.")
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
