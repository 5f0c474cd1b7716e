"""Engines by role: connections take it when they open, transactions know their organisation."""

import logging
import os
from enum import StrEnum
from typing import Final
from weakref import WeakSet

import orjson
from flask import Flask, current_app, has_app_context
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from crm_admin import tenancy
from crm_admin.config import Config
from crm_admin.errors import ConfigError
from crm_admin.extensions import db

SET_ORGANIZATION: Final = text("SELECT set_config('app.organization_id', :value, true)")
TOO_STRONG: Final = (
    "SELECT rolname FROM pg_roles WHERE rolname = session_user AND (rolsuper OR rolbypassrls)"
)

logger = logging.getLogger(__name__)

IDLE_TRANSACTION_SECONDS: Final = 60


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
        "pool_pre_ping": True,
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
    _engines.add(engine)


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
    """
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


tenancy.on_change(_follow_change)
os.register_at_fork(after_in_child=_forget_inherited)
