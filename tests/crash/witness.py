"""Writes down when our processes looked at which records of the CRM, and when they wrote to them: a
write that overwrites an edit is forgiven only when we looked before that edit.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any

import orjson

from crm_admin.providers.hubspot.client import HubSpot
from crm_admin.services.engine.ahead import Ahead

STAMP_SECONDS = 0.005
"""Stamps of the CRM are unique: many in one millisecond run ahead of the clock by a little."""


_ahead: list[tuple[str, list[str], float]] = []
"""Looks of the thread that reads ahead: they count once what was read is used, and not if it is
dropped because something was sent.
"""


def watch(file: Path) -> None:
    """Note every look and every write of this process, and of those forked from it, until it
    ends.
    """
    for name in ("changes", "get", "find"):
        _wrap(name, file, lambda answer: [record.id for record in _records(answer)])
    _wrap("write", file, None)
    _ahead.clear()

    def take(self: Ahead, key: Any) -> Any:
        pages = None
        try:
            pages = _take(self, key)
        finally:
            looks = list(_ahead)
            _ahead.clear()
        for name, ids, began in looks if pages is not None else ():
            _note(file, "look", name, ids, began)
        return pages

    Ahead.take = take


def _records(answer: Any) -> Iterable[Any]:
    return getattr(answer, "records", answer)


_take = Ahead.take
_plain = {name: getattr(HubSpot, name) for name in ("changes", "get", "find", "write")}


def _wrap(name: str, file: Path, ids_of: Any) -> None:
    plain = _plain[name]

    def noted(self: HubSpot, first: Any, *rest: Any, **named: Any) -> Any:
        began = time.time()
        what = first if isinstance(first, str) else first.object
        if ids_of is None:
            _note(file, "write", what, [one.id for one in rest[0] if one.id], began)
        answer = plain(self, first, *rest, **named)
        if ids_of is not None and current_thread() is not main_thread():
            _ahead.append((what, ids_of(answer), began))
        elif ids_of is not None:
            _note(file, "look", what, ids_of(answer), began)
        return answer

    setattr(HubSpot, name, noted)


def _note(file: Path, kind: str, name: str, ids: list[str], began: float) -> None:
    line = orjson.dumps([os.getpid(), kind, name, ids, began]) + b"\n"
    with file.open("ab", buffering=0) as out:
        out.write(line)


@dataclass(slots=True)
class Witness:
    """Looks and writes by record, in the order they began."""

    looks: dict[tuple[int, str, str], list[float]]
    writes: dict[tuple[str, str], list[tuple[float, int]]]

    def looked_before(self, name: str, record_id: str, write_at: float) -> float | None:
        """Return when the process that wrote a record at a moment had last looked at it before."""
        writes = [one for one in self.writes[name, record_id] if one[0] <= write_at + STAMP_SECONDS]
        if not writes:
            return None
        sent, pid = max(writes)
        looks = [at for at in self.looks[pid, name, record_id] if at <= sent]
        return max(looks) if looks else None


def read(file: Path) -> Witness:
    """Return what was noted since the file was begun."""
    found = Witness(defaultdict(list), defaultdict(list))
    for line in file.read_bytes().splitlines() if file.exists() else ():
        pid, kind, name, ids, began = orjson.loads(line)
        for one in ids:
            if kind == "look":
                found.looks[pid, name, one].append(began)
            else:
                found.writes[name, one].append((began, pid))
    return found
