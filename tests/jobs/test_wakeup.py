"""What somebody who can write into the queue can do there: wake a job of ours, and nothing else."""

import json
import pickle
import zlib
from pathlib import Path

import pytest
import redis
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer

from crm_admin import dispatch
from crm_admin.ids import new_id
from crm_admin.jobs import worker
from crm_admin.jobs.wakeup import WakeUp


def put(app: Flask, fields: dict[str, object]) -> str:
    """Write a job into the queue by hand, as a stranger would."""
    client = dispatch.client(app.config["CRM"].redis_url)
    name = f"forged-{new_id()}"
    usual: dict[str, object] = {"created_at": "2026-11-20T12:00:00.000000Z", "origin": "now"}
    held = {key: value for key, value in {**usual, **fields}.items() if value is not None}
    client.hset(f"rq:job:{name}", mapping=held)  # type: ignore[arg-type]
    client.sadd("rq:queues", "rq:queue:now")
    client.rpush("rq:queue:now", name)
    return name


def call(path: str, *arguments: object, **more: object) -> dict[str, object]:
    data = json.dumps([path, None, list(arguments), {}]).encode()
    return {"data": zlib.compress(data), **more}


def left(app: Flask) -> int:
    return int(dispatch.client(app.config["CRM"].redis_url).llen("rq:queue:now"))  # type: ignore[arg-type]


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_forged_job_calls_nothing_and_stops_nobody(app: Flask, tmp_path: Path) -> None:
    made = tmp_path / "made"
    ours = dispatch.JOBS["sync.run"]
    ids = (str(new_id()), str(new_id()))
    put(app, call("os.mkdir", str(made)))
    put(app, call(ours, *ids, success_callback_name="os.mkdir"))
    put(app, call(ours, str(made), "; DROP TABLE record"))
    put(app, call(ours, *ids, "more"))
    put(app, {"data": pickle.dumps(Bomb(made))})
    put(app, {"data": zlib.compress(pickle.dumps(("os.mkdir", None, (str(made),), {})))})
    put(app, {"data": b"\xff\xfe no JSON"})
    put(app, {"data": None})
    put(app, {**call(ours, *ids), "timeout": "never", "created_at": "yesterday"})

    worker.work(app, ("now",), burst=True)

    assert left(app) == 0
    assert not made.exists()


def test_callbacks_and_webhooks_of_a_stored_job_are_not_taken_over(app: Flask) -> None:
    url = json.dumps([{"url": "http://169.254.169.254/", "job_status": "finished"}])
    name = put(
        app,
        call(
            dispatch.JOBS["sync.run"],
            str(new_id()),
            str(new_id()),
            success_callback_name="os.system",
            failure_callback_name="os.system",
            stopped_callback_name="os.system",
            webhooks=url,
        ),
    )

    with app.app_context():
        client = dispatch.client(app.config["CRM"].redis_url)
        job = WakeUp.fetch(name, connection=client, serializer=JSONSerializer)

    assert (job.success_callback, job.failure_callback, job.webhooks) == (None, None, [])


def test_a_job_of_ours_is_called_with_its_two_ids(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr("crm_admin.jobs.sync.run", lambda *ids: seen.append(ids))
    ids = (new_id(), new_id())
    with app.app_context():
        dispatch.enqueue("sync.run", *ids, urgent=True)
        queue: Queue = dispatch.queue("now", WakeUp)

        queue.jobs[0].perform()

    assert seen == [(str(ids[0]), str(ids[1]))]


def test_every_job_has_a_function(app: Flask) -> None:
    with app.app_context():
        client: redis.Redis = dispatch.client(app.config["CRM"].redis_url)
        for path in dispatch.JOBS.values():
            job = WakeUp.create(path, args=("a", "b"), connection=client, serializer=JSONSerializer)
            assert callable(job.func)
