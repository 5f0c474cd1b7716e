"""`bin/test`: all tests, or those named, with pytest's own summary as the last line."""

import os
import sys
from collections.abc import Sequence
from typing import Final

from crm_admin.launcher import places

PROCESSES: Final = "2"
ONE_PROCESS: Final = (
    "-n",
    "--numprocesses",
    "--pdb",
    "-s",
    "--capture=no",
    "--co",
    "--collect-only",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Become pytest."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    several = [] if any(word.startswith(ONE_PROCESS) for word in words) else ["-n", PROCESSES]
    os.chdir(places.CHECKOUT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *several, *words])


if __name__ == "__main__":
    main()
