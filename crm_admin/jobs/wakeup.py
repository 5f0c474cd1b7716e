"""What a job in the queue may do: wake one of our own jobs for a row, whoever wrote it there.

A queue is no place of trust. RQ would import and call whatever a job names, run its callbacks and
call its webhooks; none of that is taken over here.
"""

import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final
from uuid import UUID

from rq.exceptions import DeserializationError, NoSuchJobError
from rq.job import Job

from crm_admin.dispatch import JOBS

logger = logging.getLogger(__name__)

TAKEN: Final = frozenset(
    {
        *("data", "origin", "description", "status", "worker_name", "timeout"),
        *("created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat"),
        *("result_ttl", "failure_ttl", "ttl"),
    }
)
"""The fields of a stored job that mean something to us."""


class WakeUp(Job):
    """A job whose only effect is to call one of `dispatch.JOBS` with two ids."""

    def restore(self, raw_data: Mapping[bytes, bytes]) -> Any:
        """Take over what we know of a stored job; NoSuchJobError for what is none."""
        kept = {name: value for name, value in raw_data.items() if name.decode("latin-1") in TAKEN}
        try:
            return super().restore(kept)
        except (ValueError, TypeError, UnicodeDecodeError) as error:
            raise NoSuchJobError(f"job {self.id} cannot be read") from error

    def perform(self) -> None:
        """Call the named job of ours; anything else is noted and dropped."""
        call = self._call()
        if call is None:
            logger.warning("a job that is none of ours was dropped")
            return
        path, ids = call
        module, _, name = path.rpartition(".")
        getattr(import_module(module), name)(*ids)

    def _call(self) -> tuple[str, tuple[str, str]] | None:
        try:
            path, given = self.func_name, tuple(self.args)
            ids = [str(UUID(one)) for one in given]
        except (DeserializationError, ValueError, TypeError, AttributeError):
            return None
        if path not in JOBS.values() or len(ids) != 2 or self.kwargs or self.instance is not None:
            return None
        return str(path), (ids[0], ids[1])
