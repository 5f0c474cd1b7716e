"""Engines by role: connections take it when they open, transactions know their organisation."""

import logging
import os
import select
from enum import StrEnum
from typing import Final
from weakref import WeakSet

import orjson
from flask import Flask, current_app, has_app_context
from psycopg import Error as PsycopgError
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from crm_admin import clock, tenancy
from crm_admin.config import Config
from crm_admin.errors import ConfigError
from crm_admin.extensions import db

SET_ORGANIZATION: Final = text("SELECT set_config('app.organization_id', :value, true)")
TOO_STRONG: Final = (
    "SELECT rolname FROM pg_roles WHERE rolname = session_user AND (rolsuper OR rolbypassrls)"
)

logger = logging.getLogger(__name__)

IDLE_TRANSACTION_SECONDS: Final = 60
SURE_SECONDS: Final = 30.0


class Role(StrEnum):
    """Who a connection acts as inside the database."""

    APP = "app"
    SYSTEM = "system"
    OWNER = "owner"


_engines: WeakSet[Engine] = WeakSet()


def options(config: Config, role: Role) -> dict[str, object]:
    """Return the engine options of a role: the app's pool is the large one."""
    return {
        "pool_size": config.database_pool_size if role is Role.APP else 1,
        "max_overflow": 4 if role is Role.APP else 3,
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
        "connect_args": {
            "connect_timeout": 5,
            "application_name": f"crm_{role}",
            # A worker frozen inside a transaction must not keep everybody else from its rows.
            "options": f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_SECONDS}s",
        },
    }


def take_role(engine: Engine, role: Role) -> None:
    """Make each new connection of the engine act as the role until it closes."""

    def assume(connection: PoolProxiedConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(TOO_STRONG)
        strong = cursor.fetchone()
        if strong is not None:
            _refuse(str(strong[0]))
        cursor.execute(f"SET ROLE crm_{role}")
        cursor.close()
        connection.commit()

    event.listen(engine, "connect", assume)
    event.listen(engine, "checkin", _note_idle)
    event.listen(engine, "checkout", _refuse_closed)
    _engines.add(engine)


def _note_idle(_: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = clock.monotonic()


def _refuse_closed(
    connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection
) -> None:
    """Let the pool open a new connection where the server left this one.

    A server that goes says so on the socket, and nothing else is ever unread there: looking costs
    no question. Only after a longer while is the server asked, for what lies between us may forget.
    """
    if not _is_quiet(connection):
        raise DisconnectionError("The server closed this connection.")
    if clock.monotonic() - record.info.get("idle_since", clock.monotonic()) < SURE_SECONDS:
        return
    try:
        connection.cursor().execute("SELECT 1")
        connection.rollback()
    except PsycopgError as error:
        raise DisconnectionError("The server does not answer on this connection.") from error


def _is_quiet(connection: DBAPIConnection) -> bool:
    if connection.closed:
        return False
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return not waiting.poll(0)


def engine_for(role: Role | str) -> Engine:
    """Return the present app's engine for a role; all work of one organisation belongs on *app*."""
    role = Role(role)
    if role is Role.APP:
        return db.engine
    engines: dict[Role, Engine] = current_app.extensions["crm_engines"]
    if role not in engines:
        engines[role] = _make(current_app.config["CRM"], role)
    return engines[role]


def init_app(app: Flask, config: Config) -> None:
    """Bind the engines to the app."""
    app.config["SQLALCHEMY_DATABASE_URI"] = config.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options(config, Role.APP)
    db.init_app(app)
    app.extensions["crm_engines"] = {}
    with app.app_context():
        take_role(db.engine, Role.APP)


def dispose(app: Flask) -> None:
    """Close every pooled connection of the app."""
    with app.app_context():
        for engine in [db.engine, *app.extensions["crm_engines"].values()]:
            engine.dispose()


def refuse_strong_logins() -> None:
    """Raise ConfigError when the login could see through row-level security.

    A database that does not answer yet is no reason not to start: each connection checks again.
    Help and simulators name no server at all, and are told nothing of it.
    """
    url = db.engine.url
    if url.host is None and "host" not in url.query:
        return
    try:
        engine_for(Role.APP).connect().close()
    except OperationalError as error:
        logger.warning("the database does not answer yet: %s", type(error.orig).__name__)


def _refuse(login: str) -> None:
    problem = (
        f"The database login {login!r} is a superuser or has BYPASSRLS: nothing would keep"
        " organisations apart. `bin/crm database roles` prints the SQL for a plain login."
    )
    raise ConfigError((problem,))


def _make(config: Config, role: Role) -> Engine:
    own = {Role.SYSTEM: config.database_system_url, Role.OWNER: config.database_owner_url}.get(role)
    engine = create_engine(own or config.database_url, **options(config, role))
    take_role(engine, role)
    return engine


@event.listens_for(Session, "after_begin")
def _tell_organization(
    _session: Session, _transaction: SessionTransaction, connection: Connection
) -> None:
    organization_id = tenancy.current()
    if organization_id is not None:
        connection.execute(SET_ORGANIZATION, {"value": str(organization_id)})


def _follow_change() -> None:
    """Tell an open transaction about the new organisation, or it would go on with the old one."""
    if not has_app_context() or not db.session.registry.has():
        return
    session = db.session()
    if session.in_transaction() and session.is_active:
        session.execute(SET_ORGANIZATION, {"value": str(tenancy.current() or "")})


def _forget_inherited() -> None:
    """Drop a parent's connections in a forked child, leaving them open for the parent."""
    for engine in list(_engines):
        engine.dispose(close=False)


set_json_loads(orjson.loads)
tenancy.on_change(_follow_change)
os.register_at_fork(after_in_child=_forget_inherited)
