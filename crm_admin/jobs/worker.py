"""The worker process: an app context per job, fresh database connections, and no work-horse
outliving its worker.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

from flask import Flask
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from crm_admin import dispatch

PR_SET_PDEATHSIG = 1


class AppWorker(Worker):
    """Runs each job inside the app; its work-horse dies with it."""

    app: Flask

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
            [dispatch.queue(name) for name in queues],
            connection=dispatch.client(url),
            serializer=JSONSerializer,
            worker_ttl=60,
            maintenance_interval=30,
            job_monitoring_interval=10,
        )
    worker.app = app
    worker.work(burst=burst, logging_level="WARNING")
