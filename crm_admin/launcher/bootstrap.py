"""Prepares a fresh checkout with nothing but Python and pip, then hands over to the real command.

It runs before any package is installed, so it imports the standard library only.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
VAR = ROOT / "var"
TOOLS = VAR / "tools"
MODULES = {"start": "start", "crm": "command", "test": "testing"}
HASHED = ["--require-hashes", "--only-binary", ":all:"]
QUIET = ["-qq", "--disable-pip-version-check", "--no-input"]
VENDORED = {"htmx.org/dist/htmx.min.js": "htmx.min.js"}


class Failed(Exception):
    """A step of the preparation failed; the text says which, and what the tool said."""


def main() -> None:
    """Prepare what is missing and become the command."""
    name, *arguments = sys.argv[1:]
    os.environ.setdefault("PIP_ROOT_USER_ACTION", "ignore")
    dev = name == "test"
    try:
        if not (_packages_are_ready(dev=dev) and _assets_are_ready(dev=dev)):
            with _alone():
                _prepare_packages(dev=dev)
                _prepare_assets(dev=dev)
    except Failed as error:
        sys.exit(f"{error}")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environ = {**os.environ, "PYTHONPATH": path}
    command = [str(PYTHON), "-m", f"crm_admin.launcher.{MODULES[name]}", *arguments]
    os.execve(PYTHON, command, environ)


@contextmanager
def _alone() -> Iterator[None]:
    VAR.mkdir(mode=0o700, exist_ok=True)
    with (VAR / "bootstrap.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _packages_are_ready(*, dev: bool) -> bool:
    """Development packages contain those of a plain start, so either stamp serves the latter."""
    stamp = _read(VENV / ".crm-admin.json")
    wanted = [_stamp("dev")] if dev else [_stamp("dev"), _stamp("run")]
    return PYTHON.exists() and stamp in wanted


def _prepare_packages(*, dev: bool) -> None:
    if _packages_are_ready(dev=dev):
        return
    kind = "dev" if dev or _was_dev() else "run"
    _tell("Installing Python packages, once ...")
    _make_venv()
    _install(ROOT / "requirements" / f"{kind}.lock")
    _write(VENV / ".crm-admin.json", _stamp(kind))


def _stamp(kind: str) -> dict[str, str]:
    lock = ROOT / "requirements" / f"{kind}.lock"
    return {"kind": kind, "lock": _digest(lock), "place": str(ROOT)}


def _was_dev() -> bool:
    stamp = _read(VENV / ".crm-admin.json")
    return bool(stamp) and stamp.get("kind") == "dev"


def _make_venv() -> None:
    known = _read(VENV / ".crm-admin.json")
    moved = bool(known) and known.get("place") != str(ROOT)
    if not moved and PYTHON.exists() and _works([str(PYTHON), "-c", "pass"]):
        return
    if VENV.is_symlink():
        VENV.unlink()  # clearing it would empty somebody else's
    # our own interpreter may be the broken or moved environment's
    base = getattr(sys, "_base_executable", sys.executable)
    _run([base, "-m", "venv", "--clear", "--without-pip", str(VENV)])


def _install(lock: Path) -> None:
    uv = _uv()
    if uv is not None:
        options = ["--quiet", "--index-strategy", "unsafe-best-match", "--python", str(PYTHON)]
        command = [uv, "pip", "install", *options, *HASHED, "-r", str(lock)]
        if _works(command, {**_pip_settings(), **os.environ}):
            return
        _tell("uv could not install them; trying pip ...")
    pip = [*_pip(), "--python", str(PYTHON), "install", *QUIET, *HASHED, "-r", str(lock)]
    _run(pip)


def _uv() -> str | None:
    """Find uv, or get it: it installs ten times as fast as pip."""
    own = TOOLS / "uv" / "bin" / "uv"
    found = shutil.which("uv") or (str(own) if own.exists() else None)
    if found is None:
        lock = ROOT / "requirements" / "uv.lock"
        target = ["--target", str(own.parents[1])]
        _works([*_pip(), "install", *QUIET, *HASHED, *target, "-r", str(lock)])
        found = str(own) if own.exists() else None
    return found


def _pip() -> list[str]:
    return [sys.executable, "-m", "pip"]


def _pip_settings() -> dict[str, str]:
    """Let uv use what pip is configured to use."""
    done = subprocess.run([*_pip(), "config", "list"], capture_output=True, text=True, check=False)
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
        "trusted-host": "UV_INSECURE_HOST",
    }
    found = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        name = names.get(key.rpartition(".")[2])
        if name:
            words = value.strip("'\"").replace("\\n", " ").split()
            found[name] = (" " if name == "UV_INDEX" else ",").join(words)
    return found


def _assets_are_ready(*, dev: bool) -> bool:
    stamp = _read(VAR / "assets.json")
    vendor = ROOT / "crm_admin" / "static" / "vendor"
    there = all((vendor / name).exists() for name in VENDORED.values())
    wanted = {"lock": _digest(ROOT / "package-lock.json")}
    fits = stamp == {**wanted, "dev": "yes"} or (not dev and stamp == {**wanted, "dev": "no"})
    return there and fits and (not dev or (ROOT / "node_modules").is_dir())


def _prepare_assets(*, dev: bool) -> None:
    if _assets_are_ready(dev=dev):
        return
    _tell("Fetching front-end files, once ...")
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    options += [] if dev else ["--omit=dev"]
    npm = shutil.which("npm")
    if not (npm and shutil.which("node") and _works([npm, *options], cwd=ROOT)):
        _install(ROOT / "requirements" / "node.lock")
        environ = {**os.environ, "PATH": f"{PYTHON.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        _run([str(PYTHON.parent / "npm"), *options], environ, cwd=ROOT)
    vendor = ROOT / "crm_admin" / "static" / "vendor"
    vendor.mkdir(exist_ok=True)
    for source, name in VENDORED.items():
        shutil.copyfile(ROOT / "node_modules" / source, vendor / name)
    lock = _digest(ROOT / "package-lock.json")
    _write(VAR / "assets.json", {"lock": lock, "dev": "yes" if dev else "no"})


def _works(
    command: list[str], environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> bool:
    done = subprocess.run(
        command, env=environ, cwd=cwd, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0


def _run(
    command: list[str], environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    if not _works(command, environ, cwd):
        raise Failed(f"This step failed, see above: {' '.join(command)}")


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, content: Mapping[str, str]) -> None:
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(content) + "\n", encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    main()
