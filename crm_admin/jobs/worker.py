"""The worker process: an app context per job, fresh database connections, and no work-horse
outliving its worker.
"""

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Sequence

from flask import Flask
from redis.client import Pipeline
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from crm_admin import dispatch
from crm_admin.jobs.wakeup import WakeUp
from crm_admin.services import processes

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1


class AppWorker(Worker):
    """Runs each job inside the app; its work-horse dies with it."""

    app: Flask

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Tell both Redis and our own tables that this worker is alive."""
        super().heartbeat(timeout, pipeline)
        try:
            with self.app.app_context():
                processes.beat("worker")
        except SQLAlchemyError as error:
            logger.warning("the worker's sign of life waits: %s", type(error).__name__)

    def clean_registries(self) -> None:
        """Tidy what RQ knows of jobs. A worker killed half-way leaves entries it stumbles over:
        they expire by themselves, and our tables bring the work back.
        """
        try:
            super().clean_registries()  # type: ignore[no-untyped-call]
        except ValueError as error:
            logger.warning("the queue's lists of jobs are tidied later: %s", error)

    def perform_job(self, job: Job, queue: Queue) -> bool:
        with self.app.app_context():
            return bool(super().perform_job(job, queue))

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        if sys.platform == "linux":
            parent = self.pid
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
        super().main_work_horse(job, queue)


def work(app: Flask, queues: Sequence[str], *, burst: bool = False) -> None:
    """Serve the queues, the first before the others, until asked to stop."""
    url = app.config["CRM"].redis_url
    with app.app_context():
        worker = AppWorker(
            [dispatch.queue(name, WakeUp) for name in queues],
            job_class=WakeUp,
            connection=dispatch.client(url),
            serializer=JSONSerializer,
            worker_ttl=45,
            maintenance_interval=30,
            job_monitoring_interval=10,
        )
    worker.app = app
    worker.work(burst=burst, logging_level="WARNING")
