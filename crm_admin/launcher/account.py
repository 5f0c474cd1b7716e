"""The account PostgreSQL runs as: ours, or *nobody* when we are root, which it refuses."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class Switch(TypedDict, total=False):
    """The arguments of subprocess that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a server runs as; `uid` None means ourselves."""

    uid: int | None = None
    gid: int | None = None

    @property
    def switch(self) -> Switch:
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Hand a file or folder over to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_run(self, program: Path) -> bool:
        """Tell whether the account may reach and start a program."""
        try:
            done = subprocess.run(
                [program, "--version"], cwd="/", capture_output=True, check=False, **self.switch
            )
        except OSError:
            return False
        return done.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Tell whether the account may reach a folder."""
        if self.uid is None:
            return os.access(folder, os.X_OK)
        test = shutil.which("test") or "/usr/bin/test"
        return (
            subprocess.run([test, "-x", folder], cwd="/", check=False, **self.switch).returncode
            == 0
        )


def for_servers() -> Account:
    """Return the account PostgreSQL may run as."""
    if os.geteuid() != 0:
        return Account()
    nobody = pwd.getpwnam("nobody")
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)
