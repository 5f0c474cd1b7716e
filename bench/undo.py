"""`python -m bench.undo --records 100000 --json`: taking a large run back, in a process of its own.

Two runs are undone: a first pull, whose creates have no operations, and a run that sent one edited
field of every record, whose undo reads and writes every record there.
"""

import argparse
import json
import sys
from typing import Any, Final

from bench.world import World, child, simulator, world

PART: Final = "bench.undo_ours"


def measure(found: World, records: int, seed: int) -> list[dict[str, Any]]:
    """Return one line per run that was undone."""
    with simulator(records, seed) as url:
        desk = child(PART, {"do": "pull", "url": url}, found.environ)
        sent = child(PART, {"do": "send", **desk}, found.environ)
        lines = [
            {"case": case, **child(PART, {"do": "undo", **desk, "run": run}, found.environ)}
            for case, run in (("operations", sent["run"]), ("creates", desk["run"]))
        ]
    return [{"bench": "undo", "peer": "crm_admin", **line} for line in lines]


def main() -> int:
    """Measure and print; a fight with the undo or too much memory is a failure."""
    parser = argparse.ArgumentParser(prog="python -m bench.undo")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with world() as found:
        lines = measure(found, given.records, given.seed)
    for line in lines:
        print(json.dumps(line) if given.json else sentence(line))
    return 1 if any(line["fought"] for line in lines) else 0


def sentence(line: dict[str, Any]) -> str:
    """Return the figures of one undo in words."""
    return (
        f"{line['case']}: {line['undone']:,} of {line['records']:,} taken back in"
        f" {line['seconds']:.1f} s, {line['cpu_s_per_1000']} CPU s per 1,000,"
        f" {line['peak_mb']:.0f} MB, {line['calls']:,} calls; the next full run fought"
        f" {line['fought']}"
    )


if __name__ == "__main__":
    sys.exit(main())
