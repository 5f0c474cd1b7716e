"""Two addresses for load balancers: does the process answer, and can it reach what it needs."""

import logging

from flask import Blueprint, Response, current_app
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from crm_admin import dispatch
from crm_admin.database import Role, engine_for

logger = logging.getLogger(__name__)
health = Blueprint("health", __name__)


@health.get("/healthz")
def alive() -> Response:
    return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})


@health.get("/readyz")
def ready() -> Response:
    checks = {"database": _database_answers(), "redis": _redis_answers()}
    body = "".join(f"{name}: {'ok' if ok else 'no answer'}\n" for name, ok in checks.items())
    status = 200 if all(checks.values()) else 503
    return Response(
        body, status=status, mimetype="text/plain", headers={"Cache-Control": "no-store"}
    )


def _database_answers() -> bool:
    try:
        with engine_for(Role.APP).connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        logger.warning("readiness: the database does not answer: %s", type(error).__name__)
        return False
    return True


def _redis_answers() -> bool:
    try:
        dispatch.client(current_app.config["CRM"].redis_url).ping()
    except RedisError as error:
        logger.warning("readiness: Redis does not answer: %s", type(error).__name__)
        return False
    return True
