"""Where the things of a checkout live, also when its path is long, or closed to others."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]
SHARED_HOME: Final = Path("/var/lib/crm-admin")
LONGEST_SOCKET_FOLDER: Final = 60


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one checkout; `var` is private to the person who runs it."""

    checkout: Path
    var: Path

    @property
    def home(self) -> Path:
        """Where root keeps what an unprivileged account must read."""
        digest = hashlib.sha256(os.fsencode(self.checkout)).hexdigest()
        return SHARED_HOME / digest[:16]

    @property
    def run_file(self) -> Path:
        return self.var / "run.json"

    @property
    def lock_file(self) -> Path:
        return self.var / "lock"

    @property
    def users_file(self) -> Path:
        return self.var / "users.lock"

    @property
    def logs(self) -> Path:
        return self.var / "log"


def of_checkout(checkout: Path = CHECKOUT) -> Places:
    """Return the places of a checkout, with `var` made: as root others may pass through it."""
    var = checkout / "var"
    var.mkdir(exist_ok=True)
    var.chmod(0o711 if os.geteuid() == 0 else 0o700)
    (var / "log").mkdir(mode=0o700, exist_ok=True)
    return Places(checkout=checkout, var=var)


def make_home(home: Path) -> None:
    """Make the folder root shares with an unprivileged account, whatever the umask says."""
    for folder in (home.parent, home):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)


def socket_folder() -> Path:
    """Make a short private folder for sockets, whose paths may have about 100 bytes only."""
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) > LONGEST_SOCKET_FOLDER:
        base = "/tmp"  # noqa: S108 -- mkdtemp makes a private folder in it
    folder = Path(tempfile.mkdtemp(prefix="crm-", dir=base))
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder


def remove_socket_folder(folder: Path) -> None:
    """Remove a folder `socket_folder` made, and nothing else."""
    if folder.name.startswith("crm-") and folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read, all at once."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
