"""How many calls a connection has left today, as far as its CRM has told."""

from dataclasses import dataclass
from uuid import UUID

import redis
from flask import current_app

from crm_admin import dispatch


@dataclass(frozen=True, slots=True)
class CallsLeft:
    """Calls that remain of a day's limit."""

    left: int
    limit: int


def calls_left(connection_id: UUID | None) -> CallsLeft | None:
    """Return what remains of today's calls; None when nothing was told or the queue is away."""
    if connection_id is None:
        return None
    client = dispatch.client(current_app.config["CRM"].redis_url)
    try:
        held = client.hmget(f"crm:budget:{connection_id}:daily", "left", "limit")
    except redis.RedisError:
        return None
    left, limit = ((float(value) if value else 0.0) for value in held)
    return CallsLeft(min(int(left), int(limit)), int(limit)) if limit else None
