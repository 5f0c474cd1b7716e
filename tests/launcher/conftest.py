"""A copy of this checkout in an awkward place, with this process's Python as its `.venv`."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.architecture.files import ROOT, tracked

PATIENCE = 90


@dataclass
class Checkout:
    """The copy, and the starts made in it."""

    path: Path
    starts: list[subprocess.Popen] = field(default_factory=list)

    @property
    def running(self) -> dict:
        return json.loads((self.path / "var" / "run.json").read_text(encoding="utf-8"))

    def start(self, *words: str) -> subprocess.Popen:
        """Start it and wait until it is ready; `process.said` is what it printed until then."""
        process = self.popen("start", *words)
        process.said = ""
        while "ready at" not in process.said:
            line = process.stdout.readline()
            if not line:
                pytest.fail(f"it ended with {process.wait()}: {process.said}\n{self.logs()}")
            process.said += line
        return process

    def popen(self, command: str, *words: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [self.path / "bin" / command, *words],
            cwd="/",
            env={name: value for name, value in os.environ.items() if not name.endswith("_URL")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if command == "crm" else subprocess.STDOUT,
            text=True,
        )
        self.starts.append(process)
        return process

    def logs(self) -> str:
        found = sorted((self.path / "var" / "log").glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in found)

    def end(self) -> None:
        for process in self.starts:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
        self.starts.clear()


@pytest.fixture(scope="module")
def long_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="crm launcher ") as folder:
        path = Path(folder, "a folder with blanks and a very long name " + "x" * 80, "checkout")
        path.mkdir(parents=True)
        yield path
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        shutil.rmtree(Path("/var/lib/crm-admin", digest), ignore_errors=True)


@pytest.fixture(scope="module")
def copy(long_path: Path) -> Path:
    for source in tracked():
        place = long_path / source.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, place)
    python = long_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    lock = hashlib.sha256((ROOT / "requirements" / "dev.lock").read_bytes()).hexdigest()
    stamp = {"kind": "dev", "lock": lock, "place": str(long_path)}
    (long_path / ".venv" / ".crm-admin.json").write_text(json.dumps(stamp))
    (long_path / "var").mkdir()
    front_end = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    assets = {"lock": front_end, "dev": "yes"}
    (long_path / "var" / "assets.json").write_text(json.dumps(assets))
    vendor = long_path / "crm_admin" / "static" / "vendor"
    vendor.mkdir(parents=True)
    (vendor / "htmx.min.js").write_text("")
    return long_path


@pytest.fixture
def checkout(copy: Path) -> Iterator[Checkout]:
    checkout = Checkout(copy)
    yield checkout
    checkout.end()


@pytest.fixture
def get():
    def get(url: str) -> tuple[int, str]:
        host, _, path = url.removeprefix("http://").partition("/")
        connection = HTTPConnection(host, timeout=30)
        try:
            connection.request("GET", f"/{path}")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    return get


@pytest.fixture
def eventually():
    def eventually(check, patience: float = PATIENCE) -> bool:
        deadline = time.monotonic() + patience
        while not (found := check()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return bool(found)

    return eventually
