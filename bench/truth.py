"""`python -m bench.truth --records 100000 --json`: what we hold after a pull, against the CRM.

A full run reads every simulated contact; then each record, link and match key is compared with what
the simulator has, field by field through the mapping. A second full pass must write nothing, the
first run is taken back, and a full run after that must leave everything alone.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from bench.world import child, simulator, world

STEPS: Final = "bench.truth_steps"
COMPARE: Final = "bench.truth_compare"


def prove(environ: Mapping[str, str], records: int, seed: int) -> dict[str, Any]:
    """Return the one line: figures of the steps, and how many differences each look found."""
    with simulator(records, seed) as url:
        desk = child(STEPS, {"step": "desk", "url": url}, environ)

        def step(name: str, **more: object) -> dict[str, Any]:
            asked = {"step": name, **desk, **more}
            return dict(child(STEPS, asked, environ))

        first = step("full")
        compared = child(COMPARE, {**desk, "url": url}, environ)
        second = step("full")
        undone = step("undo", run=first["run"])
        after = step("full")
        left = child(COMPARE, {**desk, "url": url, "undone": True}, environ)
    return {
        "bench": "truth",
        "peer": "crm_admin",
        **first.pop("figures"),
        "read": first["read"],
        "counts": counted(first, records),
        "differences": compared,
        "second_pass": {"writes_theirs": second["writes_theirs"], "writes_ours": second["writes"]},
        "undo": {"deleted": undone["deleted"], **undone["figures"]},
        "after_undo": {
            "operations": after["operations"],
            "writes_theirs": after["writes_theirs"],
            "writes_ours": after["writes"],
            **left,
        },
    }


def counted(first: dict[str, Any], records: int) -> int:
    """Return by how much the counts of the run miss what there was to read."""
    ends = first["created"] + first["linked"] + first["unchanged"] + first["skipped"]
    return int(abs(first["read"] - records) + abs(first["read"] - ends))


def wrong(line: dict[str, Any]) -> int:
    """Return everything that should be 0, together."""
    after = line["after_undo"]
    return int(
        line["counts"]
        + sum(line["differences"].values())
        + sum(line["second_pass"].values())
        + abs(line["records"] - line["undo"]["deleted"])
        + sum(after.values())
    )


def main() -> None:
    """Read the command line, prove, print; a difference is a failure."""
    parser = argparse.ArgumentParser(prog="python -m bench.truth", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    given = parser.parse_args()
    with world() as found:
        line = prove(found.environ, given.records, given.seed)
    if given.json:
        print(json.dumps(line))
    differences = wrong(line)
    print(f"{differences:,} differences in {line['records']:,} records", file=sys.stderr)
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
