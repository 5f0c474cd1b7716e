"""`python -m bench.sync --records 100000 --json`: a first pull, and what comes after it.

Peers read the same endpoint of the same simulated HubSpot in the same run: ours, dlt, and a bare
loop that shows what the machine could do.
"""

import argparse
import json
import sys
from functools import partial
from typing import Any, Final

from bench.world import World, child, simulator, world
from crm_admin.packs.crm_hubspot import CONTACTS
from crm_admin.providers.hubspot.spec import DATED, PATHS
from crm_admin.simulators.hubspot.settings import DEMO_TOKEN

FEW: Final = 1_000
PEERS: Final = {"crm_admin": "bench.sync_ours", "dlt": "bench.sync_dlt", "loop": "bench.sync_loop"}


def properties() -> str:
    """Return the properties that our own mapping asks for."""
    return ",".join(rule.theirs for rule in CONTACTS.rules if not rule.association)


def measure(found: World, records: int, seed: int, peers: list[str]) -> list[dict[str, Any]]:
    """Return one line per peer, ours first."""
    with simulator(records, seed) as url, simulator(min(FEW, records), seed) as few_url:
        asked = {
            "url": url,
            "few_url": few_url,
            "token": DEMO_TOKEN,
            "path": f"{PATHS[DATED].objects}/contacts",
            "properties": properties(),
            "database": found.peers,
        }
        return [
            {"bench": "sync", "peer": peer, **child(PEERS[peer], asked, found.environ)}
            for peer in peers
        ]


def sentences(lines: list[dict[str, Any]]) -> list[str]:
    """Return what the figures say side by side."""
    by_peer = {line["peer"]: line for line in lines}
    ours = by_peer.get("crm_admin")
    if ours is None:
        return []
    return [*map(partial(against, ours), lines), *afterwards(ours)]


def against(ours: dict[str, Any], line: dict[str, Any]) -> str:
    """Return one peer's figures and ours as multiples of them."""
    rate = ours["records_per_s"] / line["records_per_s"]
    cpu = ours["cpu_s_per_1000"] / line["cpu_s_per_1000"]
    return (
        f"{line['peer']}: {line['records_per_s']:,} records/s, {line['cpu_s_per_1000']} CPU s per"
        f" 1,000, {line['peak_mb']:.0f} MB; ours is {rate:.2f}x its rate, {cpu:.2f}x its CPU"
    )


def afterwards(ours: dict[str, Any]) -> list[str]:
    """Return what came after our first pull."""
    second, edited, undo = ours["second_pass"], ours["edited"], ours["undo"]
    few, every = ours["quiet_at_1000"], ours["quiet_at_all"]
    ratio, writes = every["seconds"] / few["seconds"], few["writes"] + every["writes"]
    return [
        (
            f"second full pass: {second['records_per_s']:,} records/s,"
            f" {second['cpu_s_per_1000']} CPU s per 1,000, {ours['writes_second_pass']} writes"
        ),
        f"{edited['records']} edits of ours: {edited['calls']} calls, {edited['seconds']} s",
        (
            f"quiet delta: {few['calls']} and {every['calls']} calls, {few['seconds']} s at 1,000"
            f" and {every['seconds']} s at {ours['records']:,} ({ratio:.2f}x), {writes} writes"
        ),
        f"undo: {undo['seconds']} s, {undo['deleted']:,} deleted, {undo['peak_mb']:.0f} MB",
    ]


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.sync", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON line per peer")
    parser.add_argument("--peers", default=",".join(PEERS), help="comma-separated, ours included")
    given = parser.parse_args()
    with world() as found:
        lines = measure(found, given.records, given.seed, given.peers.split(","))
    if given.json:
        for line in lines:
            print(json.dumps(line))
    for sentence in sentences(lines):
        print(sentence, file=sys.stderr)


if __name__ == "__main__":
    main()
