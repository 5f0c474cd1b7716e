"""Keeps a demo's records over a restart: every effect as one JSON line, read again at the next
start.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import orjson

Effect = Callable[[str, list[object]], None]


def forget(_action: str, _arguments: list[object]) -> None:
    """The journal of a simulator that keeps nothing."""


class Journal:
    """One file of effects; a last line cut short by a kill is left out and written over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def read(self) -> Iterator[tuple[int, str, list[object]]]:
        if not self._path.exists():
            return
        with self._path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    portal, action, arguments = orjson.loads(line)
                    yield portal, action, arguments

    def open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()
        whole = self._path.read_bytes()
        self._file = self._path.open("r+b")
        self._file.seek(whole.rfind(b"\n") + 1)
        self._file.truncate()

    def write(self, portal: int, action: str, arguments: list[object]) -> None:
        if self._file is not None:
            self._file.write(orjson.dumps([portal, action, arguments]) + b"\n")
            self._file.flush()

    def clear(self) -> None:
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
