"""`python -m crm_admin.simulators`: the simulators as a process of their own."""

import argparse
import sys
from pathlib import Path

from crm_admin.simulators.hubspot.settings import REAL_LIMITS
from crm_admin.simulators.server import LOOPBACK, PROVIDERS, serve


def main() -> None:
    """Reads the command line and serves until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m crm_admin.simulators")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument(
        "--provider", choices=sorted(PROVIDERS), help="at the root; else all under their names"
    )
    parser.add_argument("--data", type=Path, help="file that keeps the records over a restart")
    parser.add_argument(
        "--real-limits", action="store_true", help="enforce the vendor's rate limits"
    )
    parser.add_argument("--print-port", action="store_true", help="print the port once it answers")
    given = parser.parse_args()

    def tell(port: int) -> None:
        if given.print_port:
            sys.stdout.write(f"{port}\n")
            sys.stdout.flush()

    limits = REAL_LIMITS if given.real_limits else None
    serve(
        given.port,
        host=given.host,
        provider=given.provider,
        data=given.data,
        limits=limits,
        ready=tell,
    )


if __name__ == "__main__":
    main()
