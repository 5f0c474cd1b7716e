"""Wakes workers: RQ carries a job's name and ids as JSON, never data. PostgreSQL decides what a job
then finds.
"""

import logging
from functools import cache
from uuid import UUID

import redis
from flask import current_app
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from crm_admin.crashpoints import crashpoint

logger = logging.getLogger(__name__)

JOBS = {
    "sync.run": "crm_admin.jobs.sync.run",
    "connections.check": "crm_admin.jobs.connections.check",
    "connections.delete": "crm_admin.jobs.connections.delete",
    "schedules.run": "crm_admin.jobs.schedules.run",
}
"""Every job by name; a test resolves each path."""

NOW, BULK = "now", "bulk"
JOB_SECONDS = 300


@cache
def client(url: str) -> redis.Redis:
    """Return the process's Redis client: it fails at once instead of hanging a web request."""
    return redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=1,
        socket_timeout=5,
        health_check_interval=30,
    )


def queue(name: str, job_class: type[Job] | None = None) -> Queue:
    """Return the queue of that name, speaking JSON; its jobs are read as `job_class`."""
    url = current_app.config["CRM"].redis_url
    return Queue(name, connection=client(url), serializer=JSONSerializer, job_class=job_class)


def enqueue(
    job: str,
    organization_id: UUID,
    row_id: UUID,
    *,
    turn: int = 0,
    urgent: bool = False,
    front: bool = False,
) -> bool:
    """Wake a worker for a row; `turn` keeps the job's id its own for each claim, `front` puts it
    before all others. False when Redis is not there.

    A lost wake-up costs a reconciler tick: the row is committed before this is called.
    """
    try:
        queue(NOW if urgent else BULK).enqueue(
            JOBS[job],
            str(organization_id),
            str(row_id),
            job_id=f"{job.replace('.', '-')}-{row_id}-{turn}",
            job_timeout=JOB_SECONDS,
            at_front=front,
            result_ttl=0,
            failure_ttl=0,
        )
    except redis.RedisError as error:
        logger.warning(
            "job %s for %s waits for the reconciler: %s", job, row_id, type(error).__name__
        )
        return False
    crashpoint("run.enqueued")
    return True
