"""Says whether the installation is well: its parts, its keys, and what must always be true of its
rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import redis
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from crm_admin import dispatch, tenancy
from crm_admin.database import Role, engine_for, refuse_strong_logins
from crm_admin.errors import ConfigError
from crm_admin.jsontypes import Json
from crm_admin.models.world import GLOBAL
from crm_admin.security.secrets import KeyRing, Place, SecretError
from crm_admin.services import organizations
from crm_admin.services.doctor_invariants import GUARDS, INVARIANTS, Found, look
from crm_admin.services.sql import transaction

WORKER_SECONDS: Final = 120
SCHEDULER_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `fix` says what to do when it is not well."""

    name: str
    ok: bool
    message: str
    fix: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return the shape that `--json` prints."""
        return {"name": self.name, "ok": self.ok, "message": self.message, "fix": self.fix}


def examine() -> list[Check]:
    """Return every check in order; without a database nothing but the queue can be looked at."""
    first = _database()
    checks = [first, _queue()]
    if not first.ok:
        return checks
    checks += [_roles(), _migrations(), _walls()]
    checks += [_alive("worker", WORKER_SECONDS), _alive("scheduler", SCHEDULER_SECONDS)]
    try:
        checks += [_keys(), *_invariants()]
    except SQLAlchemyError as error:
        sentence = f"The tables cannot be read ({type(error).__name__})."
        checks.append(Check("tables", ok=False, message=sentence, fix=MIGRATE))
    return checks


MIGRATE: Final = "Run the migrations: flask db upgrade."


def _database() -> Check:
    try:
        with engine_for(Role.APP).connect() as connection:
            version = str(connection.scalar(text("SHOW server_version")))
    except SQLAlchemyError as error:
        sentence = f"The database does not answer ({type(error).__name__})."
        fix = "Start PostgreSQL, or correct DATABASE_URL."
        return Check("database", ok=False, message=sentence, fix=fix)
    return Check("database", ok=True, message=f"PostgreSQL {version} answers.")


def _queue() -> Check:
    try:
        dispatch.client(current_app.config["CRM"].redis_url).ping()
    except redis.RedisError as error:
        sentence = f"The queue does not answer ({type(error).__name__}); work is delayed, not lost."
        fix = "Start Redis or Valkey, or correct REDIS_URL."
        return Check("queue", ok=False, message=sentence, fix=fix)
    return Check("queue", ok=True, message="The queue answers.")


def _roles() -> Check:
    try:
        refuse_strong_logins()
    except ConfigError as error:
        fix = "Make a plain login with the SQL of: flask crm database roles."
        return Check("roles", ok=False, message=error.sentence, fix=fix)
    except SQLAlchemyError as error:
        sentence = f"The login may not take its roles ({type(error).__name__})."
        fix = "Grant them with the SQL of: flask crm database roles."
        return Check("roles", ok=False, message=sentence, fix=fix)
    return Check("roles", ok=True, message="No login can look past the walls between tenants.")


def _migrations() -> Check:
    wanted = set(ScriptDirectory(current_app.extensions["migrate"].directory).get_heads())
    try:
        with engine_for(Role.OWNER).connect() as connection:
            found = set(connection.scalars(text("SELECT version_num FROM alembic_version")))
    except SQLAlchemyError:
        found = set()
    if found == wanted:
        return Check("migrations", ok=True, message=f"At {', '.join(sorted(found))}.")
    sentence = f"At {', '.join(sorted(found)) or 'nothing'}, not {', '.join(sorted(wanted))}."
    return Check("migrations", ok=False, message=sentence, fix=MIGRATE)


UNGUARDED: Final = text("""
SELECT c.relname FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND NOT c.relispartition AND NOT c.relforcerowsecurity AND c.relname <> ALL(:open)
 ORDER BY 1
""")


def _walls() -> Check:
    with engine_for(Role.APP).connect() as connection:
        names = connection.scalars(UNGUARDED, {"open": sorted(GLOBAL)}).all()
    if names:
        sentence = f"Nothing keeps tenants apart in: {', '.join(names)}."
        return Check("walls", ok=False, message=sentence, fix=MIGRATE)
    return Check("walls", ok=True, message="Every tenant's table has its forced policy.")


ALIVE: Final = text("""
SELECT count(*) FROM process
 WHERE kind = :kind AND seen_at > now() - make_interval(secs => :seconds)
""")


def _alive(kind: str, seconds: int) -> Check:
    try:
        with engine_for(Role.APP).connect() as connection:
            count = int(connection.scalar(ALIVE, {"kind": kind, "seconds": seconds}) or 0)
    except SQLAlchemyError:
        count = 0
    if count:
        return Check(kind, ok=True, message=f"{count} alive.")
    sentence = f"No {kind} has shown itself for {seconds} seconds."
    return Check(kind, ok=False, message=sentence, fix=f"Start one: flask crm {kind}.")


def _keys() -> Check:
    try:
        ring = KeyRing.from_keys(current_app.config["CRM"].encryption_keys)
    except (SecretError, ValueError):
        fix = "Correct ENCRYPTION_KEYS."
        return Check("keys", ok=False, message="The keys cannot be used.", fix=fix)
    shut: list[str] = []
    for organization_id in organizations.all_ids():
        with tenancy.acting_for(organization_id), transaction() as cursor:
            rows = cursor.execute("SELECT id, name, credentials FROM connection").fetchall()
            shut += [row["name"] for row in rows if not _opens(ring, str(organization_id), row)]
    if shut:
        sentence = f"Stored credentials cannot be read: {', '.join(shut)}."
        fix = "Put the key they were sealed with back, or enter the credentials again."
        return Check("keys", ok=False, message=sentence, fix=fix)
    return Check("keys", ok=True, message="All stored credentials can be read.")


def _opens(ring: KeyRing, organization_id: str, row: dict[str, Json]) -> bool:
    sealed = row["credentials"]
    try:
        for field, value in (sealed if isinstance(sealed, dict) else {}).items():
            ring.decrypt(str(value), Place(organization_id, "connection", str(row["id"]), field))
    except SecretError:
        return False
    return True


INDEXES: Final = text("""
SELECT w.name FROM unnest(CAST(:names AS text[])) AS w (name)
  LEFT JOIN pg_class c ON c.relname = w.name AND c.relnamespace = 'public'::regnamespace
  LEFT JOIN pg_index i ON i.indexrelid = c.oid
 WHERE i.indexrelid IS NULL OR NOT i.indisvalid OR NOT i.indisunique ORDER BY 1
""")


def _guards() -> Check:
    """The database itself keeps these apart, as long as their indexes are whole."""
    with engine_for(Role.APP).connect() as connection:
        names = connection.scalars(INDEXES, {"names": list(GUARDS)}).all()
    if names:
        sentence = f"Nothing keeps twins out any more: {', '.join(names)} is missing or broken."
        return Check("links_one_to_one", ok=False, message=sentence, fix=f"REINDEX, or {MIGRATE}")
    well = "Links pair one record with one, and a connection has one live run."
    return Check("links_one_to_one", ok=True, message=well)


def _invariants() -> Iterator[Check]:
    yield _guards()
    found: dict[str, Found] = {one.name: Found() for one in INVARIANTS}
    for organization_id in organizations.all_ids():
        with tenancy.acting_for(organization_id), transaction() as cursor:
            for one in INVARIANTS:
                found[one.name].add(look(cursor, one))
    for one in INVARIANTS:
        wrong = found[one.name]
        if wrong.count:
            yield Check(one.name, ok=False, message=wrong.sentence(one), fix=one.fix)
        else:
            yield Check(one.name, ok=True, message=one.well)
